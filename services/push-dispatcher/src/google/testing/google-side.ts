import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type BrandInfo,
  type CampaignControl,
  type Clock,
  connectNats,
  ensureStreams,
  type GoogleCredential,
  type Nats,
  streams,
  subjects,
} from '@stampede/platform'
import { type TestNats, tempDir, testNats, testParts, until } from '@stampede/platform/testing'
import {
  GoogleMessage,
  GoogleMessageOutcome,
  GoogleMessageResult,
  GoogleResult,
  GoogleWork,
} from '@stampede/proto/push/v1'
import type { GoogleFaults, Sandbox } from '@stampede/sandbox'
import { startTestSandbox } from '@stampede/sandbox/testing'
import { startGoogle } from '../index.ts'
import { isGoogleKind } from '../resources/resource-json.ts'
import { type ReplicaWorld, replicaOptions, worldArgument } from './replica.ts'

/** Issuer of the brand `demo`. */
export const issuer = '3388000000012345678'
/** Class of its cards. */
export const classId = `${issuer}.demo-v1`
/** What a class must have. */
export const classFields = {
  issuerName: 'Demo',
  programName: 'Demo Club',
  programLogo: { sourceUri: { uri: 'https://example.com/logo.png' } },
  reviewStatus: 'UNDER_REVIEW',
}
/** What an object must have. */
export const objectFields = { classId, state: 'ACTIVE' }

/** A broker, a strict stand-in for Google, and as many replicas of the Google side as a test starts. */
export class GoogleSide implements AsyncDisposable {
  readonly nats: Nats
  readonly natsServer: TestNats
  sandbox: Sandbox
  results: GoogleResult[] = []
  messageResults: GoogleMessageResult[] = []
  readonly infos = new Map<string, BrandInfo>()
  readonly accounts = new Map<string, GoogleCredential>()
  readonly controls = new Map<string, CampaignControl>()
  readonly #dir = tempDir('google')
  readonly #running: AsyncDisposable[] = []

  private constructor(natsServer: TestNats, nats: Nats, sandbox: Sandbox) {
    this.natsServer = natsServer
    this.nats = nats
    this.sandbox = sandbox
    nats.connection.subscribe(subjects.googleResult('*'), {
      callback: (_error, message) => {
        this.results.push(GoogleResult.decode(message.data))
      },
    })
    nats.connection.subscribe(subjects.googleMessageResult('*'), {
      callback: (_error, message) => {
        this.messageResults.push(GoogleMessageResult.decode(message.data))
      },
    })
  }

  static async start(): Promise<GoogleSide> {
    const natsServer = await testNats()
    const nats = await connectNats({ url: natsServer.url, name: 'test', logger: testParts().logger })
    await ensureStreams(nats)
    return new GoogleSide(natsServer, nats, await startTestSandbox())
  }

  /** Everything new but the broker, whose queues are emptied. */
  async renew(faults: Partial<GoogleFaults> = {}): Promise<void> {
    await this.stop()
    await this.sandbox[Symbol.asyncDispose]()
    for (const stream of [streams.PUSH_GOOGLE, streams.PUSH_RESULT, 'KV_google'])
      await this.nats.manager.streams.purge(stream)
    this.sandbox = await startTestSandbox({ faults: { google: faults } })
    this.results = []
    this.messageResults = []
    for (const map of [this.infos, this.accounts, this.controls]) map.clear()
    this.addBrand('demo', issuer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await this.sandbox[Symbol.asyncDispose]()
    await this.nats[Symbol.asyncDispose]()
    await this.natsServer[Symbol.asyncDispose]()
    this.#dir[Symbol.dispose]()
  }

  addBrand(brand: string, googleIssuerId: string, account = this.sandbox.serviceAccount(googleIssuerId)): void {
    const push = {
      pushType: 'background',
      pushPriority: 5,
      pushExpirationSeconds: 0,
      maxBulkPerSecond: 0,
      domain: '',
    } as const
    const rest = { timeZone: 'UTC', currency: 'EUR', passTypeId: '', teamId: '', contact: '', ...push }
    this.infos.set(brand, { brand, name: brand, googleIssuerId, weight: 10, ...rest })
    this.accounts.set(brand, account)
  }

  /** Starts a replica in this process, with a connection of its own to the broker. */
  async startReplica(maxPerSecond: number, { clock }: { readonly clock?: Clock } = {}): Promise<void> {
    const stack = new AsyncDisposableStack()
    this.#running.push(stack)
    const nats = stack.use(await connectNats({ url: this.natsServer.url, name: 'replica', logger: testParts().logger }))
    stack.use(await startGoogle({ nats, ...replicaOptions(this.#world(maxPerSecond)), ...(clock && { clock }) }))
  }

  /** Starts a replica as a process of its own; disposing kills it as hard as possible. */
  spawnReplica(maxPerSecond: number): AsyncDisposable {
    const file = new URL('./replica.ts', import.meta.url).pathname
    const argument = worldArgument(this.natsServer.url, this.#world(maxPerSecond))
    const child = spawn(process.execPath, [file, argument], { stdio: 'inherit' })
    const exited = once(child, 'exit')
    return {
      [Symbol.asyncDispose]: async () => {
        child.kill('SIGKILL')
        await exited
      },
    }
  }

  #world(maxPerSecond: number): ReplicaWorld {
    const url = `https://localhost:${this.sandbox.googlePort}`
    const caFile = join(this.#dir.path, 'ca.pem')
    writeFileSync(caFile, this.sandbox.authority.webRootPem)
    const { infos, accounts, controls } = this
    return { config: { url, tokenUrl: `${url}/token`, caFile, maxPerSecond }, infos, accounts, controls }
  }

  /** Ends all replicas. */
  async stop(): Promise<void> {
    for (const one of this.#running.splice(0)) await one[Symbol.asyncDispose]()
  }

  /** Publishes a desired state, in the queue of its kind; one that does not exist is put among loyalty's. */
  async want(id: string, version: bigint, fields: object, more: Partial<GoogleWork> = {}): Promise<void> {
    const work = GoogleWork.fromPartial({
      brand: 'demo',
      issuerId: id.split('.')[0] ?? '',
      kind: 'classId' in fields ? 'loyaltyObject' : 'loyaltyClass',
      resourceId: id,
      version,
      resourceJson: JSON.stringify({ id, ...fields }),
      createdAt: new Date(),
      ...more,
    })
    const queue = isGoogleKind(work.kind) ? work.kind : 'loyaltyObject'
    await this.nats.jetstream.publish(subjects.google(work.issuerId, queue, id), GoogleWork.encode(work).finish())
  }

  /** Publishes a message; it lives an hour unless it says otherwise. */
  async send(messageId: string, more: Partial<GoogleMessage> = {}): Promise<void> {
    const createdAt = new Date()
    const message = GoogleMessage.fromPartial({
      messageId,
      brand: 'demo',
      issuerId: issuer,
      classId,
      header: 'Black Friday',
      body: 'All shoes for half the price',
      createdAt,
      expiresAt: new Date(createdAt.getTime() + 3_600_000),
      ...more,
    })
    const subjectOf = message.objectIds.length === 0 ? subjects.googleBroadcast : subjects.googleMessage
    const payload = GoogleMessage.encode(message).finish()
    await this.nats.jetstream.publish(subjectOf(message.issuerId, messageId), payload)
  }

  /** Puts a class and its objects there without any call; they get ids `<issuer>.<name>-<index>`. */
  seed(name: string, count: number, ofIssuer = issuer): readonly string[] {
    const { store } = this.sandbox.google
    const ofClass = `${ofIssuer}.demo-v1`
    const put = (kind: 'loyaltyClass' | 'loyaltyObject', id: string, resource: object): void =>
      store.commit({ kind, id, resource: { id, ...resource }, notifying: false }, Date.now())
    put('loyaltyClass', ofClass, classFields)
    const ids = Array.from({ length: count }, (_, index) => `${ofIssuer}.${name}-${index}`)
    for (const id of ids) put('loyaltyObject', id, { classId: ofClass, state: 'ACTIVE' })
    return ids
  }

  /** Ids of the messages that Google has on a resource, without our prefix. */
  messagesOn(id: string): readonly string[] {
    const kind = id === classId ? 'loyaltyClass' : 'loyaltyObject'
    const messages = (this.sandbox.google.store.get(kind, id)?.['messages'] ?? []) as readonly { readonly id: string }[]
    return messages.map((message) => message.id.replace(/^stampede-/, ''))
  }

  /** What became of a message, by recipient; the newest result counts. */
  outcomes(messageId: string): ReadonlyMap<string, string> {
    const names = new Map(Object.entries(GoogleMessageOutcome).map(([name, value]) => [value, name] as const))
    const outcomes = new Map<string, string>()
    for (const result of this.messageResults) {
      if (result.messageId !== messageId) continue
      for (const [index, id] of result.resourceIds.entries()) {
        const name = names.get(result.outcomes[index] ?? 0) ?? ''
        const reason = result.reasons[result.reasonIndex[index] ?? 0] ?? ''
        outcomes.set(id, `${name.replace('GOOGLE_MESSAGE_OUTCOME_', '').toLowerCase()} ${reason}`.trim())
      }
    }
    return outcomes
  }

  /** Waits until so many recipients of a message have an outcome. */
  async reported(messageId: string, count: number, deadlineMs?: number): Promise<ReadonlyMap<string, string>> {
    await until(`${messageId} is reported`, () => this.outcomes(messageId).size === count, deadlineMs)
    return this.outcomes(messageId)
  }

  async queued(): Promise<number> {
    return (await this.nats.manager.streams.info(streams.PUSH_GOOGLE)).state.messages
  }

  /** Calls of the stand-in by status. */
  statuses(): Readonly<Record<string, number>> {
    return this.sandbox.google.statistics().byStatus
  }
}
