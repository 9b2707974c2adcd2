import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { validatePassJson } from '@stampede/pkpass'
import { testBrand, testTemplate } from '../testing/fixture.ts'
import { type CardState, emptyDetails } from './card.ts'
import { type Design, parseDesign } from './design.ts'
import { googleObjectJson } from './google/index.ts'
import { passJson } from './pass-content.ts'
import { composeMessage } from './values.ts'
import { visibleDigest } from './visible.ts'

const brand = testBrand('alpha')
const state: CardState = {
  kind: 'member',
  member: {
    memberId: 'm',
    cardNumber: '4000000000000002',
    status: 'active',
    locale: 'en-GB',
    marketingConsent: true,
    sealedName: { keyVersion: 1, nonce: Buffer.alloc(12), ciphertext: Buffer.alloc(20) },
  },
  account: { available: 1_234n, nextExpiryAt: undefined, nextExpiryPoints: 0n, currency: 'GBP' },
  relevance: { places: [], beacons: [] },
  details: emptyDetails,
}
const field = (key: string, value: string, kind = '') => ({ key, label: 'L', value, changeMessage: '', kind })

function design(change: Parameters<typeof testTemplate>[0] = {}): Design {
  const parsed = parseDesign(testTemplate(change))
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.faults[0].reason)
  return parsed.design
}

function content(of: Design, shown = { name: 'Ann', message: '' }, now = state) {
  return passJson({ design: of, brand, state: now, serial: 'serial', shown, allowsNfc: true })
}

describe('pass.json of a card', () => {
  it('is valid for Wallet, with the message and the contact on the back', () => {
    const pass = validatePassJson(content(design(), { name: 'Ann', message: 'Sale!' }))
    assert.deepEqual(pass.storeCard?.primaryFields, [
      { key: 'points', value: 1234, label: 'Points', changeMessage: 'Now %@' },
    ])
    assert.equal(pass.storeCard?.secondaryFields?.[0]?.value, '£12.34')
    assert.deepEqual(pass.storeCard?.backFields?.slice(-2), [
      { key: 'message', label: 'Brand alpha', value: 'Sale!', changeMessage: '%@' },
      { key: 'contact', label: 'Brand alpha', value: 'help@alpha.test' },
    ])
    assert.equal(pass.backgroundColor, 'rgb(17, 34, 51)')
    assert.deepEqual(
      pass.barcodes?.map((barcode) => barcode.format),
      ['PKBarcodeFormatCode128', 'PKBarcodeFormatQR'],
    )
  })

  it('lets a design place message and contact by itself', () => {
    const own = design({ backFields: [field('news', '{message}'), field('contact', 'Call us')] })
    const keys = content(own).storeCard?.backFields?.map((item) => item.key)
    assert.deepEqual(keys, ['news', 'contact'])
  })

  it('sends a balance that no JSON number holds as text', () => {
    const rich = { ...state, account: { ...state.account, available: 9_007_199_254_740_993n } }
    const value = content(design(), undefined, rich).storeCard?.primaryFields?.[0]?.value
    assert.equal(value, '9,007,199,254,740,993')
  })

  it('is void for a blocked member', () => {
    const blocked = { ...state, member: { ...state.member, status: 'blocked' as const } }
    assert.equal(content(design(), undefined, blocked).voided, true)
  })
})

describe('a design', () => {
  const text = (key: string, value: string) => ({ key, label: 'L', value, changeMessage: '', kind: '' })

  it('is drawn in its style, and as a poster beside it', () => {
    const fields = { primaryFields: [text('a', 'A')], secondaryFields: [text('b', 'B')] }
    for (const [style, key] of [
      ['coupon', 'coupon'],
      ['generic', 'generic'],
      ['gift_card', 'storeCard'],
    ] as const) {
      const pass = validatePassJson(content(design({ ...fields, style, poster: true })))
      assert.ok(pass[key], style)
      assert.deepEqual(
        pass.posterGeneric?.primaryFields?.map((item) => item.key),
        ['a', 'b'],
      )
    }
    const [startsAt, endsAt] = [new Date('2026-12-01T18:00:00Z'), new Date('2026-12-01T22:00:00Z')]
    const event = validatePassJson(content(design({ ...fields, style: 'event', poster: true, startsAt, endsAt })))
    assert.deepEqual(event.preferredStyleSchemes, ['posterEventTicket', 'eventTicket'])
    assert.equal(event.relevantDate, '2026-12-01T18:00:00.000Z')
  })

  it('speaks the card’s language, with its plural forms', () => {
    const plural = '{points, plural, one {You have %@ point} other {You have %@ points}}'
    const russian =
      '{points, plural, one {У вас %@ балл} few {У вас %@ балла} many {У вас %@ баллов} other {У вас %@ балла}}'
    const points = { key: 'points', label: 'Points', value: '{points}', changeMessage: plural, kind: 'number' }
    const texts = { Points: 'Баллы', [plural]: russian }
    const speaks = design({ primaryFields: [points], secondaryFields: [], languages: [{ locale: 'ru', texts }] })
    const shown = (locale: string, available: bigint) => {
      const now = { ...state, member: { ...state.member, locale }, account: { ...state.account, available } }
      const field = content(speaks, undefined, now).storeCard?.primaryFields?.[0]
      return [field?.label, field?.changeMessage]
    }
    assert.deepEqual(shown('en', 1n), ['Points', 'You have %@ point'])
    assert.deepEqual(shown('ru-RU', 21n), ['Баллы', 'У вас %@ балл'])
    assert.deepEqual(shown('ru', 22n), ['Баллы', 'У вас %@ балла'])
    assert.deepEqual(shown('ru', 25n), ['Баллы', 'У вас %@ баллов'])
  })

  it('shows the values of a card, chosen by its tier', () => {
    const values = [
      { name: 'saved', kind: 'money', currency: 'RUB', defaultValue: '0' },
      { name: 'visit', kind: 'date', currency: '', defaultValue: '' },
    ]
    const greeting = '{tier, select, gold {Gold} other {Friend}}'
    const of = design({
      values,
      primaryFields: [text('saved', '{value.saved}')],
      secondaryFields: [text('hi', greeting), text('visit', '{value.visit}')],
    })
    const details = {
      ...emptyDetails,
      tier: 'gold',
      values: new Map([
        ['saved', '123456'],
        ['visit', '2026-11-25'],
      ]),
    }
    const card = { ...state, member: { ...state.member, locale: 'en-GB' }, details }
    const pass = content(of, undefined, card).storeCard
    assert.equal(pass?.primaryFields?.[0]?.value, 'RUB\u00a01,234.56')
    assert.deepEqual(
      pass?.secondaryFields?.map((item) => item.value),
      ['Gold', '25 Nov 2026'],
    )
  })

  it('goes out when its coupon is used: void and without a barcode', () => {
    const used = { ...state, details: { ...emptyDetails, lifecycle: 'used' as const } }
    const pass = content(design(), undefined, used)
    assert.deepEqual([pass.voided, pass.barcodes], [true, undefined])
    assert.notEqual(visibleDigest(design(), brand, state), visibleDigest(design(), brand, used))
    assert.equal(
      JSON.parse(googleObjectJson(brand, { design: design(), templateId: 'card', state: used, serial: 's' })).state,
      'COMPLETED',
    )
  })

  it('keeps former messages on the back, newest first', () => {
    const history = ['b', 'a'].map((word, day) => ({ at: new Date(Date.UTC(2026, 10, 20 - day)), text: word }))
    const shown = { name: '', message: 'c', history }
    const back = content(design({ messageHistory: 1 }), shown).storeCard?.backFields ?? []
    assert.deepEqual(
      back.filter((item) => /^(message|history)/.test(item.key)).map((item) => item.value),
      ['c', 'b'],
    )
  })

  it('names every fault of a template by its field', () => {
    const parsed = parseDesign(
      testTemplate({
        style: 'round',
        barcodeFormats: ['ean13'],
        links: [{ url: 'javascript:1', label: '' }],
        primaryFields: [{ key: 'a', label: '', value: '{nothing}', changeMessage: 'no place', kind: '' }],
      }),
    )
    assert.ok(!parsed.ok)
    assert.deepEqual(parsed.faults.map((fault) => fault.field).sort(), [
      'template.barcode_formats[0]',
      'template.links[0].url',
      'template.primary_fields[0].change_message',
      'template.primary_fields[0].value',
      'template.style',
    ])
  })
})

describe('the visible digest', () => {
  const poorer = { ...state, account: { ...state.account, available: 1_233n } }

  it('differs exactly when the design shows the difference', () => {
    const shows = design()
    const hides = design({ primaryFields: [], secondaryFields: [] })
    assert.notEqual(visibleDigest(shows, brand, state), visibleDigest(shows, brand, poorer))
    assert.equal(visibleDigest(hides, brand, state), visibleDigest(hides, brand, poorer))
    assert.equal(visibleDigest(undefined, brand, state), visibleDigest(undefined, brand, poorer))
  })

  it('sees another sealed name only where a name is shown, and other places always', () => {
    const renamed = { ...state, member: { ...state.member, sealedName: undefined } }
    const named = design({ headerFields: [field('name', 'Hi {name}')] })
    assert.notEqual(visibleDigest(named, brand, state), visibleDigest(named, brand, renamed))
    assert.equal(visibleDigest(design(), brand, state), visibleDigest(design(), brand, renamed))
    const place = { storeId: '', name: '', latitude: 1, longitude: 2, relevantText: '' }
    const moved = { ...state, relevance: { places: [place], beacons: [] } }
    assert.notEqual(visibleDigest(design(), brand, state), visibleDigest(design(), brand, moved))
  })

  it('does not see consent', () => {
    const silent = { ...state, member: { ...state.member, marketingConsent: false } }
    assert.equal(visibleDigest(design(), brand, state), visibleDigest(design(), brand, silent))
  })
})

describe('a campaign’s message', () => {
  const texts = [
    { locale: 'en', text: 'Hi {name}, {points, plural, one {# point} other {# points}}' },
    { locale: 'de', text: 'Hallo {name}' },
  ]
  const speaking = (locale: string) => ({ ...state, member: { ...state.member, locale } })

  it('is taken by locale, then language, then the first', () => {
    assert.equal(composeMessage(texts, speaking('en-GB'), brand, 'Ann'), 'Hi Ann, 1,234 points')
    assert.equal(composeMessage(texts, speaking('de-AT'), brand, 'Ann'), 'Hallo Ann')
    assert.equal(composeMessage(texts, speaking('fr'), brand, ''), 'Hi , 1,234 points')
    assert.equal(composeMessage([], speaking('fr'), brand, ''), '')
    assert.equal(composeMessage([{ locale: 'en', text: 'broken {' }], state, brand, ''), 'broken {')
  })
})
