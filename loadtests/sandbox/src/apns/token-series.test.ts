import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectApns, push, startTestSandbox } from '../testing/index.ts'
import type { TokenDirectory } from './directory.ts'
import { SERIES_TOKENS_MAX, SeriesDirectory, tokenSeries } from './token-series.ts'

const topic = 'pass.com.demo'

function directory(): { readonly known: SeriesDirectory; readonly delivered: string[] } {
  const delivered: string[] = []
  const phones: TokenDirectory = {
    look: () => ({ kind: 'gone', sinceMs: 7 }),
    deliver: (token) => delivered.push(token),
  }
  return { known: new SeriesDirectory(phones), delivered }
}

test('a series gives every number a token of its own and finds it again', () => {
  const [a, b] = [tokenSeries('a'), tokenSeries('b')]
  for (const number of [0, 1, 255, 65_536, 2 ** 32 - 1]) {
    assert.match(a.token(number), /^[0-9a-f]{64}$/)
    assert.equal(a.numberOf(a.token(number)), number)
    assert.equal(b.numberOf(a.token(number)), undefined)
  }
  assert.equal(a.numberOf(`00${a.token(1)}`), undefined)
  assert.equal(tokenSeries('a').token(5), a.token(5))
})

test('the tokens below the count are known for their topic, all others are left to the phones', () => {
  const { known, delivered } = directory()
  const { token } = tokenSeries('a')
  known.add('a', topic, 10)
  assert.deepEqual(known.look(token(9), topic), { kind: 'active' })
  assert.deepEqual(known.look(token(9), 'pass.com.other'), { kind: 'other-topic' })
  for (const strange of [token(10), tokenSeries('b').token(0), `00${token(1)}`, token(1).slice(2), ''])
    assert.equal(known.look(strange, topic).kind, 'gone', strange)
  known.add('a', topic, 11)
  assert.equal(known.look(token(10), topic).kind, 'active')
  for (const number of [9, 11]) known.deliver(token(number), topic, 0)
  assert.deepEqual(delivered, [token(11)])
})

test('a count out of range is refused', () => {
  const { known } = directory()
  for (const count of [0, -1, 1.5, Number.NaN, SERIES_TOKENS_MAX + 1])
    assert.throws(() => known.add('a', topic, count), /count/)
})

test('a series that was asked for over the control API is pushed to, its neighbour is a bad token', async () => {
  await using sandbox = await startTestSandbox()
  const certificate = sandbox.authority.issuePassCertificate({ passTypeId: topic, teamId: 'DEMOTEAM01' })
  const post = async (body: object): Promise<readonly [status: number, text: string]> => {
    const url = `http://127.0.0.1:${sandbox.controlPort}/tokens`
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) })
    return [response.status, await response.text()]
  }
  assert.deepEqual(await post({ seed: 's', topic, count: 3 }), [200, JSON.stringify({ added: 3 })])
  assert.match((await post({ seed: 's', topic, count: 0 })).join(' '), /^400 .*count/)
  assert.match((await post({ seed: 1, topic, count: 1 })).join(' '), /^400 .*seed/)
  const session = await connectApns(sandbox, certificate)
  const { token } = tokenSeries('s')
  assert.equal((await push(session, token(2))).status, 200)
  assert.equal((await push(session, token(3))).reason, 'BadDeviceToken')
  session.close()
})
