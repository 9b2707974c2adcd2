import assert from 'node:assert/strict'
import { generateKeyPairSync, verify } from 'node:crypto'
import { test } from 'node:test'
import { assertionOf } from './assertion.ts'

test('an assertion says who wants what for an hour, and the account signed it', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const jwt = assertionOf({ clientEmail: 'a@b.example', privateKeyPem }, 'https://token.example/token', 1_700_000_000)
  const [header = '', claims = '', signature = '', ...rest] = jwt.split('.')
  assert.equal(rest.length, 0)
  const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
  assert.deepEqual(read(header), { alg: 'RS256', typ: 'JWT' })
  assert.deepEqual(read(claims), {
    iss: 'a@b.example',
    scope: 'https://www.googleapis.com/auth/wallet_object.issuer',
    aud: 'https://token.example/token',
    iat: 1_700_000_000,
    exp: 1_700_003_600,
  })
  assert.ok(verify('sha256', Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, 'base64url')))
  assert.ok(!verify('sha256', Buffer.from(`${header}.${claims}x`), publicKey, Buffer.from(signature, 'base64url')))
})
