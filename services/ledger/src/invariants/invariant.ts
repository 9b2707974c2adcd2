/** A rule of the books. */
export interface Invariant {
  readonly name: string
  /** Gives the rows that break it. */
  readonly text: string
}
