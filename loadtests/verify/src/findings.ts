/** What checking one invariant found. */
export type Finding =
  | { readonly ok: true; readonly invariant: string; readonly checked: string }
  | { readonly ok: false; readonly invariant: string; readonly row: string }
  | { readonly ok: 'skipped'; readonly invariant: string; readonly why: string }

/** An invariant that holds, and over how much it was checked. */
export function holds(invariant: string, checked: string): Finding {
  return { ok: true, invariant, checked }
}

/** An invariant that is broken, and the first row that shows it. */
export function broken(invariant: string, row: string): Finding {
  return { ok: false, invariant, row }
}
