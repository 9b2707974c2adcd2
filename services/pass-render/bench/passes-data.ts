import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { type BrandInfo, bitmapBytes, type Database, passesPerRow, uuidv7 } from '@stampede/platform'
import { CampaignMessage, RelevanceState } from '@stampede/proto/events/v1'
import { DEFAULT_TEMPLATE_ID, emptyDetails } from '../src/domain/card.ts'
import type { Secrets } from '../src/domain/secrets.ts'
import { ensureMessage, insertBumps } from '../src/store/bumps.ts'
import { insertPasses, type NewPass } from '../src/store/cards.ts'

/** What the tables are filled with. */
export interface PassesData {
  readonly brand: BrandInfo
  readonly passes: number
  readonly secrets: Secrets
  /** Where the phones are written: list, pass and token, divided by tabs. */
  readonly phonesFile: string
}

const BATCH = 2_000
const PLACES = 10

/**
 * Fills a brand as it is in life: members with a balance and the ten shops nearest to them, a phone each, and a
 * campaign that reached all of them.
 */
export async function fillPasses(database: Database, data: PassesData): Promise<void> {
  const file = createWriteStream(data.phonesFile)
  for (let first = 0; first < data.passes; first += BATCH) {
    const count = Math.min(BATCH, data.passes - first)
    const passes = Array.from({ length: count }, (_, index) => newPass(data, first + index))
    await insertBatch(database, data.brand.brand, passes)
    for (const pass of passes) file.write(phoneLine(data, pass))
  }
  file.end()
  await finished(file)
  await bumpAll(database, data)
  await database.query(
    'INSERT INTO brand_state (brand, next_no) VALUES ($1, $2) ON CONFLICT (brand) DO UPDATE SET next_no = $2',
    [data.brand.brand, data.passes],
  )
  await database.query('VACUUM ANALYZE')
}

function newPass({ brand, secrets }: PassesData, index: number): NewPass {
  const serial = uuidv7()
  return {
    no: BigInt(index),
    serial,
    authToken: secrets.newAuthToken(brand.brand, serial),
    kind: 'member',
    templateId: DEFAULT_TEMPLATE_ID,
    memberVersion: 1n,
    member: {
      memberId: uuidv7(),
      cardNumber: String(4_000_000_000_000 + index),
      status: 'active',
      locale: 'en-GB',
      marketingConsent: true,
      sealedName: undefined,
    },
    details: emptyDetails,
    detailsVersion: 0n,
  }
}

async function insertBatch(database: Database, brand: string, passes: readonly NewPass[]): Promise<void> {
  await insertPasses(database, brand, passes, new Date())
  const nos = passes.map(({ no }) => no)
  const owners = passes.map(({ member }) => member.memberId)
  const devices = nos.map(deviceOf)
  await database.query(
    `WITH n AS (SELECT no, device FROM unnest($2::bigint[], $3::text[]) AS u (no, device)),
       d AS (INSERT INTO device (brand, device_library_id, push_token, confirmed_at)
         SELECT $1, device, sha256(device::bytea), now() FROM n),
       p AS (UPDATE pass SET devices = 1 FROM n WHERE pass.brand = $1 AND pass.no = n.no)
     INSERT INTO registration (brand, no, device_library_id, registered_at, push_token)
       SELECT $1, no, device, now(), sha256(device::bytea) FROM n`,
    [brand, nos, devices],
  )
  const relevance = Buffer.from(RelevanceState.encode(relevanceState()).finish())
  await database.query(
    `WITH o AS (SELECT owner, no FROM unnest($2::uuid[], $3::bigint[]) AS u (owner, no)),
       a AS (INSERT INTO account_state (brand, owner_id, version, available, currency) SELECT $1, owner, 1, no, 'GBP' FROM o)
     INSERT INTO relevance_state (brand, owner_id, version, state) SELECT $1, owner, 1, $4 FROM o`,
    [brand, owners, nos, relevance],
  )
}

function relevanceState(): RelevanceState {
  return RelevanceState.fromPartial({
    places: Array.from({ length: PLACES }, (_, shop) => ({
      latitude: 55 + shop / 100,
      longitude: 37 + shop / 100,
      relevantText: 'A shop of ours is near',
    })),
  })
}

async function bumpAll(database: Database, { brand, passes }: PassesData): Promise<void> {
  const text = 'Twice the points this weekend: you have {points, plural, one {# point} other {# points}}'
  const body = Buffer.from(CampaignMessage.encode({ texts: [{ locale: 'en', text }] }).finish())
  await database.transaction(async (tx) => {
    const message = { messageId: 'bench', source: 'campaign', rank: 1n, body } as const
    const place = await ensureMessage(tx, brand.brand, message)
    const bumps = Array.from({ length: Math.ceil(passes / passesPerRow) }, (_, index) => {
      const base = BigInt(index * passesPerRow)
      return { ...place, messageId: 'bench', index, base, bitmap: Buffer.alloc(bitmapBytes, 0xff) }
    })
    await insertBumps(tx, brand.brand, bumps, new Date())
  })
}

function deviceOf(no: bigint): string {
  return no.toString(16).padStart(32, '0')
}

function phoneLine({ brand, secrets }: PassesData, { no, serial, authToken }: NewPass): string {
  const list = `/v1/devices/${deviceOf(no)}/registrations/${brand.passTypeId}`
  const token = secrets.openAuthToken(authToken, brand.brand, serial)
  return `${list}\t/v1/passes/${brand.passTypeId}/${serial}\t${token}\n`
}
