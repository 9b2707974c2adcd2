import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApnsRow, PhoneRow } from '@stampede/sandbox'
import { describeFinding } from './findings.ts'
import { readHoldings } from './holdings.ts'
import { checkCampaign, checkTopics, readAccepted } from './pushes.ts'
import { accepted, finishedAtMs, install, passTypeId, remove, show, startedAtMs, tokens } from './testing/story.ts'

const [token] = tokens
const other = 'pass.example.other'
const before = startedAtMs - 60_000
const during = startedAtMs + 5_000
const later = finishedAtMs + 60_000
const held = [install(token, 's-1', before), show(token, 's-1', before + 100)]

async function* rowsOf<Row>(rows: readonly Row[]): AsyncGenerator<Row> {
  yield* rows
}

async function campaign(phones: readonly PhoneRow[], pushes: readonly ApnsRow[]): Promise<string> {
  const done = { campaignId: 'c', startedAtMs, finishedAtMs, serials: ['s-1'] }
  const finding = checkCampaign(done, await readHoldings(rowsOf(phones)), await readAccepted(rowsOf(pushes)))
  return finding.ok === true ? `${finding.count} checked` : describeFinding(finding)
}

async function topics(phones: readonly PhoneRow[], push: ApnsRow): Promise<string> {
  const finding = await checkTopics(rowsOf([push]), await readHoldings(rowsOf(phones)))
  return finding.ok === true ? `${finding.count} checked` : describeFinding(finding)
}

const wrong = `WRONG every card of a campaign was pushed: campaign c: pass s-1 on token ${token} got no push`

const campaigns: readonly (readonly [string, readonly PhoneRow[], readonly ApnsRow[], string])[] = [
  ['a phone that was pushed in its time', held, [accepted(token, during)], '1 checked'],
  ['a phone that was pushed before only', held, [accepted(token, before)], wrong],
  ['a phone that was pushed afterwards only', held, [accepted(token, later)], wrong],
  ['a phone whose push was refused', held, [{ ...accepted(token, during), status: 503 }], wrong],
  ['a phone that was pushed for another brand only', held, [{ ...accepted(token, during), topic: other }], wrong],
  ['a card that was removed before the start', [...held, remove(token, 's-1', startedAtMs - 1)], [], '0 checked'],
  ['a card that was removed on the way', [...held, remove(token, 's-1', during)], [], '0 checked'],
  ['a card that was removed after the end', [...held, remove(token, 's-1', later)], [], wrong],
  [
    'a card that was removed and taken back before the start',
    [
      ...held,
      remove(token, 's-1', before + 200),
      install(token, 's-1', before + 300),
      show(token, 's-1', before + 400),
    ],
    [],
    wrong,
  ],
  [
    'a card that was taken after the start',
    [install(token, 's-1', during), show(token, 's-1', during)],
    [],
    '0 checked',
  ],
  [
    'a card whose registration was confirmed after the start',
    [install(token, 's-1', before), show(token, 's-1', during)],
    [],
    '0 checked',
  ],
  [
    'a card on two phones of which one was pushed',
    [...held, install(tokens[1], 's-1', before), show(tokens[1], 's-1', before)],
    [accepted(tokens[1], during)],
    wrong,
  ],
]

for (const [name, phones, pushes, expected] of campaigns) {
  test(`a campaign: ${name}`, async () => {
    assert.equal(await campaign(phones, pushes), expected)
  })
}

test('a push agrees with its phone and its certificate', async () => {
  assert.equal(await topics(held, accepted(token, during)), '1 checked')
})

test('a phone may hold cards of two brands under one token', async () => {
  const second = { ...install(token, 's-2', before), passTypeId: other }
  assert.equal(
    await topics([...held, second], { ...accepted(token, during), topic: other, certUid: other }),
    '1 checked',
  )
})

test('a push with the certificate of another topic is named', async () => {
  const row = await topics(held, { ...accepted(token, during), certUid: other })
  assert.match(row, new RegExp(`token of ${passTypeId}, topic ${passTypeId}, certificate ${other}$`))
})

test("a push to another brand's token is named", async () => {
  const row = await topics(held, { ...accepted(token, during), topic: other, certUid: other })
  assert.match(row, new RegExp(`token of ${passTypeId}, topic ${other}, certificate ${other}$`))
})

test("a push to nobody's token is named", async () => {
  assert.match(await topics([], accepted(token, during)), /token of nobody/)
})

test('a push that was refused proves nothing', async () => {
  assert.equal(await topics([], { ...accepted(token, during), status: 400 }), '0 checked')
})
