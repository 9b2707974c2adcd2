import { createHash } from 'node:crypto'
import { join } from 'node:path'
import {
  type BrandInfo,
  createLogger,
  type Database,
  freePort,
  openDatabase,
  startEmbeddedPostgres,
  systemClock,
  uuidv7,
} from '@stampede/platform'
import { tempDir } from '@stampede/platform/testing'
import { PostReceiptRequest } from '@stampede/proto/ledger/v1'
import { Programme } from '@stampede/proto/programmes/v1'
import { MissLimiter } from '../src/domain/coupons/miss-limiter.ts'
import { Committer } from '../src/flush/committer.ts'
import { type FlushContext, flushItems } from '../src/flush/flush.ts'
import type { Item } from '../src/flush/item.ts'
import { saleItem } from '../src/rpc/items.ts'
import { putProgramme } from '../src/rpc/put-programme.ts'
import { Months } from '../src/store/months.ts'
import { Programmes } from '../src/store/programmes.ts'
import { migrationsDir, schema } from '../src/store/schema.ts'

/** Brands of the spread load. */
export const BRANDS = 20
/** Members of all brands. */
export const MEMBERS = 100_000
/** Connections of the path that posts each receipt in a transaction of its own. */
export const POOL_SIZE = 34
const LINES = 3
const deadline = new Date('2100-01-01')

/** A ledger on a durable PostgreSQL of its own, in this process, without network. */
export interface Rig extends AsyncDisposable {
  readonly url: string
  readonly database: Database
  readonly flushContext: FlushContext
  /** As the service runs it. */
  readonly committer: Committer
  /** Empties the outbox, which nobody relays here. */
  emptyOutbox(): Promise<void>
}

/** Starts PostgreSQL with its writes flushed, and gives each brand a programme. */
export async function startRig(): Promise<Rig> {
  await using stack = new AsyncDisposableStack()
  const dir = stack.use(tempDir('ledger-bench'))
  const postgres = stack.use(
    await startEmbeddedPostgres({ dataDir: join(dir.path, 'postgres'), port: await freePort() }),
  )
  const logger = createLogger('bench', 'silent')
  const options = { url: postgres.url, schema, migrationsDir, logger, poolSize: POOL_SIZE }
  const database = stack.use(await openDatabase(options))
  const brands = { get: benchBrand }
  const programmes = new Programmes()
  const months = new Months()
  const misses = new MissLimiter()
  const flushContext = { database, brands, clock: systemClock, programmes, months, misses, newId: uuidv7 }
  const flush = (items: readonly Item[]) => flushItems(flushContext, items)
  const nowMs = () => systemClock.nowMs()
  const committer = stack.use(new Committer({ flush, nowMs, onFlushed: () => undefined }))
  for (let index = 0; index < BRANDS; index++) {
    const brand = brandName(index)
    await putProgramme(
      { database, brands, clock: systemClock, programmes, months, misses, committer },
      { ...programme, brand },
    )
  }
  const owned = stack.move()
  return {
    url: postgres.url,
    database,
    flushContext,
    committer,
    emptyOutbox: async () => void (await database.query('TRUNCATE outbox')),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const programme = {
  idempotencyKey: 'programme',
  programme: Programme.fromPartial({
    earnBasisPoints: 500,
    pointsLiveDays: 365,
    maxPayBasisPoints: 10_000,
    pointValueMinor: 1n,
    holdSeconds: 900,
  }),
  effectiveAt: undefined,
}

/** Slug of a brand by its number. */
export function brandName(index: number): string {
  return `bench-${index}`
}

/** A brand of the benchmark. */
export function benchBrand(slug: string): BrandInfo {
  return {
    brand: slug,
    name: slug,
    timeZone: 'Europe/Berlin',
    currency: 'EUR',
    passTypeId: 'pass.bench',
    teamId: 'TEAM123456',
    googleIssuerId: '',
    weight: 10,
    maxBulkPerSecond: 0,
    contact: '',
    pushType: 'background',
    pushPriority: 5,
    pushExpirationSeconds: 86_400,
    domain: '',
  }
}

/** A member's id by its number: spread over the index as random ones are. */
export function memberId(index: number): string {
  const hex = createHash('md5').update(String(index)).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** Gives receipts of random members; each run has numbers of its own. */
export function newReceipts(run: string, brands: number): (index: number) => PostReceiptRequest {
  return (index) => {
    const member = Math.floor(Math.random() * MEMBERS)
    return PostReceiptRequest.fromPartial({
      idempotencyKey: `${run}-${index}`,
      brand: brandName(member % brands),
      memberId: memberId(member),
      storeId: `store-${index % 50}`,
      tillId: `till-${index % 7}`,
      number: `${run}-${index}`,
      occurredAt: new Date(),
      lines: Array.from({ length: LINES }, (_, line) => ({
        sku: `sku-${line}`,
        quantity: 1n,
        amountMinor: BigInt(200 + Math.floor(Math.random() * 5_000)),
        category: 'food',
      })),
    })
  }
}

/** The checked command of a receipt. */
export function itemOf(request: PostReceiptRequest): Item {
  return saleItem(request, { brand: request.brand, clock: systemClock, deadline, prefix: '' })
}
