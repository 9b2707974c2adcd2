import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Certificates, CLIENT_CPU, type Sink, startSink } from '@stampede/h2push/bench'
import {
  buckets,
  connectNats,
  createLogger,
  credentialShard,
  ensureStreams,
  type Nats,
  streams,
  subjects,
} from '@stampede/platform'
import { platformEnv, type TempDir, type TestNats, tempDir, testNats } from '@stampede/platform/testing'
import { PushResult } from '@stampede/proto/push/v1'
import { CHUNK_RECIPIENTS, encodeChunk, topicOf } from './campaign.ts'
import { Dispatcher } from './dispatcher.ts'

/** What is around the dispatchers. */
export interface RigOptions {
  readonly sinkPath: string
  readonly certificates: Certificates
  /** Slugs that will be used: their credentials are there from the start. */
  readonly brands: readonly string[]
  /** Default 0. */
  readonly latencyMs?: number
  /** SETTINGS_MAX_CONCURRENT_STREAMS of the sink; default 1,000. */
  readonly streams?: number
  /** Coalesced into full TLS records (default), or one TLS record per response. */
  readonly shape?: 'coalesced' | 'record'
}

/** A stored result. */
export interface StoredResult {
  readonly subject: string
  readonly result: PushResult
}

/** Publications on their way at once while a campaign is fed. */
const FEEDING_MAX = 8
const pollMs = 20
/** How long a dispatcher's request for messages stands, and a little more. */
const requestMs = 5_500
const doneDeadlineMs = 300_000

/** nats-server with JetStream and a sink; both, and this process, share the core that the dispatchers do not have. */
export class Rig implements AsyncDisposable {
  readonly sink: Sink
  readonly natsServer: TestNats
  readonly nats: Nats
  readonly #env: NodeJS.ProcessEnv
  readonly #owned: AsyncDisposableStack
  #campaigns = 0

  private constructor(
    parts: Pick<Rig, 'sink' | 'natsServer' | 'nats'>,
    env: NodeJS.ProcessEnv,
    owned: AsyncDisposableStack,
  ) {
    this.sink = parts.sink
    this.natsServer = parts.natsServer
    this.nats = parts.nats
    this.#env = env
    this.#owned = owned
  }

  /** Starts all of it; no brand is known yet. */
  static async start({ sinkPath, certificates, brands, ...behaviour }: RigOptions): Promise<Rig> {
    await using stack = new AsyncDisposableStack()
    const dir = stack.use(tempDir('dispatcher-bench'))
    const options = { path: sinkPath, certificates, clientCertificates: true, ...behaviour }
    const sink = stack.use(await startSink(options))
    const natsServer = stack.use(await testNats())
    const nats = stack.use(
      await connectNats({ url: natsServer.url, name: 'bench', logger: createLogger('bench', 'silent') }),
    )
    await ensureStreams(nats)
    for (const brand of brands) putCredential(dir, brand, certificates)
    const env = platformEnv({
      nats: natsServer,
      extra: {
        STAMPEDE_CREDENTIALS_DIR: dir.path,
        STAMPEDE_APNS_URL: `https://localhost:${sink.port}`,
        STAMPEDE_APNS_CA: certificates.authority,
        STAMPEDE_LOG_LEVEL: 'error',
      },
    })
    return new Rig({ sink, natsServer, nats }, env, stack.move())
  }

  /** Starts a dispatcher on the core of the clients. */
  dispatcher(): Promise<Dispatcher> {
    return Dispatcher.start(this.#env, CLIENT_CPU)
  }

  /** Puts a campaign on the queue; nobody reads it before the brand is announced. */
  async feed(brand: string, recipients: number): Promise<void> {
    const onWay = new Set<Promise<unknown>>()
    this.#campaigns += 1
    for (let first = 0; first < recipients; first += CHUNK_RECIPIENTS) {
      const count = Math.min(CHUNK_RECIPIENTS, recipients - first)
      const payload = encodeChunk(brand, `bench-${this.#campaigns}/${first}/0of1`, first, count)
      const publication: Promise<unknown> = this.nats.jetstream
        .publish(subjects.pushBulk(brand), payload)
        .finally(() => onWay.delete(publication))
      onWay.add(publication)
      if (onWay.size >= FEEDING_MAX) await Promise.race(onWay)
    }
    await Promise.all(onWay)
  }

  /** Makes a brand known: the dispatchers begin to send. Returns when, in Unix milliseconds. */
  async announce(brand: string): Promise<number> {
    const bucket = await this.nats.kv(buckets.brands)
    const startedAtMs = Date.now()
    const info = { brand, name: brand, passTypeId: topicOf(brand), weight: 10, maxBulkPerSecond: 0 }
    await bucket.put(brand, JSON.stringify(info))
    return startedAtMs
  }

  /** Lets nobody know the brands any more, so that their next campaigns can be fed; their connections stay. */
  async withdraw(brands: readonly string[]): Promise<void> {
    const bucket = await this.nats.kv(buckets.brands)
    for (const brand of brands) await bucket.delete(brand)
    // A request for messages that was broken off could still swallow some.
    await sleep(requestMs)
  }

  /** Waits until so many results of a brand are stored; returns when the last one was, in Unix milliseconds. */
  async stored(brand: string, results: number): Promise<number> {
    const subject = subjects.pushResult(brand)
    const deadlineAtMs = performance.now() + doneDeadlineMs
    for (;;) {
      const { state } = await this.nats.manager.streams.info(streams.PUSH_RESULT, { subjects_filter: subject })
      if ((state.subjects?.[subject] ?? 0) >= results) break
      if (performance.now() > deadlineAtMs) throw new Error(`only ${state.messages} results of ${brand} came`)
      await sleep(pollMs)
    }
    const last = await this.nats.manager.streams.getMessage(streams.PUSH_RESULT, { last_by_subj: subject })
    return last === null ? 0 : Date.parse(last.time.toISOString())
  }

  /** Reads all stored results. */
  async *results(): AsyncGenerator<StoredResult> {
    const { state } = await this.nats.manager.streams.info(streams.PUSH_RESULT)
    if (state.messages === 0) return
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await this.nats.manager.streams.getMessage(streams.PUSH_RESULT, { seq })
      if (message !== null) yield { subject: message.subject, result: PushResult.decode(message.data) }
    }
  }

  /** Forgets all results. */
  async clear(): Promise<void> {
    await this.nats.manager.streams.purge(streams.PUSH_RESULT)
    this.sink.resetStats()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync()
  }
}

/** Chunks of a campaign. */
export function chunksOf(recipients: number): number {
  return Math.ceil(recipients / CHUNK_RECIPIENTS)
}

function putCredential(dir: TempDir, brand: string, { authority, clients }: Certificates): void {
  const folder = join(dir.path, credentialShard(brand))
  mkdirSync(folder, { recursive: true })
  const [{ cert, key }] = clients
  const text = [cert, authority, key].map((file) => readFileSync(file, 'utf8')).join('\n')
  writeFileSync(join(folder, `${brand}.apple.pem`), text)
}
