import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  buckets,
  connectNats,
  createLogger,
  credentialShard,
  ensureStreams,
  type Nats,
  subjects,
} from '@stampede/platform'
import { platformEnv, type TempDir, type TestNats, tempDir, testNats, until } from '@stampede/platform/testing'
import { PushChunk, PushResult } from '@stampede/proto/push/v1'
import { type Campaign, chunkIds, encodeChunk, makeCampaign } from './campaign.ts'
import { Replica } from './replica.ts'
import { SandboxProcess } from './sandbox-process.ts'
import { type PushTally, type ResultTally, tallyPushes, tallyResults } from './tally.ts'

/** Size of a run. */
export interface RigOptions {
  /** Recipients of all brands together. */
  readonly recipients: number
  readonly chunkSize: number
  /** Pushes per second and replica: stretches the campaign so that blows meet it. */
  readonly perSecond: number
}

/** What the run came to. */
export interface Finished {
  readonly pushes: PushTally
  readonly results: ResultTally
  /** Pushes whose outcome a lost connection took, as the dispatchers counted them. */
  readonly unknown: number
  /** Messages on the stream DEAD. */
  readonly dead: number
}

/** Brands whose campaigns run side by side. */
const brands = ['amber', 'birch']
/** Dispatcher processes. */
export const REPLICAS = 2
const DRAIN_MS = 280_000

/** Real processes around two campaigns: nats-server, the sandbox, two dispatchers. */
export class CampaignRig implements AsyncDisposable {
  readonly campaigns: readonly Campaign[]
  readonly natsServer: TestNats
  readonly sandbox: SandboxProcess
  readonly replicas: readonly Replica[]
  readonly #nats: Nats
  readonly #owned: AsyncDisposableStack

  private constructor(
    parts: Pick<CampaignRig, 'campaigns' | 'natsServer' | 'sandbox' | 'replicas'>,
    nats: Nats,
    owned: AsyncDisposableStack,
  ) {
    this.campaigns = parts.campaigns
    this.natsServer = parts.natsServer
    this.sandbox = parts.sandbox
    this.replicas = parts.replicas
    this.#nats = nats
    this.#owned = owned
  }

  /** Starts everything; nothing is enqueued yet. */
  static async start({ recipients, chunkSize, perSecond }: RigOptions): Promise<CampaignRig> {
    await using stack = new AsyncDisposableStack()
    const dir = stack.use(tempDir('campaign'))
    const natsServer = stack.use(await testNats())
    const nats = stack.use(
      await connectNats({ url: natsServer.url, name: 'rig', logger: createLogger('rig', 'silent') }),
    )
    await ensureStreams(nats)
    const sandbox = stack.use(await SandboxProcess.start(join(dir.path, 'sandbox')))
    const campaigns = brands.map((brand) => makeCampaign(brand, recipients / brands.length, chunkSize))
    for (const campaign of campaigns) await announce(campaign, { nats, sandbox, dir })
    const env = platformEnv({
      nats: natsServer,
      extra: {
        STAMPEDE_CREDENTIALS_DIR: dir.path,
        STAMPEDE_APNS_URL: sandbox.apnsUrl,
        STAMPEDE_APNS_CA: sandbox.authority.webRootPath,
        STAMPEDE_DISPATCHER_MAX_PER_SECOND: String(perSecond),
      },
    })
    const starting = Array.from({ length: REPLICAS }, () => Replica.start(env))
    stack.defer(async () => {
      for (const started of await Promise.allSettled(starting))
        if (started.status === 'fulfilled') await started.value[Symbol.asyncDispose]()
    })
    const replicas = await Promise.all(starting)
    return new CampaignRig({ campaigns, natsServer, sandbox, replicas }, nats, stack.move())
  }

  /** Puts all chunks on the queue, the brands in turn. */
  async enqueue(): Promise<void> {
    const { jetstream } = this.#nats
    const all = this.campaigns.flatMap((campaign) => chunkIds(campaign).map((id, index) => ({ campaign, id, index })))
    for (const { campaign, id, index } of all.sort((a, b) => a.index - b.index))
      await jetstream.publish(subjects.pushBulk(campaign.brand), encodeChunk(campaign, index, id))
  }

  /** Results and waiting chunks now. A chunk that is finished meanwhile is in both, one that is lost in neither. */
  async results(): Promise<ResultTally> {
    // After the broker was killed this connection, too, has to find it again.
    await until(
      'NATS is back',
      () =>
        this.#nats.isConnected() &&
        this.#left().then(
          () => true,
          () => false,
        ),
    )
    const waiting = (await this.#read('PUSH_BULK')).map((data) => PushChunk.decode(data).chunkId)
    const results = (await this.#read('PUSH_RESULT')).map((data) => PushResult.decode(data))
    return tallyResults(results, new Set(waiting), this.campaigns)
  }

  /** Waits until no chunk is left on the queue. */
  async drained(): Promise<void> {
    await until('the queue is empty', async () => (await this.#left().catch(() => Number.NaN)) === 0, DRAIN_MS)
  }

  /** Ends all processes in good order and counts. */
  async finish(): Promise<Finished> {
    const unknown = await Promise.all(this.replicas.map((replica) => replica.unknown()))
    await Promise.all(this.replicas.map((replica) => replica.end('SIGTERM')))
    const dead = (await this.#read('DEAD')).length
    const results = await this.results()
    const pushes = await tallyPushes(await this.sandbox.endAndRead(), this.campaigns)
    return { pushes, results, unknown: unknown.reduce((sum, one) => sum + one, 0), dead }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync()
  }

  async #left(): Promise<number> {
    const { state } = await this.#nats.manager.streams.info('PUSH_BULK')
    return state.messages
  }

  /** All messages of a stream that are there now. */
  async #read(stream: 'PUSH_BULK' | 'PUSH_RESULT' | 'DEAD'): Promise<readonly Uint8Array[]> {
    const { streams } = this.#nats.manager
    const { state } = await streams.info(stream)
    const found: Uint8Array[] = []
    for (let seq = state.first_seq; seq <= state.last_seq && state.messages > 0; seq++) {
      // One that was taken off meanwhile is not there any more.
      const message = await streams.getMessage(stream, { seq })
      if (message !== null) found.push(message.data)
    }
    return found
  }
}

/** Makes a brand and its phones known to everybody. */
async function announce(
  { brand, topic, seed, recipients }: Campaign,
  { nats, sandbox, dir }: { readonly nats: Nats; readonly sandbox: SandboxProcess; readonly dir: TempDir },
): Promise<void> {
  const { leafPem, wwdrPem, keyPem } = sandbox.authority.issuePassCertificate({
    passTypeId: topic,
    teamId: 'DRILLTEAM1',
  })
  const folder = join(dir.path, credentialShard(brand))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${brand}.apple.pem`), `${leafPem}\n${wwdrPem}\n${keyPem}`)
  await sandbox.addTokens(seed, topic, recipients)
  const bucket = await nats.kv(buckets.brands)
  await bucket.put(brand, JSON.stringify({ brand, name: brand, passTypeId: topic, weight: 10, maxBulkPerSecond: 0 }))
}
