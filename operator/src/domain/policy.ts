/** Why something has to be done: a CamelCase reason from a fixed set, and a sentence for people. */
export interface Finding {
  readonly reason: string
  readonly message: string
}

/** Looks at one thing; undefined when all is well with it. */
export type Policy<Input> = (input: Input) => Finding | undefined

/** The first finding of a chain; undefined when nothing is to be done. */
export function firstFinding<Input>(chain: readonly Policy<Input>[], input: Input): Finding | undefined {
  for (const policy of chain) {
    const finding = policy(input)
    if (finding !== undefined) return finding
  }
  return undefined
}
