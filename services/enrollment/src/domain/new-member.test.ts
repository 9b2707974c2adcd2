import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NewMember } from '@stampede/proto/enrollment/v1'
import { canonicalEmail, checkNewMember } from './new-member.ts'

const member: NewMember = {
  reference: 'crm-1',
  firstName: 'Zoë',
  lastName: 'Müller',
  email: 'zoe@example.com',
  phone: '+447700900123',
  locale: 'en-GB',
  marketingConsent: true,
  storeId: 'lon-1',
}

test('a full member passes unchanged', () => {
  assert.deepEqual(checkNewMember(member), member)
})

test('a member may tell nothing at all; the locale is then en', () => {
  const nothing = {
    ...member,
    reference: '',
    firstName: '',
    lastName: '',
    email: '',
    phone: '',
    locale: '',
    storeId: '',
  }
  assert.deepEqual(checkNewMember(nothing), { ...nothing, locale: 'en' })
})

test('a locale is brought to its canonical form', () => {
  assert.equal(checkNewMember({ ...member, locale: 'EN-gb' }).locale, 'en-GB')
})

test('limits count characters, not code units', () => {
  assert.equal(checkNewMember({ ...member, firstName: '😀'.repeat(80) }).firstName.length, 160)
})

const wrong: readonly (readonly [string, Partial<NewMember>, string])[] = [
  ['a reference of 81 characters', { reference: 'x'.repeat(81) }, 'member.reference'],
  ['a first name of 81 characters', { firstName: 'x'.repeat(81) }, 'member.first_name'],
  ['a first name with NUL', { firstName: 'a\0b' }, 'member.first_name'],
  ['a last name with a line break', { lastName: 'a\nb' }, 'member.last_name'],
  ['an address without @', { email: 'zoe' }, 'member.email'],
  ['an address with a space', { email: 'zoe @example.com' }, 'member.email'],
  ['an address of 255 characters', { email: `${'x'.repeat(243)}@example.com` }, 'member.email'],
  ['a phone number without +', { phone: '447700900123' }, 'member.phone'],
  ['a phone number with 16 digits', { phone: '+1234567890123456' }, 'member.phone'],
  ['a phone number with spaces', { phone: '+44 7700 900123' }, 'member.phone'],
  ['a locale that is none', { locale: 'not a locale' }, 'member.locale'],
  ['a store with a slash', { storeId: 'a/b' }, 'member.store_id'],
  ['a store of 65 characters', { storeId: 'x'.repeat(65) }, 'member.store_id'],
]
for (const [name, change, field] of wrong) {
  test(`${name} is refused as ${field}`, () => {
    assert.throws(() => checkNewMember({ ...member, ...change }), { code: 'INVALID_ARGUMENT', field })
  })
}

test('addresses of one person are equal whatever the case and the width of letters', () => {
  assert.equal(canonicalEmail('Zoe@Example.COM'), canonicalEmail('zoe@example.com'))
  assert.equal(canonicalEmail('ｚoe@example.com'), canonicalEmail('zoe@example.com'))
  assert.notEqual(canonicalEmail('zoe@example.com'), canonicalEmail('zoe@example.org'))
})
