import {
  type BrandDirectory,
  fromNats,
  type Logger,
  type Metrics,
  type Nats,
  startConsumer,
  streams,
  subjects,
} from '@stampede/platform'
import { WorkReader } from '../jobs/work-reader.ts'
import { handleMessage, type MessageParts } from './messages/message-lane.ts'
import { pause } from './pause.ts'
import type { BatchRunner } from './resources/batch-run.ts'
import { googleKinds } from './resources/resource-json.ts'

/** Desired states in hand at most, for one issuer. */
const BATCH_MAX = 40
/** Messages to classes, and to lists of objects, in hand at most: a list makes up to 32 calls at once. */
const BROADCASTS_MAX = 4
const LISTS_MAX = 2
/** How long one request for works stands, in milliseconds. */
const EXPIRES_MS = 5_000
/** Wait before a consumer that could not be started is tried again, in milliseconds. */
const RESTART_MS = 1_000
/** The consumer of all issuers that earlier versions had; the queue allows no two for one work. */
const FORMER_DURABLE = 'dispatcher-google'

/** What the lanes of all issuers share. */
export interface LanesParts {
  readonly nats: Nats
  readonly brands: BrandDirectory
  readonly runner: BatchRunner
  readonly messages: MessageParts
  readonly logger: Logger
  readonly metrics: Metrics
}

/**
 * Works for the issuer of each brand in the directory, new ones included: each has consumers, batches and a quota of
 * its own, so that one that is slow, refused or busy holds up nobody else. Works of an issuer that no brand has wait on
 * the stream. Disposing waits for what is in hand.
 */
export async function startIssuerLanes(parts: LanesParts): Promise<AsyncDisposable> {
  await endFormerConsumer(parts.nats)
  const running = new Map<string, AsyncDisposable>()
  const follow = (issuer: string): void => {
    // An issuer whose brand goes away keeps its lanes: it costs nothing, and its last works are done.
    if (issuer !== '' && !running.has(issuer)) running.set(issuer, startLanes(issuer, parts))
  }
  let isEnding = false
  for (const { googleIssuerId } of parts.brands.list()) follow(googleIssuerId)
  parts.brands.onChange((_brand, info) => {
    if (!isEnding && info !== undefined) follow(info.googleIssuerId)
  })
  return {
    [Symbol.asyncDispose]: async () => {
      isEnding = true
      await Promise.all([...running.values()].map((lanes) => lanes[Symbol.asyncDispose]()))
    },
  }
}

async function endFormerConsumer(nats: Nats): Promise<void> {
  try {
    await nats.manager.consumers.delete(streams.PUSH_GOOGLE, FORMER_DURABLE)
  } catch (error) {
    // Almost always it is not there; a broker that is away says so to the next caller as well.
    if (!nats.isConnected()) throw fromNats(error)
  }
}

function startLanes(issuer: string, parts: LanesParts): AsyncDisposable {
  const stack = new AsyncDisposableStack()
  stack.use(startWrites(issuer, parts))
  stack.use(startMessages(issuer, 'broadcast', subjects.googleBroadcast(issuer, '*'), BROADCASTS_MAX, parts))
  stack.use(startMessages(issuer, 'message', subjects.googleMessage(issuer, '*'), LISTS_MAX, parts))
  return stack
}

function startMessages(
  issuer: string,
  name: string,
  filterSubject: string,
  concurrency: number,
  { nats, logger, messages }: LanesParts,
): AsyncDisposable {
  const { metrics } = messages
  return new WorkReader({
    nats,
    stream: streams.PUSH_GOOGLE,
    durable: `google-${name}-${issuer}`,
    filterSubject,
    concurrency,
    logger,
    handle: ({ data }) => handleMessage(data, issuer, messages),
    buried: () => metrics.buried.inc({ issuer }),
    taken: (ageMs) => metrics.queueSeconds.observe({ queue: name }, ageMs / 1_000),
    oldest: (ageMs) => metrics.oldestSeconds.set({ issuer, queue: name }, ageMs / 1_000),
  })
}

/** The consumer of desired states, started as soon as the broker allows. */
function startWrites(issuer: string, parts: LanesParts): AsyncDisposable {
  const stopping = new AbortController()
  const started = insistOnWrites(issuer, parts, stopping.signal)
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      await (await started)?.[Symbol.asyncDispose]()
    },
  }
}

async function insistOnWrites(
  issuer: string,
  { nats, runner, logger, metrics }: LanesParts,
  signal: AbortSignal,
): Promise<AsyncDisposable | undefined> {
  while (!signal.aborted) {
    try {
      return await startConsumer({
        nats,
        stream: streams.PUSH_GOOGLE,
        durable: `google-${issuer}`,
        filterSubjects: googleKinds.map((kind) => subjects.google(issuer, kind, '*')),
        batchMax: BATCH_MAX,
        expiresMs: EXPIRES_MS,
        logger,
        metrics,
        handle: (batch) => runner.handle(issuer, batch),
      })
    } catch (error) {
      logger.warn({ err: error, issuer }, 'the queue of an issuer cannot be read, trying again')
      await pause(RESTART_MS, signal)
    }
  }
  return undefined
}
