import { connectDatabase, createLogger } from '@stampede/platform'
import { type Finding, verify } from '@stampede/verify'

/** What was checked behind the platform's back. */
export interface Reconciliation {
  readonly findings: readonly Finding[]
  /** Receipts and returns of this run in the ledger. */
  readonly posted: number
}

/** Runs verify over everything, and counts what this run posted. */
export async function reconcile(
  dataDir: string,
  postgresUrl: string,
  run: { readonly name: string; readonly brand: string },
): Promise<Reconciliation> {
  const logger = createLogger('load', 'warn')
  const findings: Finding[] = []
  for await (const finding of verify(dataDir, postgresUrl, logger)) {
    findings.push(finding)
    if (finding.ok === false) break
  }
  await using database = connectDatabase({ url: postgresUrl, schema: 'ledger', logger, poolSize: 1 })
  const [row] = await database.query<{ posted: bigint }>(
    `SELECT count(*) AS posted FROM ledger.receipt WHERE brand = $1 AND number LIKE $2 || '/%'`,
    [run.brand, run.name],
  )
  return { findings, posted: Number(row?.posted ?? 0) }
}
