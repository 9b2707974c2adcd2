import { readFileSync } from 'node:fs'
import {
  type BrandDirectory,
  type Credentials,
  type Logger,
  type Metrics,
  type Nats,
  startConsumer,
  streams,
} from '@stampede/platform'
import { AccessTokens } from './access-tokens.ts'
import { BatchRunner } from './batch-run.ts'
import { GoogleHttp } from './http.ts'
import { IssuerGates } from './issuer-gates.ts'
import { createGoogleMetrics, statusClass } from './metrics.ts'

/** Works in hand at most: two per call that may be in flight. */
const BATCH_MAX = 40
/** How long one request for works stands, in milliseconds. */
const EXPIRES_MS = 5_000
/** Shared by all replicas. */
const DURABLE = 'dispatcher-google'

/** Where Google is and how much of it may be used. */
export interface GoogleConfig {
  /** Base of the API, such as https://walletobjects.googleapis.com. */
  readonly url: string
  /** Token endpoint; also the audience of what is sent there. */
  readonly tokenUrl: string
  /** File (PEM) of the authority to trust instead of the system's; undefined for those. */
  readonly caFile: string | undefined
  /** Calls per second of one issuer from this process, at least 1. */
  readonly maxPerSecond: number
}

/** What the Google side works with. */
export interface GoogleOptions {
  readonly nats: Nats
  readonly brands: BrandDirectory
  readonly credentials: Credentials
  readonly config: GoogleConfig
  readonly logger: Logger
  readonly metrics: Metrics
}

/**
 * Writes the desired states on PUSH_GOOGLE to Google Wallet and reports the outcomes on PUSH_RESULT. Disposing begins
 * no call any more and waits for those in flight. Throws UNAVAILABLE without a broker, and when the CA file is unreadable.
 */
export async function startGoogle(options: GoogleOptions): Promise<AsyncDisposable> {
  const { nats, brands, credentials, config, logger } = options
  await using stack = new AsyncDisposableStack()
  const metrics = createGoogleMetrics(options.metrics)
  const http = stack.use(new GoogleHttp(config.caFile === undefined ? undefined : readFileSync(config.caFile, 'utf8')))
  const stopping = new AbortController()
  const runner = new BatchRunner(
    {
      nats,
      brands,
      credentials,
      logger,
      metrics,
      http,
      tokens: new AccessTokens(http, config.tokenUrl),
      gates: new IssuerGates(config.maxPerSecond),
      baseUrl: config.url.replace(/\/+$/, ''),
      called: (issuer, status, tookMs) => {
        metrics.calls.inc({ issuer, status: statusClass(status) })
        metrics.callSeconds.observe(tookMs / 1_000)
      },
    },
    stopping.signal,
  )
  stack.use(
    await startConsumer({
      nats,
      stream: streams.PUSH_GOOGLE,
      durable: DURABLE,
      filterSubjects: ['push.google.>'],
      batchMax: BATCH_MAX,
      expiresMs: EXPIRES_MS,
      logger,
      metrics: options.metrics,
      handle: (batch) => runner.handle(batch),
    }),
  )
  stack.defer(() => stopping.abort())
  const running = stack.move()
  return { [Symbol.asyncDispose]: () => running.disposeAsync() }
}
