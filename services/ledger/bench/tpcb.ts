import type { BenchContext, Report, Scenario } from '@stampede/h2push/bench'
import { digits, markdownTable, short } from '@stampede/h2push/bench'
import type { Sql } from '@stampede/platform'
import { closedLoop } from './load.ts'
import { startRig } from './rig.ts'

const SCALE = 10
const ACCOUNTS = 100_000
const TELLERS = 10
const CLIENTS = 32
const seconds = { full: 10, quick: 4 }

/** What the same server does with the transaction of pgbench (TPC-B): the scale that the other figures stand on. */
export const tpcbScenario: Scenario = {
  name: 'tpcb',
  async run(context: BenchContext): Promise<Report> {
    await using rig = await startRig()
    context.progress(`  filling ${SCALE * ACCOUNTS} accounts`)
    await fill(rig.database)
    context.progress('  transactions')
    const call = () => rig.database.transaction(transfer)
    const span = context.isQuick ? seconds.quick : seconds.full
    const result = await closedLoop({ callers: CLIENTS, warmupSeconds: 2, seconds: span, call })
    const row = [short(result.perSecond), digits(result.p50Ms), digits(result.p99Ms)]
    return {
      title: 'TPC-B of the same server',
      text: `${markdownTable(['transactions/s', 'p50 ms', 'p99 ms'], [row])}\n\nThe five statements of pgbench in a transaction, prepared, scale ${SCALE}, ${CLIENTS} clients of this process.`,
      goals: [],
      data: result,
    }
  },
}

async function fill(sql: Sql): Promise<void> {
  await sql.query('CREATE TABLE bench_branch (bid int PRIMARY KEY, bbalance int NOT NULL) WITH (fillfactor = 10)')
  await sql.query(
    'CREATE TABLE bench_teller (tid int PRIMARY KEY, bid int, tbalance int NOT NULL) WITH (fillfactor = 10)',
  )
  await sql.query('CREATE TABLE bench_account (aid int PRIMARY KEY, bid int, abalance int NOT NULL, filler char(84))')
  await sql.query('CREATE TABLE bench_history (tid int, bid int, aid int, delta int, mtime timestamptz)')
  await sql.query('INSERT INTO bench_branch SELECT n, 0 FROM generate_series(1, $1) n', [SCALE])
  await sql.query('INSERT INTO bench_teller SELECT n, 1, 0 FROM generate_series(1, $1) n', [SCALE * TELLERS])
  const accounts = "INSERT INTO bench_account SELECT n, 1, 0, '' FROM generate_series(1, $1) n"
  await sql.query(accounts, [SCALE * ACCOUNTS])
}

async function transfer(tx: Sql): Promise<void> {
  const random = (below: number) => 1 + Math.floor(Math.random() * below)
  const [account, branch, teller] = [random(SCALE * ACCOUNTS), random(SCALE), random(SCALE * TELLERS)]
  const delta = random(10_000) - 5_000
  await tx.query({
    name: 'tpcb-account',
    text: 'UPDATE bench_account SET abalance = abalance + $1 WHERE aid = $2',
    values: [delta, account],
  })
  await tx.query({ name: 'tpcb-read', text: 'SELECT abalance FROM bench_account WHERE aid = $1', values: [account] })
  await tx.query({
    name: 'tpcb-teller',
    text: 'UPDATE bench_teller SET tbalance = tbalance + $1 WHERE tid = $2',
    values: [delta, teller],
  })
  await tx.query({
    name: 'tpcb-branch',
    text: 'UPDATE bench_branch SET bbalance = bbalance + $1 WHERE bid = $2',
    values: [delta, branch],
  })
  await tx.query({
    name: 'tpcb-history',
    text: 'INSERT INTO bench_history VALUES ($1, $2, $3, $4, now())',
    values: [teller, branch, account, delta],
  })
}
