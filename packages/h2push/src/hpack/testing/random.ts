/** Random numbers that repeat with their seed. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** An integer from 0 to `count` - 1 (mulberry32). */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * count)
  }

  /** True once in `count` times. */
  once(count: number): boolean {
    return this.below(count) === 0
  }

  /** One of the items, of which there must be at least one. */
  of<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item
  }
}

/** Runs a test with a seed of its own, or that of the variable SEED; a failure names it. */
export async function withRandom(run: (random: Random) => Promise<void> | void): Promise<void> {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  try {
    await run(new Random(seed))
  } catch (cause) {
    throw new Error(`failed with SEED=${seed}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}

/** A copy with bits flipped, bytes changed, removed, added, repeated, or the end cut off. */
export function mutated(random: Random, block: Uint8Array): Uint8Array {
  const bytes = [...block]
  for (let times = 1 + random.below(3); times > 0; times -= 1) {
    const at = random.below(bytes.length + 1)
    const kind = random.below(6)
    if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
    else if (kind === 1) bytes[at] = random.below(256)
    else if (kind === 2) bytes.splice(at, 1 + random.below(4))
    else if (kind === 3) bytes.splice(at, 0, random.of([0, 0x20, 0x3f, 0x7f, 0x80, 0xbe, 0xff, random.below(256)]))
    else if (kind === 4) bytes.splice(at, 0, ...bytes.slice(at, at + random.below(8)))
    else bytes.length = at
  }
  return Uint8Array.from(bytes)
}
