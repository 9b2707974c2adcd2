/** The currency of ordinary points; others are stamps, tickets and the like. */
export const POINTS = 'points'

/** What an account is found by. */
export interface AccountKey {
  readonly brand: string
  /** UUID in lower case. */
  readonly memberId: string
  /** `points`, or another currency of the brand's programme. */
  readonly currency: string
}

/** An id inside a brand: of a receipt or a hold. */
export interface BrandId {
  readonly brand: string
  readonly id: string
}

/** The account of a member's ordinary points. */
export function pointsOf({ brand, memberId }: Omit<AccountKey, 'currency'>): AccountKey {
  return { brand, memberId, currency: POINTS }
}

/** One text for an account; brands and currencies hold no slash. */
export function accountText(key: AccountKey): string {
  return `${key.brand}/${key.memberId}/${key.currency}`
}

/** One text for an id inside a brand. */
export function brandIdText(brand: string, id: string): string {
  return `${brand}/${id}`
}

/** The only order in which accounts are locked. */
export function sortAccounts(keys: readonly AccountKey[]): readonly AccountKey[] {
  const byText = new Map(keys.map((key) => [accountText(key), key]))
  return [...byText].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, key]) => key)
}
