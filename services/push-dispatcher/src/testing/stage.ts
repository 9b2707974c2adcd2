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
import { platformEnv, tempDir, testNats, until } from '@stampede/platform/testing'
import { PushChunk, PushResult } from '@stampede/proto/push/v1'
import { startTestApns, type TestApns } from './apns-server.ts'
import { type TestAuthority, testAuthority } from './authority.ts'

/** What is around a dispatcher: a broker, a small APNs, credentials; and the results that come back. */
export interface Stage extends AsyncDisposable {
  readonly nats: Nats
  readonly apns: TestApns
  /** Environment of a dispatcher. */
  readonly env: NodeJS.ProcessEnv
  /** All results so far, by chunk. */
  readonly results: Map<string, PushResult[]>
  /** Makes a brand known. */
  putBrand(brand: { readonly brand: string; readonly [field: string]: unknown }): Promise<void>
  /** Puts a chunk of brand `demo` on its queue. */
  enqueue(chunk: PushChunk, lane?: 'tx' | 'bulk'): Promise<void>
  /** The first result of a chunk, as soon as it is there. */
  resultOf(chunk: Pick<PushChunk, 'chunkId'>): Promise<PushResult>
}

/** Starts it all, with a credential of brand `demo`; the brand itself is the test's. */
export async function startStage(): Promise<Stage> {
  await using stack = new AsyncDisposableStack()
  const dir = tempDir('dispatcher')
  stack.defer(() => dir[Symbol.dispose]())
  const natsServer = stack.use(await testNats())
  const nats = stack.use(
    await connectNats({ url: natsServer.url, name: 'test', logger: createLogger('test', 'silent') }),
  )
  await ensureStreams(nats)
  const authority = testAuthority()
  const { server: apns, url } = await startTestApns(authority.server(), authority.caPem)
  stack.use(apns)
  const caFile = join(dir.path, 'ca.pem')
  writeFileSync(caFile, authority.caPem)
  putCredential(dir.path, 'demo', authority)
  const extra = { STAMPEDE_CREDENTIALS_DIR: dir.path, STAMPEDE_APNS_URL: url, STAMPEDE_APNS_CA: caFile }
  const results = followResults(nats)
  const owned = stack.move()
  return {
    nats,
    apns,
    env: platformEnv({ nats: natsServer, extra }),
    results,
    putBrand: async (brand) => {
      const kv = await nats.kv(buckets.brands)
      await kv.put(brand.brand, JSON.stringify(brand))
    },
    enqueue: async (chunk, lane = 'bulk') => {
      const subject = lane === 'tx' ? subjects.pushTx('demo') : subjects.pushBulk('demo')
      await nats.jetstream.publish(subject, PushChunk.encode(chunk).finish())
    },
    resultOf: async ({ chunkId }) => {
      let first: PushResult | undefined
      await until(`result of ${chunkId}`, () => {
        first = results.get(chunkId)?.[0]
        return first !== undefined
      })
      return first ?? PushResult.fromPartial({})
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function putCredential(dir: string, brand: string, issuer: TestAuthority): void {
  const folder = join(dir, credentialShard(brand))
  mkdirSync(folder, { recursive: true })
  const { certPem, keyPem } = issuer.client(brand)
  writeFileSync(join(folder, `${brand}.apple.pem`), `${certPem}\n${issuer.caPem}\n${keyPem}`)
}

function followResults(nats: Nats): Map<string, PushResult[]> {
  const results = new Map<string, PushResult[]>()
  nats.connection.subscribe(subjects.pushResult('*'), {
    callback: (_error, message) => {
      const result = PushResult.decode(message.data)
      results.set(result.chunkId, [...(results.get(result.chunkId) ?? []), result])
    },
  })
  return results
}
