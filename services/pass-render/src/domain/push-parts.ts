import { type ByteColumn, ColumnWriter, passesPerRow } from '@stampede/platform'
import { PushChunk } from '@stampede/proto/push/v1'

/** Recipients of one push chunk at most. */
export const MAX_CHUNK_RECIPIENTS = 1_000

/** Tags of the columns of PushChunk (field number and wire type). */
const PUSH_TOKENS = 42
const PASS_NO = 50
const DEVICE_LIBRARY_ID = 58
/** Bytes of a recipient besides its token and device id: two tags, two lengths, the pass number. */
const RECIPIENT_BYTES = 16

/** Phones of the passes of one audience row, in columns of equal length and in the order of the passes. */
export interface RecipientColumns {
  /** Place of the pass in the row, 0 to 8,191. */
  readonly places: Uint16Array
  readonly pushTokens: ByteColumn
  readonly deviceLibraryIds: ByteColumn
}

/** Indices into columns, ascending. */
export type Selection = Uint32Array

/**
 * What a row is handed out as: fixed ends of parts (places, each the first that is not in the part), and who of each
 * part is woken.
 */
export interface PushParts {
  readonly ends: readonly number[]
  readonly parts: readonly Selection[]
}

/** Cuts a row into parts for the first time. Each device is woken once, with the first of its passes. */
export function cutParts(columns: RecipientColumns): PushParts {
  const kept = oncePerDevice(columns, 0, columns.places.length)
  const ends: number[] = []
  const parts: Selection[] = []
  let from = 0
  for (let at = 0; at < kept.length; at += 1) {
    if (at - from < MAX_CHUNK_RECIPIENTS) continue
    // A pass belongs to one part, so that the part is the same passes for ever: back to where the pass begins.
    const place = placeOf(columns, kept, at)
    let end = at
    while (end > from && placeOf(columns, kept, end - 1) === place) end -= 1
    ends.push(place)
    parts.push(kept.subarray(from, end))
    from = end
  }
  if (kept.length === 0) return { ends, parts }
  return { ends: [...ends, passesPerRow], parts: [...parts, kept.subarray(from)] }
}

function placeOf({ places }: RecipientColumns, kept: Selection, at: number): number {
  return places[kept[at] as number] as number
}

/**
 * Fills parts that were cut before: some of them may be on the stream already, with the phones of that time. A device
 * is woken once for each part, because the part that woke it for the others may be another one now.
 */
export function refillParts(columns: RecipientColumns, ends: readonly number[]): PushParts {
  const { places } = columns
  let from = 0
  const parts = ends.map((end) => {
    const first = from
    while (from < places.length && (places[from] as number) < end) from += 1
    return oncePerDevice(columns, first, from)
  })
  return { ends, parts }
}

function oncePerDevice({ deviceLibraryIds }: RecipientColumns, first: number, end: number): Selection {
  const { message, starts, ends } = deviceLibraryIds
  const text = Buffer.from(message.buffer, message.byteOffset, message.byteLength).toString('latin1')
  const seen = new Set<string>()
  const kept = new Uint32Array(end - first)
  let count = 0
  for (let index = first; index < end; index += 1) {
    seen.add(text.slice(starts[index], ends[index]))
    if (seen.size === count) continue
    kept[count] = index
    count += 1
  }
  return kept.subarray(0, count)
}

/** All fields of a PushChunk but its columns. */
export type PushChunkHead = Omit<PushChunk, 'pushTokens' | 'passNo' | 'deviceLibraryId'>

/** Writes a PushChunk of the selected recipients, without an object, bigint or text for each. */
export function writePushChunk(
  head: PushChunkHead,
  base: bigint,
  columns: RecipientColumns,
  selection: Selection,
): Uint8Array {
  const encodedHead = PushChunk.encode(PushChunk.fromPartial(head)).finish()
  const { pushTokens, deviceLibraryIds } = columns
  const columnBytes =
    bytesOf(pushTokens, selection) + bytesOf(deviceLibraryIds, selection) + selection.length * RECIPIENT_BYTES
  const writer = new ColumnWriter(encodedHead.length + columnBytes)
  writer.raw(encodedHead)
  writer.entries(PUSH_TOKENS, pushTokens, selection)
  writer.numbers(PASS_NO, selection, passNumbers(Number(base), columns, selection))
  writer.entries(DEVICE_LIBRARY_ID, deviceLibraryIds, selection)
  return writer.finish()
}

/** Of the range that the selection spans: a little more than what it selects. */
function bytesOf({ starts, ends }: ByteColumn, selection: Selection): number {
  const [first, last] = [selection[0], selection.at(-1)]
  return first === undefined || last === undefined ? 0 : (ends[last] ?? 0) - (starts[first] ?? 0)
}

function passNumbers(base: number, { places }: RecipientColumns, selection: Selection): Float64Array {
  const numbers = new Float64Array(places.length)
  for (const index of selection) numbers[index] = base + (places[index] as number)
  return numbers
}
