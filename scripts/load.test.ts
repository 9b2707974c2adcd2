import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it, test } from 'node:test'
import { type HeldPlatform, holdPlatform } from '@stampede/load'
import { type TempDir, tempDir } from '@stampede/platform/testing'
import { runQuietly } from './lib/suites.ts'
import { findTool } from './tools/find.ts'

const hasK6 = findTool('k6') !== undefined
if (!hasK6) console.log('LOUD SKIP: there is no k6 in PATH or in .stampede/tools; the load scenarios did not run')
assert.ok(hasK6 || process.env['STAMPEDE_CI'] !== '1', 'CI must run the load scenarios: k6 is missing')

/** As small as it gets, and patient: the machine does other things too. */
const tiny = ['--scale', '0.00005', '--slack', '20']

const load = (args: readonly string[], env: NodeJS.ProcessEnv = process.env) =>
  runQuietly(process.execPath, ['scripts/load.ts', ...args], env)

test('without k6 it says so in one line and ends with 3', async () => {
  using empty = tempDir('load-no-k6')
  const env = { ...process.env, PATH: empty.path, STAMPEDE_TOOLS_DIR: empty.path }
  const { exitCode, output } = await load(['till-day'], env)
  assert.deepEqual([exitCode, output.trim().split('\n').length], [3, 1], output)
  assert.match(output, /there is no k6/)
})

test('wrong flags and an unknown target are named, and end with 2', async () => {
  assert.equal((await load(['cyber-monday'])).exitCode, 2)
  if (!hasK6) return
  const { exitCode, output } = await load(['till-day', '--against', '/nowhere.json'])
  assert.equal(exitCode, 2, output)
  assert.match(output, /nowhere\.json: ENOENT/)
})

describe('a load run', { skip: !hasK6 && 'no k6' }, () => {
  let folder: TempDir
  let platform: HeldPlatform
  before(async () => {
    folder = tempDir('load')
    platform = await holdPlatform(folder.path, () => undefined)
  })
  after(async () => {
    await platform?.[Symbol.asyncDispose]()
    folder?.[Symbol.dispose]()
  })

  const run = async (scenario: string, seconds: number, more: readonly string[] = []) => {
    const report = join(folder.path, 'report')
    const flags = ['--duration', String(seconds), '--data-dir', folder.path, '--report', report, ...more]
    const { exitCode, output } = await load([scenario, ...tiny, ...flags])
    const read = (file: string): string => readFileSync(join(report, file), 'utf8')
    return { exitCode, output, read }
  }

  it('of a day at the tills posts each acknowledged receipt once', async () => {
    const { exitCode, output, read } = await run('till-day', 8)
    assert.equal(exitCode, 0, output)
    const [, acknowledged, posted] =
      /^- ([\d,]+) receipts and returns were acknowledged[\s\S]*^- ([\d,]+) of this run are in the ledger/m.exec(
        read('report.md'),
      ) ?? []
    assert.ok(Number(acknowledged) > 0)
    assert.equal(acknowledged, posted)
  })

  it('of phones that come back serves a signed card to each', async () => {
    const { exitCode, output, read } = await run('pull-back', 6)
    assert.equal(exitCode, 0, output)
    assert.match(read('report.md'), /^\| visit \| [1-9]\d* \| 0 \|/m)
    assert.match(read('report.html'), /<polyline/)
  })

  it('of a Black Friday reconciles tills, phones, enrolments and a campaign', async () => {
    const { exitCode, output, read } = await run('black-friday', 10)
    assert.equal(exitCode, 0, output)
    // One card in five has no consent: 100 cards, 80 phones.
    assert.match(read('report.md'), /^- 80 phones: 80 accepted, 0 failed/m)
    assert.match(read('report.md'), /^- ok {4}every card of a campaign was pushed/m)
  })

  it('fails when a threshold or an invariant is broken, and says which', async () => {
    const lost = join(folder.path, 'data', 'tills', 'lost.ndjson')
    writeFileSync(lost, `${JSON.stringify({ key: 'lost', id: randomUUID() })}\n`)
    const { exitCode, output } = await run('till-day', 5, ['--threshold', 'call_duration{kind:earn}=p(99)<0.001'])
    rmSync(lost)
    assert.equal(exitCode, 1, output)
    assert.match(output, /BROKEN threshold call_duration\{kind:earn\} p\(99\)<0\.001/)
    assert.match(output, /BROKEN every acknowledged receipt is in the ledger exactly once: receipt .* is there 0 times/)
  })
})
