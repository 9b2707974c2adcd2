import { randomBytes } from 'node:crypto'
import {
  bitmapBytes,
  createLogger,
  type Database,
  openDatabase,
  passesPerRow,
  type Sql,
  uuidv7,
  withBits,
} from '@stampede/platform'
import { testPostgres } from '@stampede/platform/testing'
import { CampaignMessage } from '@stampede/proto/events/v1'
import { DEFAULT_TEMPLATE_ID, emptyDetails, type Lifecycle } from '../domain/card.ts'
import { ensureMessage, insertBumps, type StoredBump } from '../store/bumps.ts'
import { insertPasses } from '../store/cards.ts'
import { register } from '../store/registrations.ts'

/** A brand's name in tests of the store. */
export const storeBrand = 'store'

/** What is special about a pass under test. */
export interface TestPass {
  readonly no: number
  readonly consent?: boolean
  readonly lifecycle?: Lifecycle
  readonly status?: 'active' | 'blocked' | 'erased'
  /** Device ids that are registered for it. */
  readonly devices?: readonly string[]
}

/** The service's schema in a database of the test's own. */
export interface TestStore extends AsyncDisposable {
  readonly database: Database
}

/** Opens a fresh database. */
export async function testStore(): Promise<TestStore> {
  await using stack = new AsyncDisposableStack()
  const postgres = stack.use(await testPostgres())
  const logger = createLogger('store-test', 'silent')
  const schema = { schema: 'pass_render', migrationsDir: new URL('../store/migrations/', import.meta.url), logger }
  const database = stack.use(await openDatabase({ url: postgres.url, ...schema }))
  const owned = stack.move()
  return { database, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Stores passes and registers their devices; answers with the owners. */
export async function addPasses(database: Database, passes: readonly TestPass[]): Promise<readonly string[]> {
  const now = new Date()
  const rows = passes.map(({ no, consent = true, lifecycle = 'open', status = 'active' }) => ({
    no: BigInt(no),
    serial: uuidv7(),
    authToken: randomBytes(16),
    kind: 'member' as const,
    templateId: DEFAULT_TEMPLATE_ID,
    memberVersion: 1n,
    member: {
      memberId: uuidv7(),
      cardNumber: String(no),
      status,
      locale: 'en-GB',
      marketingConsent: consent,
      sealedName: undefined,
    },
    details: { ...emptyDetails, lifecycle },
    detailsVersion: 0n,
  }))
  await insertPasses(database, storeBrand, rows, now)
  for (const { no, devices = [] } of passes) {
    for (const deviceLibraryId of devices) {
      const wish = { no: BigInt(no), deviceLibraryId, pushToken: randomBytes(32) }
      await database.transaction((tx) => register(tx, storeBrand, wish, now))
    }
  }
  return rows.map((row) => row.member.memberId)
}

/** A message that was sent to passes of one audience row. */
export interface TestMessage {
  readonly messageId: string
  readonly rank: bigint
  /** First number of the row; default 0. */
  readonly base?: number
  readonly nos: readonly number[]
}

/** Gives a message to passes. */
export async function bumpStored(tx: Sql, message: TestMessage): Promise<StoredBump> {
  const { messageId, rank, base = 0, nos } = message
  const body = messageBody(messageId)
  const place = await ensureMessage(tx, storeBrand, { messageId, source: 'campaign', rank, body })
  const index = base / passesPerRow
  const places = nos.map((no) => no - base)
  const bitmap = withBits(new Uint8Array(bitmapBytes), places)
  const [stored] = await insertBumps(
    tx,
    storeBrand,
    [{ messageId, ...place, index, base: BigInt(base), bitmap }],
    new Date(),
  )
  if (stored === undefined) throw new Error('a bump is stored')
  return stored
}

/** A stored message that says its text in English. */
export function messageBody(text: string): Buffer {
  return Buffer.from(CampaignMessage.encode({ texts: [{ locale: 'en', text }] }).finish())
}
