import type { SourceMessage } from './source.ts'

/** Limits of a batch; the first that is reached ends it. */
export interface BatchLimits {
  readonly messagesMax: number
  /** Bytes of payload. */
  readonly bytesMax: number
  /** Milliseconds from the first message of a batch to its end. */
  readonly lingerMs: number
}

/** What `nextOf` gives: a message, or that none came in time, or that there will be no more. */
type Next =
  | { readonly kind: 'message'; readonly message: SourceMessage }
  | { readonly kind: 'late' }
  | { readonly kind: 'end' }

/**
 * Cuts a stream of messages into batches. With `replayLast` the first batch is cut exactly behind that sequence,
 * whatever the limits say: it repeats a batch that was cut before. It may be short or empty if messages have left the
 * stream since.
 */
export async function* batchesOf(
  messages: AsyncIterable<SourceMessage>,
  limits: BatchLimits,
  replayLast: number | undefined,
): AsyncGenerator<readonly SourceMessage[]> {
  const reader = messages[Symbol.asyncIterator]()
  let coming = reader.next()
  let replay = replayLast
  let batch: SourceMessage[] = []
  let bytes = 0
  let cutAtMs = 0

  try {
    for (;;) {
      const waitMs = batch.length === 0 || replay !== undefined ? undefined : cutAtMs - Date.now()
      const next = await nextOf(coming, waitMs)
      if (next.kind === 'end') break
      const due = next.kind === 'late' || isFull(next.message)
      // A replay is given even when empty: its messages may have left the stream meanwhile.
      if (due && (batch.length > 0 || replay !== undefined)) {
        yield batch
        batch = []
        bytes = 0
        replay = undefined
      }
      if (next.kind === 'late') continue
      if (batch.length === 0) cutAtMs = Date.now() + limits.lingerMs
      batch.push(next.message)
      bytes += next.message.data.length
      coming = reader.next()
      if (replay !== undefined && next.message.sequence >= replay) {
        yield batch
        batch = []
        bytes = 0
        replay = undefined
      }
    }
    // Not a whole replay: it must not be taken for one.
    if (batch.length > 0 && replay === undefined) yield batch
  } finally {
    // The pending read may never settle; the owner of the messages stops it.
    coming.catch(() => undefined)
  }

  function isFull(message: SourceMessage): boolean {
    if (replay !== undefined) return message.sequence > replay
    return batch.length >= limits.messagesMax || bytes + message.data.length > limits.bytesMax
  }
}

async function nextOf(coming: Promise<IteratorResult<SourceMessage>>, waitMs: number | undefined): Promise<Next> {
  if (waitMs === undefined) return nextFrom(await coming)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), Math.max(waitMs, 0))
  })
  try {
    const first = await Promise.race([coming, late])
    return first === 'late' ? { kind: 'late' } : nextFrom(first)
  } finally {
    clearTimeout(timer)
  }
}

function nextFrom(result: IteratorResult<SourceMessage>): Next {
  return result.done === true ? { kind: 'end' } : { kind: 'message', message: result.value }
}
