import type { KeyObject } from 'node:crypto'
import { openBytes, sealBytes, sealedAad } from '@stampede/platform'

/** Personal values of a member. Fields may be empty, never absent. */
export interface Personal {
  readonly reference: string
  readonly firstName: string
  readonly lastName: string
  readonly email: string
  readonly phone: string
}

const erased: Personal = { reference: '', firstName: '', lastName: '', email: '', phone: '' }

/** Wraps a brand's secret under the master key. */
export function wrapBrandSecret(masterKey: KeyObject, brand: string, secret: Uint8Array): Buffer {
  return sealBytes(masterKey, secret, brandAad(brand))
}

/** Unwraps a brand's secret. Throws SealError if the master key is not the one that wrapped it. */
export function unwrapBrandSecret(masterKey: KeyObject, brand: string, wrapped: Uint8Array): Buffer {
  return openBytes(masterKey, wrapped, brandAad(brand))
}

/** Wraps a member's key under the master key. */
export function wrapMemberKey(masterKey: KeyObject, brand: string, memberId: string, key: Uint8Array): Buffer {
  return sealBytes(masterKey, key, sealedAad(brand, memberId, 'key'))
}

/** Unwraps a member's key. Throws SealError. */
export function unwrapMemberKey(masterKey: KeyObject, brand: string, memberId: string, wrapped: Uint8Array): Buffer {
  return openBytes(masterKey, wrapped, sealedAad(brand, memberId, 'key'))
}

/** Seals a member's personal values under the member's key. */
export function sealPersonal(key: KeyObject, brand: string, memberId: string, personal: Personal): Buffer {
  const { reference, firstName, lastName, email, phone } = personal
  const plain = JSON.stringify({ reference, firstName, lastName, email, phone })
  return sealBytes(key, Buffer.from(plain), sealedAad(brand, memberId, 'personal'))
}

/** Opens a member's personal values; without a key (after erasure) all are empty. Throws SealError. */
export function openPersonal(
  key: Uint8Array | KeyObject | undefined,
  brand: string,
  memberId: string,
  sealed: Uint8Array,
): Personal {
  if (key === undefined) return erased
  const plain = openBytes(key, sealed, sealedAad(brand, memberId, 'personal'))
  return { ...erased, ...(JSON.parse(plain.toString('utf8')) as Partial<Personal>) }
}

function brandAad(brand: string): string {
  return `${brand}/brand-secret`
}
