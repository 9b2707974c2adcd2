import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ledgerSchema, verifyAndRecord, verifyLedger } from '@stampede/ledger'
import { connectDatabase, type Database, type Logger, type Sql, systemClock } from '@stampede/platform'
import type { ApnsRow, PhoneRow } from '@stampede/sandbox'
import { broken, type Finding, holds } from './findings.ts'
import { readHoldings } from './holdings.ts'
import { JournalError, readRows } from './journals.ts'
import { checkBundles, checkFetches } from './passes.ts'
import { checkCampaign, checkTopics, readAccepted } from './pushes.ts'
import { type Acknowledgement, checkAcknowledged } from './receipts.ts'
import { countReceipts, hasTables, readDoneCampaigns } from './store.ts'

/** A rule over all of a ledger may take so long. */
const statementTimeoutMs = 30 * 60_000

/** Checks every invariant of a data directory, one after another, in a fixed order. A damaged journal ends it. */
export async function* verify(dataDir: string, url: string, logger: Logger): AsyncGenerator<Finding> {
  await using database = connectDatabase({ url, schema: ledgerSchema, logger, poolSize: 2, statementTimeoutMs })
  try {
    yield await checkLedger(database)
    yield* checkTills(join(dataDir, 'data', 'tills'), database)
    yield* checkPhones(join(dataDir, 'data', 'sandbox'), database)
  } catch (error) {
    if (!(error instanceof JournalError)) throw error
    yield broken('every line of a journal is a row', error.message)
  }
}

/** The books balance. What comes out is written down for the ledger's replicas to publish, where they are new enough. */
export async function checkLedger(database: Database): Promise<Finding> {
  const invariant = 'ledger transactions sum to zero and balances equal entries'
  if (!(await hasTables(database, [`${ledgerSchema}.entry`]))) return holds(invariant, 0, 'transactions')
  const isPublished = await hasTables(database, [`${ledgerSchema}.verify_run`])
  const recorded = isPublished ? await verifyAndRecord(database, systemClock.now(), systemClock) : undefined
  const result = recorded ?? (await verifyLedger(database))
  if (!result.ok) return broken(`${invariant}: ${result.invariant}`, describeRow(result.row))
  return holds(invariant, Number(result.transactions), `transactions, ${result.receipts} receipts`)
}

async function* checkTills(folder: string, database: Sql): AsyncGenerator<Finding> {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.ndjson')) : []
  // Without any journal the finding says that nothing was checked.
  for (const name of names.length > 0 ? names : ['none.ndjson']) {
    yield await checkAcknowledged(readRows<Acknowledgement>(join(folder, name)), (ids) => countReceipts(database, ids))
  }
}

async function* checkPhones(sandbox: string, database: Sql): AsyncGenerator<Finding> {
  const apns = (): AsyncIterable<ApnsRow> => readRows(join(sandbox, 'apns.ndjson'))
  const phoneRows = (): AsyncIterable<PhoneRow> => readRows(join(sandbox, 'phones.ndjson'))
  const holdings = await readHoldings(phoneRows())
  yield await checkTopics(apns(), holdings)
  const accepted = await readAccepted(apns())
  const campaigns = await readDoneCampaigns(database)
  if (campaigns.length === 0) yield holds('every card of a campaign was pushed', 0, 'campaigns that are done')
  for (const campaign of campaigns) yield checkCampaign(campaign, holdings, accepted)
  yield await checkFetches(phoneRows())
  yield await checkBundles(join(sandbox, 'bundles'), join(sandbox, 'authority', 'root.pem'))
}

function describeRow(row: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
}
