/** Why a command was not done; nothing is changed then. */
export type Refusal =
  | { readonly ok: false; readonly reason: 'insufficient_points'; readonly available: bigint }
  | { readonly ok: false; readonly reason: 'owes_points'; readonly debt: bigint }
  | { readonly ok: false; readonly reason: 'nothing_pending' }
  | { readonly ok: false; readonly reason: 'hold_not_found' }
  | { readonly ok: false; readonly reason: 'hold_expired' }
  | { readonly ok: false; readonly reason: 'hold_resolved' }
  | { readonly ok: false; readonly reason: 'points_exceed_hold'; readonly points: bigint }
  | { readonly ok: false; readonly reason: 'points_exceed_receipt'; readonly limit: bigint }
  /** Not in whole steps, or fewer than pay at all. */
  | { readonly ok: false; readonly reason: 'points_not_payable'; readonly limit: bigint }
  | { readonly ok: false; readonly reason: 'line_not_found'; readonly lineIndex: number }
  | { readonly ok: false; readonly reason: 'return_exceeds_sale'; readonly lineIndex: number }
