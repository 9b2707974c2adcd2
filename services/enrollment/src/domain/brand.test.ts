import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Brand } from '@stampede/proto/enrollment/v1'
import { checkNewBrand } from './brand.ts'

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
}

test('a full brand passes unchanged', () => {
  assert.deepEqual(checkNewBrand(brand), brand)
})

test('the weight defaults to 10, and issuer, ceiling and contact may be missing', () => {
  const sparse = checkNewBrand({ ...brand, weight: 0, googleIssuerId: '', maxBulkPerSecond: 0, contact: '' })
  assert.equal(sparse.weight, 10)
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
]
for (const [name, change, field] of wrong) {
  test(`${name} is refused as ${field}`, () => {
    assert.throws(() => checkNewBrand({ ...brand, ...change }), { code: 'INVALID_ARGUMENT', field })
  })
}
