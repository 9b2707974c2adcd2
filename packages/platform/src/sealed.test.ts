import assert from 'node:assert/strict'
import { createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { openBytes, openSealed, SealError, seal, sealBytes, sealedAad } from './sealed.ts'

const key = randomBytes(32)
const aad = sealedAad('demo', '0197', 'first_name')

test('a sealed text opens with the same key and additional data', () => {
  for (const text of ['', 'Ada', 'Zoë 😀', 'x'.repeat(10_000)])
    assert.equal(openSealed(key, seal(key, 3, text, aad), aad), text)
  assert.equal(seal(key, 3, 'Ada', aad).keyVersion, 3)
})

test('sealed bytes open with the same key and additional data', () => {
  const plain = randomBytes(32)
  assert.deepEqual(openBytes(key, sealBytes(key, plain, aad), aad), plain)
})

test('a KeyObject is as good as its bytes', () => {
  const object = createSecretKey(key)
  assert.equal(openSealed(object, seal(key, 1, 'Ada', aad), aad), 'Ada')
  assert.equal(openSealed(key, seal(object, 1, 'Ada', aad), aad), 'Ada')
})

test('the wire form is nonce, ciphertext and 16-byte tag, as any other AES-GCM reads it', () => {
  const sealed = seal(key, 1, 'Ada', aad)
  assert.equal(sealed.nonce.length, 12)
  assert.equal(sealed.ciphertext.length, 3 + 16)
  const other = createDecipheriv('aes-256-gcm', key, sealed.nonce)
  other.setAAD(Buffer.from('demo/0197/first_name'))
  other.setAuthTag(sealed.ciphertext.subarray(3))
  assert.equal(other.update(sealed.ciphertext.subarray(0, 3), undefined, 'utf8') + other.final('utf8'), 'Ada')
})

test('equal texts do not look equal', () => {
  assert.notDeepEqual(seal(key, 1, 'Ada', aad).ciphertext, seal(key, 1, 'Ada', aad).ciphertext)
})

test('another key, another member, another field or any changed byte is refused', () => {
  const sealed = seal(key, 1, 'Ada', aad)
  assert.throws(() => openSealed(randomBytes(32), sealed, aad), SealError)
  assert.throws(() => openSealed(key, sealed, sealedAad('demo', '0198', 'first_name')), SealError)
  assert.throws(() => openSealed(key, sealed, sealedAad('demo', '0197', 'last_name')), SealError)
  for (let index = 0; index < sealed.ciphertext.length; index++) {
    const ciphertext = Buffer.from(sealed.ciphertext)
    ciphertext.writeUInt8(ciphertext.readUInt8(index) ^ 1, index)
    assert.throws(() => openSealed(key, { ...sealed, ciphertext }, aad), SealError)
  }
})

test('cut or empty values are refused as such', () => {
  const sealed = seal(key, 1, 'Ada', aad)
  assert.throws(() => openSealed(key, { ...sealed, ciphertext: sealed.ciphertext.subarray(0, 15) }, aad), SealError)
  assert.throws(() => openSealed(key, { ...sealed, nonce: Buffer.alloc(0) }, aad), SealError)
  assert.throws(() => openSealed(key.subarray(1), sealed, aad), SealError)
  assert.throws(() => openBytes(key, new Uint8Array(5), aad), SealError)
})
