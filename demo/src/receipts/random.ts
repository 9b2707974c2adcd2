/** Seeded randomness: the same seed and stream give the same values on every machine. */
export interface Random {
  /** In [0, 1). */
  next(): number
  /** Whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number
  pick<T>(items: readonly T[]): T
  /** Exponentially distributed with the given mean. */
  exponential(mean: number): number
}

/** SplitMix-seeded xorshift (sfc32); `stream` separates members, so that more members do not change the first ones. */
export function seededRandom(seed: number, stream: number): Random {
  let [a, b, c, counter] = [mix(seed), mix(seed ^ 0x9e3779b9), mix(stream + 0x85ebca6b), 1]
  const next = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return (sum >>> 0) / 2 ** 32
  }
  for (let warmUp = 0; warmUp < 12; warmUp += 1) next()
  return {
    next,
    integer: (min, max) => min + Math.floor(next() * (max - min + 1)),
    pick: (items) => {
      const item = items[Math.floor(next() * items.length)]
      if (item === undefined) throw new RangeError('nothing to pick from')
      return item
    },
    exponential: (mean) => -Math.log(1 - next()) * mean,
  }
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return mixed ^ (mixed >>> 15)
}
