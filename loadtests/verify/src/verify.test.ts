import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { bitmapBytes, type Database, withBits } from '@stampede/platform'
import { tempDir, testPostgres } from '@stampede/platform/testing'
import { createAuthority } from '@stampede/sandbox'
import { testPass } from '@stampede/sandbox/testing'
import { describeFinding, type Finding } from './findings.ts'
import {
  accepted,
  campaignId,
  fillDatabase,
  goodJournals,
  type Journals,
  logger,
  passTypeId,
  startedAtMs,
  tokens,
  writeJournals,
} from './testing/story.ts'
import { verify } from './verify.ts'

const invariants = {
  ledger: 'ledger transactions sum to zero and balances equal entries',
  receipts: 'every acknowledged receipt is in the ledger exactly once',
  topics: "nobody's push went to another brand's topic",
  campaign: 'every card of a campaign was pushed',
  fetches: 'fetched passes verify on the phones',
  bundles: 'a sample of fetched passes verifies by openssl cms',
}

describe('verify', () => {
  const stack = new AsyncDisposableStack()
  let url = ''
  let database: Database
  let good: Journals

  before(async () => {
    const postgres = stack.use(await testPostgres())
    url = postgres.url
    database = stack.use(await fillDatabase(url))
    const folder = stack.use(tempDir('authority'))
    const authority = createAuthority(folder.path)
    const certificate = authority.issuePassCertificate({ passTypeId, teamId: 'TEAM000001' })
    good = goodJournals(testPass({ certificate }), authority.rootPem)
  })
  after(() => stack.disposeAsync())

  async function findingsOf(change: Partial<Journals> = {}, damage?: (dataDir: string) => void): Promise<Finding[]> {
    using folder = tempDir('verify')
    writeJournals(folder.path, { ...good, ...change })
    damage?.(folder.path)
    return await Array.fromAsync(verify(folder.path, url, logger))
  }

  async function assertBroken(findings: readonly Finding[], invariant: string, row: RegExp): Promise<void> {
    const wrong = findings.filter(({ ok }) => ok === false)
    assert.equal(wrong.length, 1, findings.map(describeFinding).join('\n'))
    assert.match(wrong.map(describeFinding).join(), new RegExp(`^WRONG ${invariant}.*: `))
    assert.match(wrong.map(describeFinding).join(), row)
  }

  /** Damages the database, checks, and takes it back. */
  async function whileDamaged(damage: string, repair: string, check: () => Promise<void>): Promise<void> {
    const run = (statement: string) =>
      database.transaction(async (tx) => {
        // What was posted is append-only; damage does not ask.
        await tx.query('SET LOCAL session_replication_role = replica')
        await tx.query(statement)
      })
    await run(damage)
    try {
      await check()
    } finally {
      await run(repair)
    }
  }

  it('a good story passes, and each finding says how much it checked', async () => {
    const lines = (await findingsOf()).map(describeFinding)
    assert.deepEqual(lines.slice(0, 5), [
      `ok    ${invariants.ledger} (1 transactions, 1 receipts)`,
      `ok    ${invariants.receipts} (1 acknowledged receipts)`,
      `ok    ${invariants.topics} (2 accepted pushes)`,
      `ok    ${invariants.campaign} (2 phones with the 2 cards of campaign ${campaignId})`,
      `ok    ${invariants.fetches} (2 fetched passes)`,
    ])
    assert.match(lines[5] ?? '', /^(ok {4}.*\(1 bundles\)|SKIP )/)
    assert.equal(lines.length, 6)
  })

  it('a data directory without a story says of each invariant that nothing was checked', async () => {
    await using empty = await testPostgres()
    using folder = tempDir('verify')
    const findings = await Array.fromAsync(verify(folder.path, empty.url, logger))
    assert.equal(findings.length, 6)
    for (const finding of findings) assert.match(describeFinding(finding), /^(none {2}.*\(0 |SKIP )/)
  })

  it('a damaged entry breaks the ledger', async () => {
    const change = (by: string) => `UPDATE posting SET entry_amounts[1] = entry_amounts[1] ${by}`
    await whileDamaged(change('+ 1'), change('- 1'), async () => {
      await assertBroken(await findingsOf(), invariants.ledger, /sum to zero: \{"brand":"demo"/)
    })
  })

  it('an acknowledged receipt that the ledger does not have is found', async () => {
    const lost = '0199f3a0-0000-7000-8000-0000000000ff'
    const findings = await findingsOf({ tills: [...good.tills, { key: 'sale-2', id: lost }] })
    await assertBroken(findings, invariants.receipts, new RegExp(`receipt ${lost} is there 0 times`))
  })

  it('an acknowledged receipt that is missing since is found', async () => {
    const move = (from: string, to: string) =>
      `UPDATE receipt SET receipt_id = overlay(receipt_id::text placing '${to}' from 35)::uuid WHERE receipt_id::text LIKE '%${from}'`
    await whileDamaged(move('aa', 'ab'), move('ab', 'aa'), async () => {
      const findings = await findingsOf()
      assert.ok(findings.some(({ ok, invariant }) => ok === false && invariant === invariants.receipts))
    })
  })

  it('an accepted push to the token of another brand is found', async () => {
    const stray = { ...accepted(tokens[0], startedAtMs), topic: 'pass.example.other', certUid: 'pass.example.other' }
    const findings = await findingsOf({ apns: [...good.apns, stray] })
    await assertBroken(findings, invariants.topics, /token of pass\.example\.demo, topic pass\.example\.other/)
  })

  it('a pass of the audience without a push is found', async () => {
    const findings = await findingsOf({ apns: good.apns.slice(1) })
    await assertBroken(findings, invariants.campaign, new RegExp(`token ${tokens[0]} got no push`))
  })

  it('a campaign that was aborted owes nobody a push', async () => {
    const set = (status: string) => `UPDATE campaigns.campaign SET status = '${status}'`
    await whileDamaged(set('aborted'), set('done'), async () => {
      const findings = await findingsOf({ apns: [] })
      assert.ok(findings.every(({ ok }) => ok !== false))
      const lines = findings.map(describeFinding)
      assert.ok(lines.includes(`none  ${invariants.campaign} (0 campaigns that are done)`), lines.join('\n'))
    })
  })

  it('who withdrew between freeze and push is owed none', async () => {
    const set = (bits: readonly number[]) =>
      `UPDATE pass_render.bump SET bitmap = '\\x${withBits(new Uint8Array(bitmapBytes), bits).toString('hex')}'`
    await whileDamaged(set([1]), set([0, 1]), async () => {
      const findings = await findingsOf({ apns: good.apns.slice(1) })
      assert.ok(findings.every(({ ok }) => ok !== false))
    })
  })

  it('a row that pass-render never stored is owed to all of it', async () => {
    await whileDamaged(
      'UPDATE pass_render.bump SET chunk_index = 7',
      'UPDATE pass_render.bump SET chunk_index = 0',
      async () => {
        await assertBroken(await findingsOf({ apns: good.apns.slice(1) }), invariants.campaign, /got no push/)
      },
    )
  })

  it('a fetched pass that a phone refused is found', async () => {
    const phones = good.phones.map((row) => (row.event === 'fetch' ? { ...row, ok: false, reason: 'signature' } : row))
    await assertBroken(await findingsOf({ phones }), invariants.fetches, /on phone aaaa: signature/)
  })

  it('a damaged line of any journal is named', async () => {
    for (const file of ['tills/demo.ndjson', 'sandbox/apns.ndjson', 'sandbox/phones.ndjson']) {
      const findings = await findingsOf({}, (dataDir) => appendFileSync(join(dataDir, 'data', file), '{"at":1,\n'))
      await assertBroken(findings, 'every line of a journal is a row', new RegExp(`${file}:\\d+ is not a row`))
    }
  })
})
