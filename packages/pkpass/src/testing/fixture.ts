// What the tests of this package share; not part of its test kit.
import assert from 'node:assert/strict'
import { createSigner, type PassJson, PkpassError, type Signer } from '../index.ts'
import { createTestAuthority, type PassCredentials, type TestAuthority } from './authority.ts'
import { testPng } from './png.ts'

/** The instant at which the tests sign and verify. */
export const now = new Date('2026-11-21T10:00:00Z')
export const identity = { passTypeIdentifier: 'pass.example.demo', teamIdentifier: 'ABCDE12345' }

/** Images of a design, by file name. */
export const images: Readonly<Record<string, Buffer>> = {
  'icon.png': testPng(38, 38, 0x224466),
  'icon@2x.png': testPng(76, 76, 0x224466),
  'logo.png': testPng(160, 50, 0x882211),
}

/** A valid member's card. */
export const memberPass: PassJson = {
  formatVersion: 1,
  ...identity,
  serialNumber: 'a-serial',
  organizationName: 'Demo',
  description: 'Demo card',
  storeCard: { primaryFields: [{ key: 'points', label: 'Points', value: 12, changeMessage: 'Now %@' }] },
  backgroundColor: 'rgb(1, 2, 255)',
  barcodes: [{ format: 'PKBarcodeFormatQR', message: 'Grüße €', messageEncoding: 'utf-8' }],
  webServiceURL: 'https://example.test',
  authenticationToken: '0123456789abcdef',
}

/** An authority, a certificate of the identity above, and its signer. */
export interface TestIssuer {
  readonly authority: TestAuthority
  readonly credentials: PassCredentials
  readonly signer: Signer
}

/** Makes an issuer; `nfc` asks for the NFC-enabled kind of certificate. */
export async function testIssuer(nfc = false): Promise<TestIssuer> {
  const authority = await createTestAuthority(now)
  const credentials = await authority.issue({ ...identity, nfc })
  return { authority, credentials, signer: await createSigner({ ...credentials, ...identity }, now) }
}

/** A signer that counts what it is asked to sign. */
export interface CountingSigner extends Signer {
  signed(): number
}

/** Wraps a signer so that a test can tell that nothing was signed. */
export function countingSigner(signer: Signer): CountingSigner {
  let count = 0
  return {
    ...signer,
    signed: () => count,
    sign(manifest, signingTime) {
      count += 1
      return signer.sign(manifest, signingTime)
    },
  }
}

/** For `assert.rejects` and `assert.throws`: a PkpassError with this code and path. */
export function refused(code: string, path: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PkpassError, String(error))
    assert.deepEqual([error.code, error.path], [code, path], error.message)
    return true
  }
}
