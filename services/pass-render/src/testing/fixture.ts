import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { createTestAuthority, type IssueRequest, type TestAuthority, testPng } from '@stampede/pkpass/testing'
import {
  type BrandInfo,
  connectNats,
  createClient,
  createLogger,
  credentialShard,
  type Database,
  ensureStreams,
  makeEvent,
  type Nats,
  openDatabase,
  readPlatformConfig,
  type ServiceClient,
  subjects,
  uuidv7,
} from '@stampede/platform'
import { platformEnv, tempDir, testKeys, testNats, testPostgres, testTls, until } from '@stampede/platform/testing'
import { AccountState, MemberState } from '@stampede/proto/events/v1'
import { PassesServiceService } from '@stampede/proto/passes/v1'
import { PushChunk } from '@stampede/proto/push/v1'
import { Template } from '@stampede/proto/templates/v1'
import { type RunningPassRender, startPassRender } from '../service.ts'

/** A brand for tests. */
export function testBrand(slug: string): BrandInfo {
  return {
    brand: slug,
    name: `Brand ${slug}`,
    timeZone: 'Europe/London',
    currency: 'GBP',
    passTypeId: `pass.test.${slug}`,
    teamId: 'ABCDE12345',
    googleIssuerId: '3388000000012345678',
    weight: 10,
    maxBulkPerSecond: 0,
    contact: `help@${slug}.test`,
    pushType: 'background',
    pushPriority: 5,
    pushExpirationSeconds: 86_400,
    domain: '',
  }
}

/** A small valid design. */
export function testTemplate(change: Partial<Template> = {}): Template {
  return Template.fromPartial({
    backgroundColor: 0x112233,
    foregroundColor: 0xffffff,
    labelColor: 0xcccccc,
    logoText: 'Demo',
    primaryFields: [{ key: 'points', label: 'Points', value: '{points}', changeMessage: 'Now %@', kind: 'number' }],
    secondaryFields: [{ key: 'worth', label: 'Worth', value: '{points_money}' }],
    backFields: [{ key: 'number', label: 'Card', value: '{card_number}' }],
    images: { 'icon.png': testPng(38, 38, 0x336699), 'logo.png': testPng(160, 50, 0x336699) },
    barcodeFormats: ['code128', 'qr'],
    ...change,
  })
}

/** An answer of the web service. */
export interface WebAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** The service on real parts, with a client, a phone's HTTP and the events of other services. */
export class Fixture {
  readonly service: RunningPassRender
  readonly client: ServiceClient<typeof PassesServiceService>
  readonly nats: Nats
  readonly database: Database
  /** Root that signed passes lead to. */
  readonly rootPem: string
  readonly #credentials: TestCredentials
  readonly #caPem: string
  readonly #stack: AsyncDisposableStack
  #version = 0n

  private constructor(parts: FixtureParts) {
    this.service = parts.service
    this.client = parts.client
    this.nats = parts.nats
    this.database = parts.database
    this.rootPem = parts.credentials.authority.rootPem
    this.#credentials = parts.credentials
    this.#caPem = parts.caPem
    this.#stack = parts.stack
  }

  /** Starts everything for the brands given; `nfc`: their certificates are NFC ones. */
  static async start(
    brands: readonly BrandInfo[],
    extra: Readonly<Record<string, string>> = {},
    { nfc = false }: { readonly nfc?: boolean } = {},
  ): Promise<Fixture> {
    await using stack = new AsyncDisposableStack()
    const postgres = stack.use(await testPostgres())
    const server = stack.use(await testNats())
    const tls = stack.use(testTls())
    const { path: credentialsDir } = stack.use(tempDir('credentials'))
    const keys = testKeys()
    const credentials = { dir: credentialsDir, authority: await createTestAuthority(new Date()) }
    await writeCredentials(credentials, brands, nfc)
    const env = platformEnv({
      postgres,
      nats: server,
      keys,
      extra: {
        STAMPEDE_PASS_RENDER_WEB_CERT: tls.certFile,
        STAMPEDE_PASS_RENDER_WEB_KEY: tls.keyFile,
        STAMPEDE_PASS_RENDER_MASTER_KEY: randomBytes(32).toString('hex'),
        STAMPEDE_CREDENTIALS_DIR: credentialsDir,
        ...extra,
      },
    })
    const logger = createLogger('fixture', 'silent')
    const nats = stack.use(await connectNats({ url: server.url, name: 'fixture', logger }))
    await ensureStreams(nats)
    const bucket = await nats.kv('brands')
    for (const brand of brands) await bucket.put(brand.brand, JSON.stringify(brand))
    const service = stack.use(await startPassRender(env))
    const address = `127.0.0.1:${service.grpcPort}`
    const settings = { address, apiKey: keys.rootKey, platform: readPlatformConfig(env) }
    const client = stack.use(createClient(PassesServiceService, settings))
    const schema = { schema: 'pass_render', migrationsDir: new URL('../store/migrations/', import.meta.url) }
    const database = stack.use(await openDatabase({ url: postgres.url, ...schema, logger }))
    const caPem = tls.caPem
    return new Fixture({ service, client, nats, database, credentials, caPem, stack: stack.move() })
  }

  /** Mounts another Apple certificate for a brand, which the service sees within some seconds; answers with its DER. */
  async certify(brand: BrandInfo, change: Partial<IssueRequest> = {}): Promise<Buffer> {
    return await writeApple(this.#credentials, brand, change)
  }

  /** Takes a brand's Apple certificate away. */
  decertify({ brand }: BrandInfo): void {
    rmSync(credentialFile(this.#credentials, brand, 'apple.pem'))
  }

  /** Publishes a member as enrollment does; answers with the id. */
  async member(brand: string, change: Partial<MemberState> = {}): Promise<string> {
    const memberId = change.memberId ?? uuidv7()
    const state = MemberState.fromPartial({
      cardNumber: '4000000000000002',
      status: 'active',
      locale: 'en-GB',
      marketingConsent: true,
      ...change,
      memberId,
    })
    const payload = { $case: 'member', value: state } as const
    await this.event(brand, 'member', memberId, payload)
    return memberId
  }

  /** Publishes a balance as the ledger does. */
  async account(brand: string, memberId: string, available: bigint): Promise<void> {
    const value = AccountState.fromPartial({ memberId, available, currency: 'GBP' })
    await this.event(brand, 'account', memberId, { $case: 'account', value })
  }

  /** Publishes any event; versions grow over all of them unless one is given. */
  async event(
    brand: string,
    aggregateKind: Parameters<typeof makeEvent>[0]['aggregateKind'],
    aggregateId: string,
    payload: Parameters<typeof makeEvent>[0]['payload'],
    version = ++this.#version,
  ): Promise<void> {
    const now = new Date()
    const input = {
      brand,
      aggregateKind,
      aggregateId,
      aggregateVersion: version,
      eventTime: now,
      schema: 'test',
      payload,
    }
    const message = makeEvent(input, now)
    await this.nats.jetstream.publish(message.subject, message.payload, { msgID: message.id })
  }

  /** Waits for a member's pass. */
  async pass(brand: string, memberId: string) {
    await until('the pass is there', async () => {
      const rows = await this.database.query('SELECT 1 FROM pass WHERE brand = $1 AND owner_id = $2', [brand, memberId])
      return rows.length === 1
    })
    const { pass } = await this.client.getPass({ brand, memberId })
    if (pass === undefined) throw new Error('an answer without a pass')
    return pass
  }

  /** One request to the web service over TLS. */
  async web(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string | Buffer,
  ): Promise<WebAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<WebAnswer>()
    const options = {
      host: 'localhost',
      port: this.service.webPort,
      ca: this.#caPem,
      agent: false,
      method,
      path,
      headers,
    }
    const sent = request(options, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', reject)
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) })
      })
    })
    sent.on('error', reject)
    sent.end(body)
    return await promise
  }

  /** Value of a metric, its labels as they are printed; undefined while there is none. */
  async metric(series: string): Promise<number | undefined> {
    const answer = await fetch(`http://127.0.0.1:${this.service.httpPort}/metrics`)
    const line = (await answer.text()).split('\n').find((text) => text.startsWith(`${series} `))
    return line === undefined ? undefined : Number(line.slice(series.length))
  }

  /** Takes `count` push chunks of a brand from a lane. */
  async chunks(lane: 'tx' | 'bulk', brand: string, count: number): Promise<readonly PushChunk[]> {
    const subject = lane === 'tx' ? subjects.pushTx(brand) : subjects.pushBulk(brand)
    const payloads = await this.payloads(lane === 'tx' ? 'PUSH_TX' : 'PUSH_BULK', subject, count)
    return payloads.map((bytes) => PushChunk.decode(bytes))
  }

  /** Waits until a subject of a stream holds `count` messages and answers with them, oldest first. */
  async payloads(stream: string, subject: string, count: number): Promise<readonly Uint8Array[]> {
    await until(`${count} messages on ${subject}`, async () => (await this.messages(stream, subject)) >= count)
    const { state } = await this.nats.manager.streams.info(stream)
    const payloads: Uint8Array[] = []
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await this.nats.manager.streams.getMessage(stream, { seq }).catch(() => null)
      if (message?.subject === subject) payloads.push(message.data)
    }
    return payloads
  }

  /** How many messages a subject of a stream holds. */
  async messages(stream: string, subject: string): Promise<number> {
    const info = await this.nats.manager.streams.info(stream, { subjects_filter: subject })
    return info.state.subjects?.[subject] ?? 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

interface FixtureParts {
  readonly service: RunningPassRender
  readonly client: ServiceClient<typeof PassesServiceService>
  readonly nats: Nats
  readonly database: Database
  readonly credentials: TestCredentials
  readonly caPem: string
  readonly stack: AsyncDisposableStack
}

interface TestCredentials {
  readonly dir: string
  readonly authority: TestAuthority
}

function credentialFile({ dir }: TestCredentials, brand: string, name: string): string {
  const folder = join(dir, credentialShard(brand))
  mkdirSync(folder, { recursive: true })
  return join(folder, `${brand}.${name}`)
}

async function writeApple(
  credentials: TestCredentials,
  { brand, passTypeId, teamId }: BrandInfo,
  change: Partial<IssueRequest>,
): Promise<Buffer> {
  const request = { passTypeIdentifier: passTypeId, teamIdentifier: teamId, ...change }
  const { certPem, wwdrPem, keyPem } = await credentials.authority.issue(request)
  writeFileSync(credentialFile(credentials, brand, 'apple.pem'), certPem + wwdrPem + keyPem)
  return new X509Certificate(certPem).raw
}

async function writeCredentials(
  credentials: TestCredentials,
  brands: readonly BrandInfo[],
  nfc: boolean,
): Promise<void> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  for (const info of brands) {
    await writeApple(credentials, info, { nfc })
    const account = {
      client_email: `wallet@${info.brand}.test`,
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    }
    writeFileSync(credentialFile(credentials, info.brand, 'google.json'), JSON.stringify(account))
  }
}
