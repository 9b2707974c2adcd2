import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Bytes behind an authentication token; as base64url it has 32 characters, Apple asks for 16. */
const AUTH_TOKEN_BYTES = 24
/** Bytes of a device's digest. */
const DIGEST_BYTES = 16
/** Longest install token that is looked at, in characters. */
const MAX_INSTALL_TOKEN_CHARS = 200

/** Whom an install token lets in. */
export interface InstallGrant {
  readonly brand: string
  readonly memberId: string
}

/** What the service's master key is used for, each with a key of its own. */
export interface Secrets {
  /** A new authentication token, encrypted for storage. */
  newAuthToken(brand: string, serial: string): Buffer
  /** The authentication token of a pass; throws when it was stored under another master key. */
  openAuthToken(sealed: Buffer, brand: string, serial: string): string
  /** The secret part of a member's download address: not guessable, always the same for the member. */
  installToken(grant: InstallGrant): string
  /** Names a device in analytics, where nobody may learn its id: that is what phones ask with. 16 bytes. */
  deviceDigest(brand: string, deviceLibraryId: string): Buffer
  /** Who is behind an install token; undefined when it is not one of ours. */
  openInstallToken(token: string): InstallGrant | undefined
}

/** Derives the service's secrets from its 32-byte master key. */
export function createSecrets(masterKey: Uint8Array): Secrets {
  // Key objects: taking a key from plain bytes costs several times as much as using it.
  const derive = (use: string) =>
    createSecretKey(new Uint8Array(hkdfSync('sha256', masterKey, '', `pass-render/${use}`, KEY_BYTES)))
  const authKey = derive('auth-token')
  const installKey = derive('install-token')
  const nonceKey = derive('install-nonce')
  const deviceKey = derive('device-digest')
  return {
    newAuthToken: (brand, serial) =>
      encrypt(authKey, randomBytes(NONCE_BYTES), randomBytes(AUTH_TOKEN_BYTES), `${brand}/${serial}`),
    openAuthToken: (sealed, brand, serial) => decrypt(authKey, sealed, `${brand}/${serial}`).toString('base64url'),
    installToken: ({ brand, memberId }) => {
      const plain = Buffer.from(`${memberId}/${brand}`)
      // A nonce from the content keeps the address stable, and no two contents share one.
      const nonce = createHmac('sha256', nonceKey).update(plain).digest().subarray(0, NONCE_BYTES)
      return encrypt(installKey, nonce, plain, 'install').toString('base64url')
    },
    deviceDigest: (brand, deviceLibraryId) =>
      createHmac('sha256', deviceKey).update(`${brand}/${deviceLibraryId}`).digest().subarray(0, DIGEST_BYTES),
    openInstallToken: (token) => openGrant(installKey, token),
  }
}

function openGrant(key: KeyObject, token: string): InstallGrant | undefined {
  if (token.length > MAX_INSTALL_TOKEN_CHARS || !/^[A-Za-z0-9_-]+$/.test(token)) return undefined
  const sealed = Buffer.from(token, 'base64url')
  // Decoding forgives trailing characters; an address is the member's only as we wrote it.
  if (sealed.toString('base64url') !== token) return undefined
  try {
    const [memberId = '', brand = ''] = decrypt(key, sealed, 'install').toString().split('/')
    return { memberId, brand }
  } catch {
    return undefined
  }
}

function encrypt(key: KeyObject, nonce: Buffer, plain: Buffer, aad: string): Buffer {
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(aad))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function decrypt(key: KeyObject, sealed: Buffer, aad: string): Buffer {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw new Error('too short to be sealed')
  const nonce = sealed.subarray(0, NONCE_BYTES)
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(aad))
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)), decipher.final()])
}

/** Compares texts in a time that tells nothing about where they differ, only whether they are of one length. */
export function equalInConstantTime(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(left), Buffer.from(right)]
  return one.length === other.length && timingSafeEqual(one, other)
}
