import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { CertificationRequest } from 'pkijs'
import { createCsr, generateKeyPem, pemOf, publicKeyHash } from './key.ts'

test('a request proves its key, names its subject, and is the same each time', async () => {
  const key = await generateKeyPem()
  const csr = createCsr(key, 'pass.com.acme')
  assert.deepEqual(createCsr(key, 'pass.com.acme'), csr)
  const parsed = CertificationRequest.fromBER(new Uint8Array(csr))
  assert.ok(await parsed.verify())
  assert.equal(parsed.subject.typesAndValues[0]?.value.valueBlock.value, 'pass.com.acme')
  const spki = Buffer.from(parsed.subjectPublicKeyInfo.toSchema().toBER())
  assert.deepEqual(spki, createPublicKey(key).export({ type: 'spki', format: 'der' }))
  assert.match(pemOf('CERTIFICATE REQUEST', csr), /^-----BEGIN CERTIFICATE REQUEST-----\n(.{1,64}\n)+-----END/)
})

test('two keys differ in their hash, the halves of one do not', async () => {
  const key = await generateKeyPem()
  const publicPem = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
  assert.equal(publicKeyHash(key), publicKeyHash(publicPem))
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
  assert.notEqual(publicKeyHash(key), publicKeyHash(other.export({ type: 'spki', format: 'pem' }).toString()))
})
