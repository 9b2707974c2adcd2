import { readFileSync } from 'node:fs'
import {
  type BrandDirectory,
  type Clock,
  type ControlDirectory,
  type Credentials,
  type Logger,
  type Metrics,
  type Nats,
  systemClock,
} from '@stampede/platform'
import { AccessTokens } from './api/access-tokens.ts'
import type { ApiParts } from './api/call-api.ts'
import { GoogleHttp } from './api/http.ts'
import { startIssuerLanes } from './issuer-lanes.ts'
import { SentBook } from './messages/sent-book.ts'
import { createGoogleMetrics, type GoogleMetrics, statusClass } from './metrics.ts'
import { IssuerTurns } from './quota/issuer-turns.ts'
import { BatchRunner } from './resources/batch-run.ts'
import { isClassKind, isGoogleKind } from './resources/resource-json.ts'
import { classIdOf } from './resources/works.ts'

/** Where Google is and how much of it may be used. */
export interface GoogleConfig {
  /** Base of the API, such as https://walletobjects.googleapis.com. */
  readonly url: string
  /** Token endpoint; also the audience of what is sent there. */
  readonly tokenUrl: string
  /** File (PEM) of the authority to trust instead of the system's; undefined for those. */
  readonly caFile: string | undefined
  /** Calls per second that Google grants an issuer, at least 1: all replicas together make four fifths of them. */
  readonly maxPerSecond: number
}

/** What the Google side works with. */
export interface GoogleOptions {
  readonly nats: Nats
  readonly brands: BrandDirectory
  readonly credentials: Credentials
  readonly control: ControlDirectory
  readonly config: GoogleConfig
  readonly logger: Logger
  readonly metrics: Metrics
  /** Of claims and of notifications within a day; default the machine's. */
  readonly clock?: Clock
}

/**
 * Brings the desired states and messages on PUSH_GOOGLE to Google Wallet and reports the outcomes on PUSH_RESULT.
 * Disposing begins no call any more and waits for those in flight. Throws UNAVAILABLE without a broker, and when the CA
 * file is unreadable.
 */
export async function startGoogle(options: GoogleOptions): Promise<AsyncDisposable> {
  const { nats, brands, credentials, control, config, logger, clock = systemClock } = options
  await using stack = new AsyncDisposableStack()
  const metrics = createGoogleMetrics(options.metrics)
  const http = stack.use(new GoogleHttp(config.caFile === undefined ? undefined : readFileSync(config.caFile, 'utf8')))
  const stopping = new AbortController()
  const api = createApi(options, http, metrics)
  const book = new SentBook(nats, clock)
  const shared = { ...api, nats, clock, brands, credentials, logger, metrics, stopping: stopping.signal }
  const runner = new BatchRunner({
    ...shared,
    mayNotify: (work) => {
      const { resourceId: id, version } = work
      const { kind } = work
      // Refused before: nobody asks.
      if (!isGoogleKind(kind)) return Promise.resolve(false)
      return book.bookChange({ kind, id, classId: isClassKind(kind) ? id : classIdOf(work) }, version)
    },
  })
  const messages = { ...shared, control, book, perSecond: config.maxPerSecond }
  stack.use(await startIssuerLanes({ nats, brands, runner, messages, logger, metrics: options.metrics }))
  stack.defer(() => stopping.abort())
  const running = stack.move()
  return { [Symbol.asyncDispose]: () => running.disposeAsync() }
}

function createApi({ nats, config, logger }: GoogleOptions, http: GoogleHttp, metrics: GoogleMetrics): ApiParts {
  return {
    http,
    tokens: new AccessTokens(http, config.tokenUrl),
    turns: new IssuerTurns({
      nats,
      logger,
      perSecond: config.maxPerSecond,
      waited: (lane, ms) => metrics.turnSeconds.observe({ lane }, ms / 1_000),
    }),
    baseUrl: config.url.replace(/\/+$/, ''),
    called: (issuer, status, tookMs) => {
      metrics.calls.inc({ issuer, status: statusClass(status) })
      metrics.callSeconds.observe(tookMs / 1_000)
    },
  }
}
