import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from './hpack/testing/random.ts'
import type { RequestTemplate } from './request/template.ts'
import { InMemoryPeer } from './testing/in-memory.ts'
import { Ledger } from './testing/ledger.ts'
import { nastyTemper } from './testing/nasty-peer.ts'
import { pushBlock, pushPath, pushTemplate, singleRequest } from './testing/pushes.ts'
import { SessionRig } from './testing/session-rig.ts'

const full = process.env['STAMPEDE_FULL'] === '1'
const RUNS = full ? 2_000 : 100
const REQUESTS_MAX = 1_000
const firstSeed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const templates: readonly RequestTemplate[] = [
  pushTemplate(),
  pushTemplate({ headers: [['apns-priority', '5']], pathSuffix: '?a=b' }),
  pushTemplate({ body: Buffer.alloc(0) }),
  pushTemplate({ body: Buffer.alloc(1_500, 'payload '), headers: [['x-long', 'v'.repeat(900)]] }),
]

/** One connection from its preface to its end; then all that was left is ended. Returns what was wrong. */
async function runOnce(seed: number): Promise<string[]> {
  const random = new Random(seed)
  const ledger = new Ledger()
  const rig = new SessionRig()
  rig.releasesAtOnce = random.once(2)
  const memory = new InMemoryPeer(rig, random, nastyTemper, ledger)
  const blocks = Array.from({ length: 1 + random.below(4) }, (_, index) =>
    pushBlock(random.of(templates), index * REQUESTS_MAX, 1 + random.below(REQUESTS_MAX)),
  )
  for (const block of blocks) rig.submit(block)
  const singles = Array.from({ length: random.below(30) }, (_, index) =>
    rig.request(singleRequest(`/single/${index}`, Buffer.alloc(random.once(2) ? 0 : random.below(50_000), 'x'))),
  )
  memory.play(() => blocks.every(({ open }) => open === 0) && singles.every(({ settled }) => settled))
  const isOpen = rig.session.state !== 'ended' && !memory.peer.gone
  const unanswered = isOpen ? memory.settle() : 0
  rig.close()
  const faults = blocks.flatMap((block) => ledger.faults(block, (index) => pushPath(block, index)))
  for (const { head, outcome } of singles) faults.push(ledger.singleFault(head.path, await outcome))
  if (unanswered > 0) faults.push(`${unanswered} SETTINGS or PINGs are not answered`)
  const all = [...memory.peer.judge.violations, String(rig.error ?? ''), ...faults]
  return all.filter((fault) => fault !== '')
}

test('every request ends as the server’s doings allow, whatever legal thing it does', async () => {
  for (let run = 0; run < RUNS; run += 1) {
    const seed = firstSeed + run
    const faults = await runOnce(seed).catch((error: unknown) => [String(error)])
    assert.deepEqual(faults.slice(0, 5), [], `SEED=${seed}`)
  }
})
