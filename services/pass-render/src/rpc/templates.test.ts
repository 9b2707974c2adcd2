import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { until } from '@stampede/platform/testing'
import { Fixture, testBrand, testTemplate } from '../testing/fixture.ts'

const brand = 'alpha'
const cards = 200
let fixture: Fixture

before(async () => {
  fixture = await Fixture.start([testBrand(brand)])
  await fixture.client.putTemplate({ idempotencyKey: 'v1', brand, template: testTemplate({ logoText: 'One' }) })
  const wishes = Array.from({ length: cards }, (_, index) => ({ brand, card: { cardNumber: `N-${index}` } }))
  for await (const { result } of fixture.client.upsertPasses(wishes)) assert.equal(result?.$case, 'ok')
})
after(() => fixture[Symbol.asyncDispose]())

async function shown(): Promise<readonly string[]> {
  const { passes } = await fixture.client.listPasses({ brand, pageSize: cards })
  const rows = await fixture.database.query<{ no: bigint; owner_id: string }>(
    'SELECT no, owner_id FROM pass ORDER BY no',
  )
  const contents = await Promise.all(
    rows.map(({ owner_id: memberId }) => fixture.client.getPassContent({ brand, memberId })),
  )
  assert.equal(passes.length, contents.length)
  return contents.map(({ passJson }) => String((JSON.parse(passJson) as { logoText: string }).logoText))
}

describe('a template', () => {
  it('shows a canary to its share of the cards, and the old design to all of them after a roll-back', async () => {
    const template = testTemplate({ logoText: 'Two' })
    await fixture.client.putTemplate({ idempotencyKey: 'v2', brand, template, draft: true })
    assert.ok(
      (await shown()).every((text) => text === 'One'),
      'a draft shows nowhere',
    )
    const some = { idempotencyKey: 'some', brand, templateId: 'card', version: 2, permille: 200 }
    const { publication } = await fixture.client.publishTemplate(some)
    assert.deepEqual([publication?.stableVersion, publication?.canaryVersion, publication?.canaryPermille], [1, 2, 200])
    const canary = (await shown()).filter((text) => text === 'Two').length
    assert.ok(canary > cards * 0.1 && canary < cards * 0.3, `${canary} of ${cards}`)
    await fixture.client.publishTemplate({ ...some, idempotencyKey: 'back', version: 1, permille: 0 })
    assert.ok((await shown()).every((text) => text === 'One'))
    await fixture.client.publishTemplate({ ...some, idempotencyKey: 'all', permille: 1_000 })
    assert.ok((await shown()).every((text) => text === 'Two'))
    await until('the rollout is over', async () => (await fixture.database.query('SELECT 1 FROM rollout')).length === 0)
  })

  it('refuses a version that is not there and the same key with another wish', async () => {
    const wish = { idempotencyKey: 'other', brand, templateId: 'card', version: 9 }
    await assert.rejects(fixture.client.publishTemplate(wish), { code: 'NOT_FOUND', field: 'version' })
    const some = { idempotencyKey: 'some', brand, templateId: 'card', version: 2, permille: 300 }
    await assert.rejects(fixture.client.publishTemplate(some), { code: 'IDEMPOTENCY_CONFLICT' })
  })

  it('is drawn for a sample card before it is stored, and by its id afterwards', async () => {
    const template = testTemplate({ logoText: 'Drawn' })
    const card = { name: 'Анна', locale: 'ru', details: { points: 1_234n }, message: 'Привет, {name}' }
    const { previews } = await fixture.client.previewTemplate({ brand, template, card })
    assert.deepEqual(
      previews.map(({ side, width, svg, png }) => [side, width, svg.startsWith('<svg '), png[1]]),
      ['front', 'back', 'lock_screen'].map((side) => [side, 375, true, 'P'.charCodeAt(0)]),
    )
    const stored = await fixture.client.previewTemplate({ brand, templateId: 'card', card })
    assert.equal(stored.previews.length, previews.length)
    assert.notEqual(stored.previews[0]?.svg, previews[0]?.svg)
  })

  it('is not drawn for a sample that no card could be', async () => {
    const template = testTemplate()
    const draw = (card: object) => fixture.client.previewTemplate({ brand, template, card })
    await draw({ locale: 'a--b' })
    await assert.rejects(draw({ locale: 'ru_RU' }), { code: 'INVALID_ARGUMENT', field: 'card.locale' })
    await assert.rejects(draw({ cardNumber: 'a b' }), { code: 'INVALID_ARGUMENT', field: 'card.card_number' })
    await assert.rejects(draw({ message: '{nothing}' }), { code: 'INVALID_ARGUMENT', field: 'card.message' })
    const values = { details: { values: { none: '1' } } }
    await assert.rejects(draw(values), { code: 'INVALID_ARGUMENT', field: 'card.details.values[none]' })
    const faulty = { brand, template: testTemplate({ barcodeFormats: ['stripes'] }) }
    await assert.rejects(fixture.client.previewTemplate(faulty), { field: /^template\.barcode_formats/ })
    await assert.rejects(fixture.client.previewTemplate({ brand, templateId: 'none' }), { code: 'NOT_FOUND' })
  })

  it('is listed with its publication and its cards', async () => {
    const { templates } = await fixture.client.listTemplates({ brand })
    assert.deepEqual(
      templates.map(({ templateId, style, passes, publication }) => [
        templateId,
        style,
        passes,
        publication?.stableVersion,
      ]),
      [['card', 'store_card', BigInt(cards), 2]],
    )
  })
})
