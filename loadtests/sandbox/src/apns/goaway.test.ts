import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { PassCertificate } from '../authority.ts'
import { readRows } from '../journal.ts'
import type { ApnsRow } from '../rows.ts'
import type { Sandbox } from '../sandbox.ts'
import { connectApns, push, startTestSandbox } from '../testing/index.ts'
import { tokenSeries } from './token-series.ts'

const PASS_TYPE_ID = 'pass.com.demo'
const ROUNDS = 10
const PUSHES = 100
let sandbox: Sandbox
let certificate: PassCertificate

before(async () => {
  sandbox = await startTestSandbox()
  certificate = sandbox.authority.issuePassCertificate({ passTypeId: PASS_TYPE_ID, teamId: 'DEMOTEAM01' })
})
after(async () => {
  await sandbox[Symbol.asyncDispose]()
})

interface Round {
  /** Last stream ids of the GOAWAYs, in order. */
  readonly lastStreamIds: readonly number[]
  /** Pushes that got an answer. */
  readonly answered: number
}

/** Sends a burst on a connection of its own; ends when every push has ended. */
async function burst(tokens: readonly string[]): Promise<Round> {
  const connection = await connectApns(sandbox, certificate)
  const lastStreamIds: number[] = []
  connection.on('goaway', (_code, lastStreamId) => lastStreamIds.push(lastStreamId))
  const closed = new Promise((resolve) => connection.once('close', resolve))
  const answers = await Promise.allSettled(tokens.map((token) => push(connection, token)))
  connection.close()
  await closed
  return { lastStreamIds, answered: answers.filter(({ status }) => status === 'fulfilled').length }
}

async function addTokens(seed: string): Promise<void> {
  const body = JSON.stringify({ seed, topic: PASS_TYPE_ID, count: PUSHES })
  await fetch(`http://127.0.0.1:${sandbox.controlPort}/tokens`, { method: 'POST', body })
}

async function pushedTokens(): Promise<ReadonlySet<string>> {
  const tokens = new Set<string>()
  for await (const { token } of readRows<ApnsRow>(join(sandbox.dir, 'apns.ndjson'))) tokens.add(token)
  return tokens
}

for (const [name, faults, good] of [
  ['after so many requests', { goawayEvery: 7 }, true],
  ['after too many errors', { goawayEvery: 0, errorLimit: 8 }, false],
] as const) {
  test(`a connection told to go ${name} answers up to the last stream and processes none after it`, async () => {
    sandbox.setFaults({ apns: faults })
    for (let round = 0; round < ROUNDS; round++) {
      const series = tokenSeries(`${name} ${round}`)
      if (good) await addTokens(`${name} ${round}`)
      const tokens = Array.from({ length: PUSHES }, (_, number) => series.token(number))
      const { lastStreamIds, answered } = await burst(tokens)
      const [first = 0] = lastStreamIds
      // Streams of a client are odd: the last one that is answered tells how many are.
      const taken = (first + 1) / 2
      assert.ok(
        lastStreamIds.every((last) => last === first),
        `the last stream changes: ${lastStreamIds.join(', ')}`,
      )
      assert.equal(answered, taken)
      const inLog = await pushedTokens()
      assert.deepEqual(
        tokens.map((token) => inLog.has(token)),
        tokens.map((_, number) => number < taken),
      )
    }
  })
}
