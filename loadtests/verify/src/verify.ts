import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ledgerSchema, verifyLedger } from '@stampede/ledger'
import { connectDatabase, type Logger, type Sql } from '@stampede/platform'
import type { ApnsRow, PhoneRow } from '@stampede/sandbox'
import { broken, type Finding, holds } from './findings.ts'
import { readRows } from './journals.ts'
import { checkBundles, checkFetches } from './passes.ts'
import { checkCampaign, checkTopics, readLastAccepted, readPhones } from './pushes.ts'
import { type Acknowledgement, checkAcknowledged } from './receipts.ts'
import { countReceipts, readDoneCampaigns } from './store.ts'

/** Checks every invariant of a data directory, one after another, in a fixed order. */
export async function* verify(dataDir: string, url: string, logger: Logger): AsyncGenerator<Finding> {
  await using database = connectDatabase({ url, schema: ledgerSchema, logger, poolSize: 2 })
  const sandbox = join(dataDir, 'data', 'sandbox')
  const apns = (): AsyncIterable<ApnsRow> => readRows(join(sandbox, 'apns.ndjson'))
  const phoneRows = (): AsyncIterable<PhoneRow> => readRows(join(sandbox, 'phones.ndjson'))
  yield await checkLedger(database)
  for (const file of tillJournals(dataDir)) {
    yield await checkAcknowledged(readRows<Acknowledgement>(file), (ids) => countReceipts(database, ids))
  }
  const phones = await readPhones(phoneRows())
  yield await checkTopics(apns(), phones)
  const lastAccepted = await readLastAccepted(apns())
  for (const campaign of await readDoneCampaigns(database)) yield checkCampaign(campaign, phones, lastAccepted)
  yield await checkFetches(phoneRows())
  yield await checkBundles(join(sandbox, 'bundles'), join(sandbox, 'authority', 'root.pem'))
}

async function checkLedger(database: Sql): Promise<Finding> {
  const invariant = 'ledger transactions sum to zero and balances equal entries'
  const result = await verifyLedger(database)
  if (!result.ok) return broken(`${invariant}: ${result.invariant}`, describeRow(result.row))
  return holds(invariant, `${result.transactions} transactions, ${result.receipts} receipts`)
}

function tillJournals(dataDir: string): readonly string[] {
  const folder = join(dataDir, 'data', 'tills')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ndjson'))
    .map((name) => join(folder, name))
}

function describeRow(row: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
}
