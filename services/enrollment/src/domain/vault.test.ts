import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { SealError } from '@stampede/platform'
import { bodyHash, deriveBrandKeys, indexValue } from './keys.ts'
import {
  openPersonal,
  sealPersonal,
  unwrapBrandSecret,
  unwrapMemberKey,
  wrapBrandSecret,
  wrapMemberKey,
} from './vault.ts'

const randomKey = () => createSecretKey(randomBytes(32))
const master = randomKey()
const personal = {
  reference: 'crm-1',
  firstName: 'Zoë',
  lastName: 'Müller',
  email: 'z@example.com',
  phone: '+4412345678',
}

test('personal values open under the key, the brand and the member that they were sealed for', () => {
  const key = randomKey()
  const sealed = sealPersonal(key, 'demo', 'm1', personal)
  assert.deepEqual(openPersonal(key, 'demo', 'm1', sealed), personal)
  assert.throws(() => openPersonal(key, 'demo', 'm2', sealed), SealError)
  assert.throws(() => openPersonal(key, 'other', 'm1', sealed), SealError)
  assert.throws(() => openPersonal(randomKey(), 'demo', 'm1', sealed), SealError)
  assert.equal(sealed.includes('Zoë'), false)
})

test('without a key nothing is left of a member', () => {
  const sealed = sealPersonal(randomKey(), 'demo', 'm1', personal)
  const left = openPersonal(undefined, 'demo', 'm1', sealed)
  assert.deepEqual(Object.values(left), ['', '', '', '', ''])
})

test('wrapped keys come back, but not as those of another member or under another master key', () => {
  const key = randomBytes(32)
  const wrapped = wrapMemberKey(master, 'demo', 'm1', key)
  assert.deepEqual(unwrapMemberKey(master, 'demo', 'm1', wrapped), key)
  assert.throws(() => unwrapMemberKey(master, 'demo', 'm2', wrapped), SealError)
  assert.throws(() => unwrapMemberKey(randomKey(), 'demo', 'm1', wrapped), SealError)
  assert.deepEqual(unwrapBrandSecret(master, 'demo', wrapBrandSecret(master, 'demo', key)), key)
})

test('index values are the same for the same value and tell apart kinds and brands', () => {
  const keys = deriveBrandKeys(randomBytes(32))
  const value = indexValue(keys, 'email', 'z@example.com')
  assert.deepEqual(indexValue(keys, 'email', 'z@example.com'), value)
  assert.notDeepEqual(indexValue(keys, 'reference', 'z@example.com'), value)
  assert.notDeepEqual(indexValue(deriveBrandKeys(randomBytes(32)), 'email', 'z@example.com'), value)
})

test('the keys of a brand differ by purpose and are the same each time', () => {
  const secret = randomBytes(32)
  const { index, card, body } = deriveBrandKeys(secret)
  const bytes = [index.export(), Buffer.from(card), body.export()]
  assert.equal(new Set(bytes.map((key) => key.toString('hex'))).size, 3)
  const again = deriveBrandKeys(secret)
  assert.deepEqual([again.index.export(), Buffer.from(again.card), again.body.export()], bytes)
  assert.notDeepEqual(
    bodyHash({ index, card, body }, Buffer.from('a')),
    bodyHash({ index, card, body }, Buffer.from('b')),
  )
})
