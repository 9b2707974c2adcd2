import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Brand } from '@stampede/proto/enrollment/v1'
import { brandContent, checkNewBrand } from './brand.ts'

const brand: Brand = {
  brand: 'corner-shop',
  name: 'Corner Shop',
  timeZone: 'Europe/London',
  currency: 'GBP',
  passTypeId: 'pass.com.example.corner-shop',
  teamId: 'ABCDE12345',
  googleIssuerId: '3388000000022222222',
  weight: 20,
  maxBulkPerSecond: 5_000,
  contact: '1 High Street, London',
  pushType: 'none',
  pushPriority: 10,
  pushExpirationSeconds: 3_600,
  domain: '',
}

const pushDefaults = { pushType: 'background', pushPriority: 5, pushExpirationSeconds: 86_400 }

test('a full brand passes unchanged', () => {
  assert.deepEqual(checkNewBrand(brand), brand)
})

test('the weight defaults to 10, and issuer, ceiling and contact may be missing', () => {
  const sparse = checkNewBrand({ ...brand, weight: 0, googleIssuerId: '', maxBulkPerSecond: 0, contact: '' })
  assert.equal(sparse.weight, 10)
})

test('push settings default to background, priority 5 and a day', () => {
  const { pushType, pushPriority, pushExpirationSeconds } = checkNewBrand({
    ...brand,
    pushType: '',
    pushPriority: 0,
    pushExpirationSeconds: 0,
  })
  assert.deepEqual({ pushType, pushPriority, pushExpirationSeconds }, pushDefaults)
})

test('a request from before there were push settings counts as the same when it is repeated', () => {
  const { pushType: _, pushPriority: __, pushExpirationSeconds: ___, ...old } = brand
  const before = Buffer.from(Brand.encode(Brand.fromPartial(old)).finish())
  assert.deepEqual(brandContent(checkNewBrand(Brand.fromPartial(old))), before)
  assert.notDeepEqual(brandContent(brand), before)
})

const wrong: readonly (readonly [string, Partial<Brand>, string])[] = [
  ['a slug in capitals', { brand: 'Corner' }, 'brand.brand'],
  ['a slug of 41 characters', { brand: 'a'.repeat(41) }, 'brand.brand'],
  ['no name', { name: '' }, 'brand.name'],
  ['a name of 61 characters', { name: 'x'.repeat(61) }, 'brand.name'],
  ['a name with a line break', { name: 'a\nb' }, 'brand.name'],
  ['a time zone that does not exist', { timeZone: 'Europe/Atlantis' }, 'brand.time_zone'],
  ['an offset instead of a time zone', { timeZone: '+01:00' }, 'brand.time_zone'],
  ['no time zone', { timeZone: '' }, 'brand.time_zone'],
  ['a currency that does not exist', { currency: 'QQQ' }, 'brand.currency'],
  ['a currency in small letters', { currency: 'gbp' }, 'brand.currency'],
  ['a pass type id without its prefix', { passTypeId: 'com.example' }, 'brand.pass_type_id'],
  ['a pass type id with an empty label', { passTypeId: 'pass.com..example' }, 'brand.pass_type_id'],
  ['a pass type id with a wildcard', { passTypeId: 'pass.*' }, 'brand.pass_type_id'],
  ['a team of 9 characters', { teamId: 'ABCDE1234' }, 'brand.team_id'],
  ['an issuer with letters', { googleIssuerId: '33880a' }, 'brand.google_issuer_id'],
  ['a weight of 101', { weight: 101 }, 'brand.weight'],
  ['a negative weight', { weight: -1 }, 'brand.weight'],
  ['a negative ceiling', { maxBulkPerSecond: -1 }, 'brand.max_bulk_per_second'],
  ['a contact of 201 characters', { contact: 'x'.repeat(201) }, 'brand.contact'],
  ['a push type that passes do not have', { pushType: 'alert' }, 'brand.push_type'],
  ['a priority that Apple does not know', { pushPriority: 7 }, 'brand.push_priority'],
  ['a background push at priority 10', { pushType: 'background' }, 'brand.push_priority'],
  ['a push that is kept for over 30 days', { pushExpirationSeconds: 2_592_001 }, 'brand.push_expiration_seconds'],
  ['a push that expires before it is sent', { pushExpirationSeconds: -1 }, 'brand.push_expiration_seconds'],
]
for (const [name, change, field] of wrong) {
  test(`${name} is refused as ${field}`, () => {
    assert.throws(() => checkNewBrand({ ...brand, ...change }), { code: 'INVALID_ARGUMENT', field })
  })
}
