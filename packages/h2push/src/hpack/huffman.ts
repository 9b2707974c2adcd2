/** Length of each symbol's code in bits; 256 is the end of string (RFC 7541 appendix B). */
const codeBits: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
]
const END_OF_STRING = 256
const LONGEST_CODE_BITS = 30
/** Bits of the table that most codes are found in at once. */
const TABLE_BITS = 8

/** Symbols in the order of their codes: by length, then by value. The code is canonical, so the lengths give all. */
const symbols = Uint16Array.from(codeBits.keys()).sort(
  (a, b) => (codeBits[a] as number) - (codeBits[b] as number) || a - b,
)
/** Code by symbol, in the low bits. */
const codes = new Uint32Array(codeBits.length)
/** By code length: position in `symbols` of its first code. */
const firstPositions = new Uint16Array(LONGEST_CODE_BITS + 2)
/** By code length: its first code. */
const firstCodes = new Uint32Array(LONGEST_CODE_BITS + 2)
/** By the next eight bits: length times 256 plus symbol; 0 when the code is longer. */
const table = new Uint16Array(1 << TABLE_BITS)
fillTables()

function fillTables(): void {
  let code = 0
  let position = 0
  for (let bits = 1; bits <= LONGEST_CODE_BITS + 1; bits += 1) {
    code *= 2
    firstCodes[bits] = code
    firstPositions[bits] = position
    while (position < symbols.length && codeBits[symbols[position] as number] === bits) {
      const symbol = symbols[position] as number
      codes[symbol] = code
      const spare = TABLE_BITS - bits
      if (spare >= 0) table.fill((bits << 8) | symbol, code << spare, (code + 1) << spare)
      code += 1
      position += 1
    }
  }
}

/**
 * Decodes `block` from `start` to `end` into `out`, which must have room for 8/5 of that; returns the offset after
 * the last byte written, or -1 when the padding is longer than 7 bits or not all ones, or the end of string occurs
 * (RFC 7541 section 5.2).
 */
export function decodeHuffman(block: Uint8Array, start: number, end: number, out: Uint8Array, outAt: number): number {
  let at = start
  let to = outAt
  // The low `count` bits of `bits` are not consumed yet; before each refill fewer than eight.
  let bits = 0
  let count = 0
  while (at < end) {
    // Three bytes at once where there are three: that is most of the speed.
    if (end - at >= 3) {
      bits = (bits << 24) | ((block[at] as number) << 16) | ((block[at + 1] as number) << 8) | (block[at + 2] as number)
      at += 3
      count += 24
    } else {
      bits = (bits << 8) | (block[at] as number)
      at += 1
      count += 8
    }
    while (count >= TABLE_BITS) {
      const found = table[(bits >>> (count - TABLE_BITS)) & 0xff] as number
      if (found !== 0) {
        out[to] = found
        to += 1
        count -= found >>> 8
        continue
      }
      const bitAt = at * 8 - count
      const long = decodeLong(block, bitAt, end)
      if (long < 0) return -1
      out[to] = long
      to += 1
      const after = bitAt + (codeBits[long] as number)
      at = (after + 7) >>> 3
      count = at * 8 - after
      bits = block[at - 1] as number
    }
  }
  // What is left is shorter than eight bits: a short code, then padding.
  while (count > 0) {
    const ones = (1 << count) - 1
    if ((bits & ones) === ones) return to
    const found = table[((bits & ones) << (TABLE_BITS - count)) & 0xff] as number
    count -= found >>> 8
    if (found === 0 || count < 0) return -1
    out[to] = found
    to += 1
  }
  return to
}

/** The symbol at a bit whose code is longer than eight bits; -1 when there is none before `end`. */
function decodeLong(block: Uint8Array, bitAt: number, end: number): number {
  let code = 0
  const bitsMax = Math.min(LONGEST_CODE_BITS, end * 8 - bitAt)
  for (let bits = 1; bits <= bitsMax; bits += 1) {
    const next = bitAt + bits - 1
    code = code * 2 + (((block[next >>> 3] as number) >>> (7 - (next & 7))) & 1)
    const position = (firstPositions[bits] as number) + code - (firstCodes[bits] as number)
    if (position >= (firstPositions[bits + 1] as number)) continue
    const symbol = symbols[position] as number
    return symbol === END_OF_STRING ? -1 : symbol
  }
  return -1
}

/** Bytes of a latin1 text when coded. */
export function huffmanBytes(text: string): number {
  let bits = 0
  for (let index = 0; index < text.length; index += 1) bits += codeBits[text.charCodeAt(index) & 0xff] as number
  return (bits + 7) >>> 3
}

/** Writes a latin1 text coded; returns the offset after it. */
export function encodeHuffman(text: string, out: Uint8Array, at: number): number {
  let to = at
  let bits = 0
  let count = 0
  for (let index = 0; index < text.length; index += 1) {
    const symbol = text.charCodeAt(index) & 0xff
    const code = codes[symbol] as number
    // In two steps: with what is left of the last byte a code may be longer than 32 bits.
    let left = codeBits[symbol] as number
    while (left > 0) {
      const taken = Math.min(left, 8 - count)
      bits = (bits << taken) | ((code >>> (left - taken)) & ((1 << taken) - 1))
      left -= taken
      count += taken
      if (count < 8) continue
      out[to] = bits
      to += 1
      bits = 0
      count = 0
    }
  }
  if (count === 0) return to
  out[to] = (bits << (8 - count)) | (0xff >>> count)
  return to + 1
}
