import type { NextMsgRequest, StoredMsg } from '@nats-io/jetstream'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Nats } from './nats.ts'
import { fromNats } from './nats-errors.ts'
import { createDeadLetterMetrics } from './platform-metrics.ts'
import { streams, subjects } from './subjects.ts'

/** A message that nobody could handle, as it lies on the stream DEAD (for 30 days). */
export interface DeadLetter {
  /** Sequence in DEAD. */
  readonly sequence: number
  /** Where it was published first, and where a replay brings it. */
  readonly subject: string
  /** Stream that it was on. */
  readonly stream: string
  /** Durable consumer that gave it up. */
  readonly consumer: string
  /** Why. */
  readonly reason: string
  /** When it was given up. */
  readonly at: Date
  readonly payload: Uint8Array
}

/** Which dead letters are meant. */
export interface DeadLetterFilter {
  /** Pattern of the original subjects, with the wildcards of NATS (`push.bulk.*`, `ledger.>`); default all. */
  readonly subject?: string
}

/** What became of one dead letter. */
export type Replay = { readonly letter: DeadLetter } & (
  | { readonly ok: true }
  /** It stays on DEAD. */
  | { readonly ok: false; readonly reason: string }
)

/** How often the stream DEAD is looked at. */
const meterEveryMs = 10_000

/** The dead letters that are there now, oldest first, read one at a time. Throws UNAVAILABLE. */
export async function* listDeadLetters(nats: Nats, filter: DeadLetterFilter = {}): AsyncGenerator<DeadLetter> {
  const pattern = subjects.dead(filter.subject ?? '>')
  const { state } = await nats.manager.streams.info(streams.DEAD).catch(rethrow)
  // One that comes meanwhile is not shown: a letter that is replayed and dies again would be replayed for ever.
  for (let from = state.first_seq; from <= state.last_seq; ) {
    const message = await nextMessage(nats, from, pattern)
    if (message === undefined || message.seq > state.last_seq) return
    yield toLetter(message)
    from = message.seq + 1
  }
}

/**
 * Publishes dead letters where they were published first, `max` at most, and takes each off DEAD once the broker has
 * it. A replay that was broken off in between is recognised by its message id for two minutes. Every consumer of the
 * subject gets the message again, not only the one that gave it up; consumers bear repeats. Throws UNAVAILABLE.
 */
export async function* replayDeadLetters(
  nats: Nats,
  { max, ...filter }: DeadLetterFilter & { readonly max: number },
): AsyncGenerator<Replay> {
  let left = max
  for await (const letter of listDeadLetters(nats, filter)) {
    if (left <= 0) return
    left -= 1
    yield await replay(nats, letter)
  }
}

/** Takes dead letters off DEAD for good, `max` at most: those that no replay can help. Throws UNAVAILABLE. */
export async function* discardDeadLetters(
  nats: Nats,
  { max, ...filter }: DeadLetterFilter & { readonly max: number },
): AsyncGenerator<DeadLetter> {
  let left = max
  for await (const letter of listDeadLetters(nats, filter)) {
    if (left <= 0) return
    left -= 1
    await takeOff(nats, letter.sequence)
    yield letter
  }
}

/** Keeps the gauge `dead_letters_count`; one service of a platform does. Disposing ends it. */
export function meterDeadLetters(nats: Nats, metrics: Metrics, logger: Logger): Disposable {
  const { letters } = createDeadLetterMetrics(metrics)
  const measure = (): void => {
    nats.manager.streams.info(streams.DEAD).then(
      ({ state }) => letters.set(state.messages),
      (error: unknown) => logger.debug({ err: error }, 'the stream DEAD cannot be looked at'),
    )
  }
  measure()
  const timer = setInterval(measure, meterEveryMs)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

async function replay(nats: Nats, letter: DeadLetter): Promise<Replay> {
  const { sequence, subject, payload, at } = letter
  try {
    await nats.jetstream.publish(subject, payload, { msgID: `replay-${sequence}-${at.getTime()}` })
  } catch (error) {
    return {
      letter,
      ok: false,
      reason: `no stream takes it: ${error instanceof Error ? error.message : String(error)}`,
    }
  }
  await takeOff(nats, sequence)
  return { letter, ok: true }
}

async function takeOff(nats: Nats, sequence: number): Promise<void> {
  try {
    await nats.manager.streams.deleteMessage(streams.DEAD, sequence, false)
  } catch (error) {
    // Somebody else may have taken it at the same time.
    const left = await nats.manager.streams.getMessage(streams.DEAD, { seq: sequence }).catch(rethrow)
    if (left !== null) throw fromNats(error)
  }
}

async function nextMessage(nats: Nats, seq: number, pattern: string): Promise<StoredMsg | undefined> {
  const query: NextMsgRequest & { readonly seq: number } = { seq, next_by_subj: pattern }
  return (await nats.manager.streams.getMessage(streams.DEAD, query).catch(rethrow)) ?? undefined
}

function toLetter(message: StoredMsg): DeadLetter {
  return {
    sequence: message.seq,
    subject: message.subject.slice(subjects.dead('').length),
    stream: message.header.get('Stampede-Stream'),
    consumer: message.header.get('Stampede-Consumer'),
    reason: message.header.get('Stampede-Reason'),
    at: message.time,
    payload: message.data,
  }
}

function rethrow(error: unknown): never {
  throw fromNats(error)
}
