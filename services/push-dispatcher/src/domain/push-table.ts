import type { ByteColumn } from '@stampede/platform'

/** Spreads a multiplication over 32 bits (the 32-bit constant of FNV-1a). */
const HASH_PRIME = 16_777_619
/** Multiplier of the last step of the hash (MurmurHash3's finalizer). */
const MIX_PRIME = 0x85eb_ca6b
/** Slots of the hash table per recipient, at least: half of them stay empty. */
const SLOTS_PER_RECIPIENT = 2

/** Pushes whose tokens have one length; they are numbered one behind the other. */
export interface PushGroup {
  readonly firstPush: number
  readonly count: number
  readonly tokenBytes: number
  /** The tokens, one after another, in the order of the pushes. */
  readonly tokens: Uint8Array
}

/** Recipients with one token are one push. */
export interface PushTable {
  /** Number of pushes. */
  readonly size: number
  readonly pushOfRecipient: Uint32Array
  /** In the order of the pushes. */
  readonly groups: readonly PushGroup[]
}

/**
 * Numbers the different tokens of a chunk: those of one length together, and else in the order of the recipients.
 * `seed` keeps a phone from choosing tokens that collide.
 */
export function makePushTable(column: ByteColumn, seed: number): PushTable {
  const pushOfRecipient = new Uint32Array(column.starts.length)
  const groups: PushGroup[] = []
  let size = 0
  for (const [tokenBytes, recipients] of recipientsByLength(column)) {
    const group = makeGroup(column, { tokenBytes, recipients, firstPush: size, seed }, pushOfRecipient)
    groups.push(group)
    size += group.count
  }
  return { size, pushOfRecipient, groups }
}

interface GroupPlan {
  readonly tokenBytes: number
  /** Recipients with a token of that length. */
  readonly recipients: number
  readonly firstPush: number
  readonly seed: number
}

function recipientsByLength({ starts, ends }: ByteColumn): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  for (let recipient = 0; recipient < starts.length; recipient += 1) {
    const length = (ends[recipient] as number) - (starts[recipient] as number)
    counts.set(length, (counts.get(length) ?? 0) + 1)
  }
  return counts
}

/** Open addressing with linear probing; the tokens themselves lie in the slab that the transport is given. */
function makeGroup(column: ByteColumn, plan: GroupPlan, pushOfRecipient: Uint32Array): PushGroup {
  const { message, starts, ends } = column
  const { tokenBytes, recipients, firstPush, seed } = plan
  const tokens = new Uint8Array(recipients * tokenBytes)
  const mask = 2 ** Math.ceil(Math.log2(recipients * SLOTS_PER_RECIPIENT)) - 1
  /** Number of the token plus 1; 0 is an empty slot. */
  const slots = new Uint32Array(mask + 1)
  let count = 0
  for (let recipient = 0; recipient < starts.length; recipient += 1) {
    const start = starts[recipient] as number
    if ((ends[recipient] as number) - start !== tokenBytes) continue
    const candidateAt = count * tokenBytes
    let slot = copyAndHash(message, start, tokens, candidateAt, tokenBytes, seed) & mask
    let known = slots[slot] as number
    while (known !== 0 && !isSame(tokens, (known - 1) * tokenBytes, candidateAt, tokenBytes)) {
      slot = (slot + 1) & mask
      known = slots[slot] as number
    }
    if (known === 0) {
      count += 1
      slots[slot] = count
      known = count
    }
    pushOfRecipient[recipient] = firstPush + known - 1
  }
  return { firstPush, count, tokenBytes, tokens: tokens.subarray(0, count * tokenBytes) }
}

/** Copies a token behind the known ones, where it stays if it is new, and hashes it on the way. */
function copyAndHash(
  from: Uint8Array,
  fromAt: number,
  to: Uint8Array,
  toAt: number,
  length: number,
  seed: number,
): number {
  let hash = seed
  for (let offset = 0; offset < length; offset += 1) {
    const byte = from[fromAt + offset] as number
    to[toAt + offset] = byte
    hash = Math.imul(hash ^ byte, HASH_PRIME)
  }
  hash = Math.imul(hash ^ (hash >>> 16), MIX_PRIME)
  return (hash ^ (hash >>> 13)) >>> 0
}

function isSame(bytes: Uint8Array, oneAt: number, otherAt: number, length: number): boolean {
  for (let offset = 0; offset < length; offset += 1) if (bytes[oneAt + offset] !== bytes[otherAt + offset]) return false
  return true
}

/** Pushes that go in one batch. */
export interface PushSlice {
  readonly pushes: Uint32Array
  /** Their tokens, one after another. */
  readonly tokens: Uint8Array
  readonly tokenBytes: number
}

/** Splits pushes, which ascend, by the length of their tokens. Neighbours' tokens are not copied. */
export function slicesOf({ groups }: PushTable, pushes: Uint32Array): readonly PushSlice[] {
  const slices: PushSlice[] = []
  let from = 0
  for (const group of groups) {
    const end = group.firstPush + group.count
    let to = from
    while (to < pushes.length && (pushes[to] as number) < end) to += 1
    if (to > from) slices.push(sliceOf(group, pushes.subarray(from, to)))
    from = to
  }
  return slices
}

function sliceOf({ firstPush, tokenBytes, tokens }: PushGroup, pushes: Uint32Array): PushSlice {
  const first = (pushes[0] as number) - firstPush
  const last = (pushes[pushes.length - 1] as number) - firstPush
  if (last - first + 1 === pushes.length)
    return { pushes, tokens: tokens.subarray(first * tokenBytes, (last + 1) * tokenBytes), tokenBytes }
  const gathered = new Uint8Array(pushes.length * tokenBytes)
  for (const [at, push] of pushes.entries()) {
    const from = (push - firstPush) * tokenBytes
    gathered.set(tokens.subarray(from, from + tokenBytes), at * tokenBytes)
  }
  return { pushes, tokens: gathered, tokenBytes }
}
