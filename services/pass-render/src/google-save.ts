import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import type { Credentials, GoogleCredential } from '@stampede/platform'
import type { Designs } from './designs.ts'
import type { BrandView } from './domain/card.ts'
import { type GoogleTemplate, googleClassId, googleObjectId, passTypeOf } from './domain/google/index.ts'
import type { PassRecord } from './store/passes.ts'

/** Longest JWT that browsers carry in a link without cutting it, in characters. */
export const MAX_SAVE_JWT_CHARS = 1_800
/** Links kept per service account; each has about a kilobyte. */
const MAX_LINKS = 5_000

const signAsync = promisify((data: Buffer, key: KeyObject, done: (error: Error | null, signature: Buffer) => void) =>
  sign('sha256', data, key, done),
)

/** Google's save link of a pass; empty without an issuer or a service account. A bearer secret of the member's. */
export async function googleSaveUrl(
  credentials: Credentials,
  brand: BrandView,
  template: GoogleTemplate,
  { serial, createdAt }: Pick<PassRecord, 'serial' | 'createdAt'>,
): Promise<string> {
  const account = brand.googleIssuerId === '' ? undefined : credentials.google(brand.brand)
  if (account === undefined) return ''
  const claims = {
    iss: account.clientEmail,
    aud: 'google',
    typ: 'savetowallet',
    // The pass's own time keeps the link the same at every call.
    iat: Math.floor(createdAt.getTime() / 1000),
    payload: {
      [`${template.passType}Objects`]: [
        { id: googleObjectId(brand, template, serial), classId: googleClassId(brand, template) },
      ],
    },
  }
  const head = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`
  return await rememberedLink(signingOf(account), head)
}

/** What a pass is at Google: as its template says; a store card before there is one. */
export async function googleTemplateOf(
  designs: Pick<Designs, 'get'>,
  { brand, templateId, templateVersion }: Pick<PassRecord, 'brand' | 'templateId' | 'templateVersion'>,
): Promise<GoogleTemplate> {
  const ready = await designs.get(brand, templateId, templateVersion)
  return { templateId, passType: passTypeOf(ready?.design.style ?? 'store_card') }
}

/** What is kept per service account. */
interface Signing {
  /** Reading a PEM costs as much as signing with it, and on the main thread: once per account. */
  readonly key: KeyObject
  /** Links by what was signed, oldest first: who pages through passes asks for the same ones again and again. */
  readonly links: Map<string, Promise<string>>
}

const signings = new WeakMap<GoogleCredential, Signing>()

function signingOf(account: GoogleCredential): Signing {
  const known = signings.get(account)
  if (known !== undefined) return known
  const signing = { key: createPrivateKey(account.privateKeyPem), links: new Map<string, Promise<string>>() }
  signings.set(account, signing)
  return signing
}

function rememberedLink({ key, links }: Signing, head: string): Promise<string> {
  const known = links.get(head)
  if (known !== undefined) return known
  const link = makeLink(key, head)
  links.set(head, link)
  link.catch(() => links.delete(head))
  const oldest = links.keys().next().value
  if (links.size > MAX_LINKS && oldest !== undefined) links.delete(oldest)
  return link
}

async function makeLink(key: KeyObject, head: string): Promise<string> {
  const signature = await signAsync(Buffer.from(head), key)
  const jwt = `${head}.${signature.toString('base64url')}`
  if (jwt.length > MAX_SAVE_JWT_CHARS) throw new Error('a save link of ids only is too long')
  return `https://pay.google.com/gp/v/save/${jwt}`
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
