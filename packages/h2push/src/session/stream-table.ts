import { STREAM_ID_MAX } from '../protocol/constants.ts'
import type { RequestBlock } from '../request/block.ts'
import type { StreamDetail } from './stream-detail.ts'

const SLOTS_MIN = 256

/**
 * Live streams of a connection in a ring of slots: a stream id leads to its slot by its bits, so that opening and
 * ending one costs no map and no object. A slot that is still taken when its turn comes again (one slow stream
 * behind thousands of fast ones) is stepped over: skipped stream ids are closed by definition (RFC 9113 section 5.1.1).
 */
export class StreamTable {
  /** Stream id by slot; 0 for a free one. */
  ids = new Uint32Array(SLOTS_MIN)
  /** Block by slot; undefined for streams whose `details` say all. */
  blocks: (RequestBlock | undefined)[] = new Array(SLOTS_MIN).fill(undefined)
  /** Index within the block. */
  indexes = new Int32Array(SLOTS_MIN)
  /** When it was opened, in milliseconds. */
  openedAtMs = new Float64Array(SLOTS_MIN)
  /** Streams that are more than a prepared request waiting for a short answer, by id. */
  readonly details = new Map<number, StreamDetail>()
  #mask = SLOTS_MIN - 1
  #nextId = 1
  #live = 0
  readonly #idMax: number

  /** `idMax`: highest stream id to use; lower than the protocol's in tests only. */
  constructor(idMax = STREAM_ID_MAX) {
    this.#idMax = idMax
  }

  /** Streams that are open. */
  get live(): number {
    return this.#live
  }

  /** The id that the next stream gets at the earliest. */
  get nextId(): number {
    return this.#nextId
  }

  /** Streams that can still be opened on this connection. */
  get idsLeft(): number {
    return Math.max(0, Math.floor((this.#idMax - this.#nextId) / 2) + 1 - this.#live)
  }

  /** Opens a stream and returns its id; the caller has looked at `idsLeft`. */
  open(block: RequestBlock | undefined, index: number, nowMs: number): number {
    if (this.#live * 2 >= this.ids.length) this.#grow()
    let id = this.#nextId
    let slot = (id >>> 1) & this.#mask
    while (this.ids[slot] !== 0) {
      id += 2
      slot = (id >>> 1) & this.#mask
    }
    this.#nextId = id + 2
    this.#put(slot, id, block, index, nowMs)
    this.#live += 1
    return id
  }

  /** Slot of a live stream, or -1. */
  slotOf(id: number): number {
    const slot = (id >>> 1) & this.#mask
    return id !== 0 && this.ids[slot] === id ? slot : -1
  }

  /** Whether a stream id was never used; even ids belong to the peer, who opens none. */
  isIdle(id: number): boolean {
    return (id & 1) === 0 || id >= this.#nextId
  }

  /** Ends the stream of a slot. */
  close(slot: number): void {
    const id = this.ids[slot] as number
    this.ids[slot] = 0
    this.blocks[slot] = undefined
    this.#live -= 1
    if (this.details.size > 0) this.details.delete(id)
  }

  /** Slots of all live streams whose id is above one. */
  slotsAbove(id: number): readonly number[] {
    const slots: number[] = []
    for (let slot = 0; slot < this.ids.length; slot += 1) if ((this.ids[slot] as number) > id) slots.push(slot)
    return slots
  }

  /** Slots of all live streams that were opened at an instant or before. */
  slotsOpenedBy(atMs: number): readonly number[] {
    const slots: number[] = []
    for (let slot = 0; slot < this.ids.length; slot += 1)
      if (this.ids[slot] !== 0 && (this.openedAtMs[slot] as number) <= atMs) slots.push(slot)
    return slots
  }

  #put(slot: number, id: number, block: RequestBlock | undefined, index: number, openedAtMs: number): void {
    this.ids[slot] = id
    this.blocks[slot] = block
    this.indexes[slot] = index
    this.openedAtMs[slot] = openedAtMs
  }

  #grow(): void {
    const { ids, blocks, indexes, openedAtMs } = this
    // Ids that differ in the lower bits still do with one more bit: nothing collides.
    const size = ids.length * 2
    const mask = size - 1
    this.ids = new Uint32Array(size)
    this.blocks = new Array(size).fill(undefined)
    this.indexes = new Int32Array(size)
    this.openedAtMs = new Float64Array(size)
    this.#mask = mask
    for (const [slot, id] of ids.entries()) {
      if (id === 0) continue
      this.#put((id >>> 1) & mask, id, blocks[slot], indexes[slot] as number, openedAtMs[slot] as number)
    }
  }
}
