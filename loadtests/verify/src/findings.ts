/** What checking one invariant found. */
export type Finding =
  | { readonly ok: true; readonly invariant: string; readonly count: number; readonly what: string }
  | { readonly ok: false; readonly invariant: string; readonly row: string }
  | { readonly ok: 'skipped'; readonly invariant: string; readonly why: string }

/** An invariant that holds, and over how many of what it was checked. */
export function holds(invariant: string, count: number, what: string): Finding {
  return { ok: true, invariant, count, what }
}

/** An invariant that is broken, and the first row that shows it. */
export function broken(invariant: string, row: string): Finding {
  return { ok: false, invariant, row }
}

/** One line for a finding; what was checked over nothing does not read like a success. */
export function describeFinding(finding: Finding): string {
  if (finding.ok === false) return `WRONG ${finding.invariant}: ${finding.row}`
  if (finding.ok === 'skipped') return `SKIP  ${finding.invariant}: ${finding.why}`
  return `${finding.count > 0 ? 'ok   ' : 'none '} ${finding.invariant} (${finding.count} ${finding.what})`
}
