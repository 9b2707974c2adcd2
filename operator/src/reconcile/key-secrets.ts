import { certificatePemOf, readCertificate } from '../apple/certificate.ts'
import { generateKeyPem, publicKeyHash } from '../apple/key.ts'
import type { Context } from '../context.ts'
import type { Brand } from '../crd/brand.ts'
import { brandLabel, group } from '../crd/meta.ts'
import type { KeyRecord } from '../domain/certificate.ts'
import { header, nameOf, type SecretObject, secrets } from '../kernel/index.ts'

/** A key as its Secret holds it. */
export interface StoredKey {
  readonly record: KeyRecord
  readonly secret: SecretObject
  readonly keyPem: string
  /** SHA-256 of the public half, base64. */
  readonly publicKeyHash: string
  readonly certPem: string | undefined
  /** The intermediate that issued it. */
  readonly wwdrPem: string | undefined
}

/** Label with the number of the key; only our own Secrets have it. */
export const revisionLabel = `${group}/revision`
const requestedAnnotation = `${group}/requested-at`
const entries = { key: 'key.pem', certificate: 'certificate.pem' } as const

/** All keys of a brand, read from the API server itself: a cache that lags would make a second key. */
export async function listKeys(context: Context, brand: Brand): Promise<readonly StoredKey[]> {
  const labelSelector = `${brandLabel}=${brand.metadata.name},${revisionLabel}`
  const { items } = await context.store.list(secrets, { namespace: context.namespace, labelSelector })
  const read = await Promise.all(items.map((secret) => readKey(context, brand, secret)))
  return read.filter((key) => key !== undefined)
}

/** Makes a private key in a Secret of its own, before anybody is asked for its certificate. */
export async function createKey(context: Context, brand: Brand, revision: number): Promise<StoredKey> {
  const { name } = brand.metadata
  const labels = {
    [brandLabel]: name,
    [revisionLabel]: String(revision),
    'app.kubernetes.io/managed-by': 'stampede-operator',
  }
  const metadata = { namespace: context.namespace, name: `${name}-apple-${revision}`, labels }
  const data = { [entries.key]: encode(await generateKeyPem()) }
  // Who was faster has made it: refused by the server, and read at the next try.
  const secret = await context.store.create(secrets, { ...header(secrets, metadata), type: 'Opaque', data })
  return expectKey(context, brand, secret)
}

/** Notes that Apple is about to be asked (or, with undefined, that it certainly has not been). */
export function markRequested(
  context: Context,
  brand: Brand,
  { secret }: StoredKey,
  atMs: number | undefined,
): Promise<StoredKey> {
  const at = atMs === undefined ? null : new Date(atMs).toISOString()
  return change(context, brand, secret, { metadata: { annotations: { [requestedAnnotation]: at } } })
}

/** Puts the certificate beside its key. */
export function storeCertificate(
  context: Context,
  brand: Brand,
  { secret }: StoredKey,
  certPem: string,
): Promise<StoredKey> {
  return change(context, brand, secret, {
    metadata: { annotations: { [requestedAnnotation]: null } },
    data: { [entries.certificate]: encode(certPem) },
  })
}

async function change(context: Context, brand: Brand, secret: SecretObject, patch: object): Promise<StoredKey> {
  const { resourceVersion } = secret.metadata
  const metadata = 'metadata' in patch ? (patch.metadata as object) : {}
  const conditional = { ...patch, metadata: { ...metadata, resourceVersion } }
  return expectKey(context, brand, await context.store.patch(secrets, nameOf(secret), conditional))
}

async function expectKey(context: Context, brand: Brand, secret: SecretObject): Promise<StoredKey> {
  const key = await readKey(context, brand, secret)
  if (key === undefined) throw new Error(`Secret ${secret.metadata.name} holds no key`)
  return key
}

async function readKey(context: Context, brand: Brand, secret: SecretObject): Promise<StoredKey | undefined> {
  const revision = Number(secret.metadata.labels?.[revisionLabel])
  const keyPem = decode(secret.data?.[entries.key])
  const hash = keyPem === undefined ? undefined : hashOf(keyPem)
  if (!Number.isInteger(revision) || revision < 1 || keyPem === undefined || hash === undefined) {
    // Its number stays taken, but whoever has destroyed the key has also made its certificate useless.
    context.logger.error({ secret: secret.metadata.name }, 'a Secret of a key cannot be read')
    return undefined
  }
  const requestedAt = secret.metadata.annotations?.[requestedAnnotation]
  const certPem = decode(secret.data?.[entries.certificate])
  const record = {
    revision,
    secretName: secret.metadata.name,
    ...(requestedAt !== undefined && { requestedAtMs: Date.parse(requestedAt) }),
  }
  if (certPem === undefined) return { record, secret, keyPem, publicKeyHash: hash, certPem, wwdrPem: undefined }
  const read = await readCertificate({ certPem, keyPem, ...identityOf(brand) }, context.wwdrPems)
  return {
    record: { ...record, ...(read.ok ? { certificate: read.facts } : { damage: read.finding }) },
    secret,
    keyPem,
    publicKeyHash: hash,
    certPem,
    wwdrPem: read.ok ? read.wwdrPem : undefined,
  }
}

/** What a certificate of the brand must say. */
export function identityOf(brand: Brand): { readonly passTypeIdentifier: string; readonly teamIdentifier: string } {
  const { passTypeIdentifier, teamId } = brand.spec.apple
  return { passTypeIdentifier, teamIdentifier: teamId }
}

/** The certificate in a list whose public key is that of `key`, as PEM. */
export function certificateFor(key: StoredKey, contents: readonly string[]): string | undefined {
  const pems = contents.map((content) => certificatePemOf(Buffer.from(content)))
  return pems.find((pem) => pem !== undefined && publicKeyHash(pem) === key.publicKeyHash)
}

function hashOf(keyPem: string): string | undefined {
  try {
    return publicKeyHash(keyPem)
  } catch {
    return undefined
  }
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64')
}

function decode(value: string | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8')
}
