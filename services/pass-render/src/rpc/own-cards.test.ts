import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { StampedeError } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import type { UpsertPassesResponse } from '@stampede/proto/passes/v1'
import { Fixture, testBrand, testTemplate } from '../testing/fixture.ts'

const brand = 'alpha'
let fixture: Fixture

before(async () => {
  fixture = await Fixture.start([testBrand(brand), testBrand('other')])
  const value = { key: 'visits', label: 'Visits', value: '{value.visits}' }
  const template = testTemplate({
    secondaryFields: [value],
    values: [{ name: 'visits', kind: 'integer', currency: '', defaultValue: '0' }],
  } as Parameters<typeof testTemplate>[0])
  await fixture.client.putTemplate({ idempotencyKey: 'card', brand, template })
  await fixture.client.putTemplate({ idempotencyKey: 'gold', brand, templateId: 'gold', template })
})
after(() => fixture[Symbol.asyncDispose]())

describe('a card of a customer who lives elsewhere', () => {
  it('is made once, and the same request again changes nothing', async () => {
    const request = { brand, cardNumber: 'CRM-1', details: { values: { visits: '3' }, points: 12n } }
    const first = await fixture.client.upsertPass(request)
    const again = await fixture.client.upsertPass(request)
    assert.deepEqual([first.created, first.changed, again.created, again.changed], [true, true, false, false])
    assert.equal(first.pass?.serial, again.pass?.serial)
    assert.equal(first.pass?.version, again.pass?.version)
    assert.match(first.installQrSvg, /^<svg/)
  })

  it('ignores what is older than what is stored', async () => {
    const at = (version: bigint, points: bigint) =>
      fixture.client.upsertPass({ brand, cardNumber: 'CRM-2', version, details: { points } })
    await at(5n, 50n)
    assert.equal((await at(4n, 40n)).changed, false)
    assert.equal((await at(6n, 60n)).changed, true)
    const { details } = await fixture.client.getCard({ brand, cardNumber: 'CRM-2' })
    assert.equal(details?.points, 60n)
  })

  it('refuses unknown templates and wrong values, naming the field', async () => {
    const wrong = [
      [{ templateId: 'nowhere' }, 'NOT_FOUND', 'template_id'],
      [{ details: { values: { visits: 'x' } } }, 'INVALID_ARGUMENT', 'details.values[visits]'],
      [{ details: { values: { other: '1' } } }, 'INVALID_ARGUMENT', 'details.values[other]'],
      [{ details: { lifecycle: 'gone' } }, 'INVALID_ARGUMENT', 'details.lifecycle'],
      [{ cardNumber: 'no spaces' }, 'INVALID_ARGUMENT', 'card_number'],
    ] as const
    for (const [change, code, field] of wrong) {
      await assert.rejects(fixture.client.upsertPass({ brand, cardNumber: 'CRM-3', ...change }), (error: unknown) => {
        assert.ok(error instanceof StampedeError)
        assert.deepEqual([error.code, error.field], [code, field])
        return true
      })
    }
    await assert.rejects(fixture.client.getCard({ brand, cardNumber: 'CRM-3' }))
  })

  it('comes by stream, each request with its own answer', async () => {
    const cards = ['S-1', 'S-2', 'bad number', 'S-1'].map((cardNumber, index) => ({
      brand,
      card: { cardNumber, details: { points: BigInt(index) } },
    }))
    const answers: UpsertPassesResponse[] = []
    for await (const answer of fixture.client.upsertPasses(cards)) answers.push(answer)
    assert.deepEqual(
      answers.map(({ index, result }) => [index, result?.$case === 'ok' ? result.value.created : result?.value.field]),
      [
        [0n, true],
        [1n, true],
        [2n, 'card_number'],
        [3n, false],
      ],
    )
    const { details } = await fixture.client.getCard({ brand, cardNumber: 'S-1' })
    assert.equal(details?.points, 3n)
  })

  it('takes the template that the rules pick, and moves when they change', async () => {
    const rules = [{ tier: 'gold', segment: '', channel: '', templateId: 'gold' }]
    await fixture.client.upsertPass({ brand, cardNumber: 'R-1', details: { tier: 'gold' } })
    await fixture.client.putTemplateRules({ idempotencyKey: 'rules', brand, rules })
    await until('the card has moved', async () => {
      const { pass } = await fixture.client.getCard({ brand, cardNumber: 'R-1' })
      return pass?.templateId === 'gold'
    })
    const fresh = await fixture.client.upsertPass({ brand, cardNumber: 'R-2', details: { tier: 'gold' } })
    assert.equal(fresh.pass?.templateId, 'gold')
    const plain = await fixture.client.upsertPass({ brand, cardNumber: 'R-3' })
    assert.equal(plain.pass?.templateId, 'card')
  })

  it('gets a message by its number, once per key; who may not be told is named', async () => {
    await fixture.client.upsertPass({ brand, cardNumber: 'M-1' })
    await fixture.client.upsertPass({ brand, cardNumber: 'M-2', marketingConsent: false })
    const request = {
      idempotencyKey: 'hello',
      brand,
      cardNumbers: ['M-1', 'M-2', 'M-9'],
      texts: [{ locale: 'en', text: 'Hello {points}' }],
    }
    const answer = await fixture.client.messageCards(request)
    assert.deepEqual([answer.cards, answer.silent, answer.unknown], [1, ['M-2'], ['M-9']])
    assert.deepEqual(await fixture.client.messageCards(request), answer)
    await assert.rejects(fixture.client.messageCards({ ...request, cardNumbers: ['M-1'] }), {
      code: 'IDEMPOTENCY_CONFLICT',
    })
  })

  it('is not there for another brand', async () => {
    await fixture.client.upsertPass({ brand, cardNumber: 'B-1' })
    await assert.rejects(fixture.client.getCard({ brand: 'other', cardNumber: 'B-1' }), { code: 'NOT_FOUND' })
  })
})
