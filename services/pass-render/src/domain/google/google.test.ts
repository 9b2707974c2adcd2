import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { checkGoogleResource } from '@stampede/sandbox'
import { testBrand, testTemplate } from '../../testing/fixture.ts'
import { type CardState, emptyDetails } from '../card.ts'
import { type Design, parseDesign, type Style, styles } from '../design.ts'
import {
  googleClassId,
  googleClassJson,
  googleObjectId,
  googleObjectJson,
  googleObjectSerial,
  passTypeOf,
} from './index.ts'

const brand = testBrand('alpha')
const serial = '01970000-0000-7000-8000-000000000001'
const state: CardState = {
  kind: 'member',
  member: {
    memberId: 'm',
    cardNumber: '4000000000000002',
    status: 'active',
    locale: 'en-GB',
    marketingConsent: true,
    sealedName: undefined,
  },
  account: { available: 1_234n, nextExpiryAt: undefined, nextExpiryPoints: 0n, currency: 'GBP' },
  relevance: {
    places: [{ storeId: 's', name: 'Soho', latitude: 51.5, longitude: -0.1, relevantText: '' }],
    beacons: [],
  },
  details: { ...emptyDetails, tier: 'gold' },
}
const nfc = {
  message: '{card_number}',
  encryptionPublicKey: generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
    .publicKey.export({ format: 'der', type: 'spki' })
    .toString('base64'),
  requiresAuthentication: false,
  redemptionIssuers: [],
}

const times = { startsAt: new Date('2026-12-01T18:00:00Z'), endsAt: new Date('2026-12-01T22:00:00Z') }

function design(style: Style, change: Parameters<typeof testTemplate>[0] = {}): Design {
  const parsed = parseDesign(
    testTemplate({
      style,
      googleLogoUrl: 'https://alpha.test/logo.png',
      googleHeroUrl: 'https://alpha.test/hero.png',
      headerFields: [{ key: 'tier', label: 'Tier', value: '{tier}', changeMessage: '', kind: '' }],
      auxiliaryFields: [{ key: 'hello', label: 'Hello', value: 'Dear {name}', changeMessage: '', kind: '' }],
      links: [{ url: 'https://alpha.test/{card_number}', label: 'Account' }],
      languages: [{ locale: 'ru', texts: { Tier: 'Уровень', Points: 'Баллы', Account: 'Кабинет' } }],
      ...(style === 'event' ? times : {}),
      ...change,
    }),
  )
  assert.ok(parsed.ok, parsed.ok ? '' : `${parsed.faults[0].field} ${parsed.faults[0].reason}`)
  return parsed.design
}

function classOf(of: Design, templateId = 'card', allowsNfc = false) {
  const parts = { templateId, logoUrl: 'https://x.test/logo.png', callbackUrl: 'https://x.test/cb', allowsNfc }
  return JSON.parse(googleClassJson(brand, of, parts))
}

function objectOf(of: Design, now = state, templateId = 'card') {
  return JSON.parse(googleObjectJson(brand, { design: of, templateId, state: now, serial }))
}

const russian = { ...state, member: { ...state.member, locale: 'ru' } }
const used = { ...state, details: { ...state.details, lifecycle: 'used' as const } }
const erased = { ...state, member: { ...state.member, status: 'erased' as const } }
const rich = { ...state, account: { ...state.account, available: 9_007_199_254_740_993n } }

describe('Google’s resources', () => {
  for (const style of styles) {
    const type = passTypeOf(style)

    it(`of a ${style} are a ${type} that Google takes, whatever the card`, () => {
      const [cardClass, own] = [classOf(design(style)), design(style)]
      assert.equal(checkGoogleResource(`${type}Class`, cardClass), undefined)
      for (const now of [state, russian, used, erased, rich]) {
        const object = objectOf(own, now)
        assert.equal(checkGoogleResource(`${type}Object`, object), undefined, JSON.stringify(object))
        assert.deepEqual([object.classId, googleObjectSerial(brand, object.id)], [cardClass.id, serial])
        assert.ok(!JSON.stringify(object).includes('Dear'), 'a field with a name stays on the phone')
      }
      assert.deepEqual([objectOf(own, used).state, objectOf(own, used).barcode], ['COMPLETED', undefined])
      const gone = objectOf(own, erased)
      assert.deepEqual([gone.state, gone.barcode, gone.textModulesData], ['INACTIVE', undefined, undefined])
      assert.ok(!JSON.stringify(gone).includes('4000000000000002'), 'nothing of an erased member is left')
    })
  }

  it('show what the front shows, in the card’s language', () => {
    const english = objectOf(design('store_card'))
    assert.deepEqual(english.textModulesData, [
      { id: 'tier', header: 'Tier', body: 'gold' },
      { id: 'worth', header: 'Worth', body: '£12.34' },
    ])
    assert.deepEqual(english.loyaltyPoints, { label: 'Points', balance: { int: 1234 } })
    const other = objectOf(design('store_card'), russian)
    assert.deepEqual([other.textModulesData[0].header, other.loyaltyPoints.label], ['Уровень', 'Баллы'])
    assert.equal(other.linksModuleData.uris[0].description, 'Кабинет')
  })

  it('show the tier beside the points, with its picture', () => {
    const tiers = [{ tier: 'gold', name: 'Gold', label: 'Level', googleHeroUrl: 'https://alpha.test/gold.png' }]
    const object = objectOf(design('store_card', { tiers }))
    assert.deepEqual(object.secondaryLoyaltyPoints, { label: 'Level', balance: { string: 'Gold' } })
    assert.equal(object.heroImage.sourceUri.uri, 'https://alpha.test/gold.png')
    assert.equal(checkGoogleResource('loyaltyObject', object), undefined)
    const silver = { ...state, details: { ...state.details, tier: 'silver' } }
    assert.equal(objectOf(design('store_card', { tiers }), silver).secondaryLoyaltyPoints, undefined)
  })

  it('hold balances that no 32 bits hold', () => {
    assert.deepEqual(objectOf(design('store_card'), rich).loyaltyPoints.balance, { string: '9007199254740993' })
    const { balance } = objectOf(design('gift_card'))
    assert.deepEqual(balance, { currencyCode: 'GBP', micros: '12340000' })
  })

  it('end with their validity and have the barcode that the design says', () => {
    const own = design('coupon', { barcodeValue: 'C-{card_number}', expiresAt: new Date('2027-01-01T00:00:00Z') })
    const object = objectOf(own)
    assert.deepEqual(object.validTimeInterval, { end: { date: '2027-01-01T00:00:00.000Z' } })
    assert.equal(object.barcode.value, 'C-4000000000000002')
  })

  it('tap only where the brand may', () => {
    const own = design('store_card', { nfc })
    assert.equal(classOf(own).enableSmartTap, undefined)
    const tapping = classOf(own, 'card', true)
    assert.deepEqual([tapping.enableSmartTap, tapping.redemptionIssuers], [true, [brand.googleIssuerId]])
    assert.equal(checkGoogleResource('loyaltyClass', tapping), undefined)
    assert.equal(objectOf(own).smartTapRedemptionValue, '4000000000000002')
    assert.equal(objectOf(own, used).smartTapRedemptionValue, undefined)
  })
})

describe('Google’s ids', () => {
  it('keep a store card whatever its template, and give each coupon template a class of its own', () => {
    const id = (templateId: string, passType: 'loyalty' | 'offer') => [
      googleClassId(brand, { templateId, passType }),
      googleObjectId(brand, { templateId, passType }, serial),
    ]
    assert.deepEqual(id('gold', 'loyalty'), id('card', 'loyalty'))
    assert.notDeepEqual(id('summer', 'offer'), id('winter', 'offer'))
    for (const one of [...id('gold', 'loyalty'), ...id('a-1', 'offer')]) assert.match(one, /^\d+\.[A-Za-z0-9._-]+$/)
  })

  it('are ours only with our issuer, our brand and a serial', () => {
    const own = googleObjectId(brand, { templateId: 'summer', passType: 'offer' }, serial)
    assert.equal(googleObjectSerial(brand, own), serial)
    assert.equal(googleObjectSerial(testBrand('beta'), own), undefined)
    assert.equal(googleObjectSerial(brand, own.replace('offer', 'flight')), undefined)
    assert.equal(googleObjectSerial(brand, `${brand.googleIssuerId}.alpha.card`), undefined)
  })
})
