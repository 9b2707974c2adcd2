import { createHash, X509Certificate } from 'node:crypto'
import { oids } from '../crypto/certificate.ts'
import { verifyDetached } from '../crypto/cms.ts'
import { checkPassJson, isObject, type PassJson } from './check-json.ts'
import { unzip } from './unzip.ts'

/** A pass that a phone has verified from end to end. */
export interface VerifiedPass {
  readonly json: PassJson
  readonly files: ReadonlyMap<string, Buffer>
  readonly signedAtMs: number
}

/** Result of opening a bundle. `reason` names the first thing that is wrong. */
export type BundleResult = ({ readonly ok: true } & VerifiedPass) | { readonly ok: false; readonly reason: string }

/** Opens bundles against one root of trust; remembers chains that it has judged. */
export interface BundleVerifier {
  verify(bytes: Buffer, nowMs?: number): BundleResult
}

const CHAINS_MAX = 2000
/** Phones' and servers' clocks may differ by this much. */
const CLOCK_SKEW_MS = 5 * 60_000
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
/** Common names of certificates that may sign what contactless readers are given begin so. */
const NFC_NAME = 'Pass Type ID with NFC:'
const UNLISTED = new Set(['manifest.json', 'signature'])

interface Chain {
  readonly reason?: string
  /** Life of the leaf, in which the signing time must lie. */
  readonly leafFromMs: number
  readonly leafToMs: number
  /** End of the whole chain. */
  readonly toMs: number
}

function judgeChain(leafDer: Buffer, wwdrDer: Buffer, root: X509Certificate): Chain {
  const leaf = new X509Certificate(leafDer)
  const wwdr = new X509Certificate(wwdrDer)
  const life = {
    leafFromMs: leaf.validFromDate.getTime(),
    leafToMs: leaf.validToDate.getTime(),
    toMs: Math.min(...[leaf, wwdr, root].map((certificate) => certificate.validToDate.getTime())),
  }
  const issued = (child: X509Certificate, parent: X509Certificate) =>
    parent.ca && child.checkIssued(parent) && child.verify(parent.publicKey)
  if (!issued(leaf, wwdr)) return { reason: 'the leaf was not issued by the intermediate', ...life }
  if (!issued(wwdr, root)) return { reason: 'the trust chain does not reach the root', ...life }
  if (leaf.ca) return { reason: 'the signer is a certificate authority', ...life }
  if (!leaf.keyUsage?.includes(oids.passSigning)) return { reason: 'the certificate is not for passes', ...life }
  return life
}

function checkManifest(files: ReadonlyMap<string, Buffer>): string | undefined {
  const bytes = files.get('manifest.json')
  if (!bytes) return 'manifest: missing'
  let manifest: unknown
  try {
    manifest = JSON.parse(bytes.toString('utf8'))
  } catch {
    return 'manifest: not JSON'
  }
  if (!isObject(manifest)) return 'manifest: not an object'
  for (const [name, hash] of Object.entries(manifest)) {
    const file = files.get(name)
    if (UNLISTED.has(name)) return `manifest: must not list ${name}`
    if (!file) return `manifest: ${name} is listed but not there`
    if (createHash('sha1').update(file).digest('hex') !== hash) return `manifest: wrong hash of ${name}`
  }
  for (const name of files.keys()) {
    if (!UNLISTED.has(name) && !Object.hasOwn(manifest, name)) return `manifest: ${name} is not listed`
  }
  return undefined
}

function checkImages(files: ReadonlyMap<string, Buffer>): string | undefined {
  if (!files.has('icon.png')) return 'images: icon.png is missing'
  for (const [name, bytes] of files) {
    if (name.endsWith('.png') && !bytes.subarray(0, PNG.length).equals(PNG)) return `images: ${name} is not a PNG`
  }
  return undefined
}

/** A verifier that trusts passes under `rootPem` only. */
export function createBundleVerifier(rootPem: string): BundleVerifier {
  const root = new X509Certificate(rootPem)
  const chains = new Map<string, Chain>()

  function chainOf(leaf: Buffer, wwdr: Buffer): Chain {
    const key = createHash('sha256').update(leaf).update(wwdr).digest('base64')
    const known = chains.get(key)
    if (known) return known
    const chain = judgeChain(leaf, wwdr, root)
    if (chains.size >= CHAINS_MAX) chains.clear()
    chains.set(key, chain)
    return chain
  }

  function checkSignature(files: ReadonlyMap<string, Buffer>, json: PassJson, nowMs: number): number | string {
    const signature = files.get('signature')
    if (!signature) return 'signature: missing'
    const signed = verifyDetached(signature, files.get('manifest.json') ?? Buffer.alloc(0))
    if (!signed.ok) return signed.reason
    const chain = chainOf(signed.signer, signed.intermediate)
    if (chain.reason) return `certificate: ${chain.reason}`
    if (signed.signedAtMs > nowMs + CLOCK_SKEW_MS) return 'signature: signing time lies in the future'
    if (signed.signedAtMs < chain.leafFromMs - CLOCK_SKEW_MS || signed.signedAtMs > chain.leafToMs) {
      return 'certificate: not valid at the signing time'
    }
    if (nowMs > chain.toMs) return 'certificate: expired'
    const { subject } = signed.signerParts
    if (subject.get(oids.uid) !== json.passTypeIdentifier) return 'certificate: is for another pass type'
    if (subject.get(oids.organizationalUnit) !== json.teamIdentifier) return 'certificate: is of another team'
    if (json['nfc'] !== undefined && !subject.get(oids.commonName)?.startsWith(NFC_NAME))
      return 'nfc: must be signed with an enhanced certificate'
    return signed.signedAtMs
  }

  function verify(bytes: Buffer, nowMs = Date.now()): BundleResult {
    const unzipped = unzip(bytes)
    if (!unzipped.ok) return unzipped
    const { files } = unzipped
    const passBytes = files.get('pass.json')
    if (!passBytes) return { ok: false, reason: 'pass.json: missing' }
    const damaged = checkManifest(files)
    if (damaged) return { ok: false, reason: damaged }
    const read = checkPassJson(passBytes)
    if (!read.ok) return read
    const signedAtMs = checkSignature(files, read.json, nowMs)
    if (typeof signedAtMs === 'string') return { ok: false, reason: signedAtMs }
    const images = checkImages(files)
    if (images) return { ok: false, reason: images }
    return { ok: true, json: read.json, files, signedAtMs }
  }

  return { verify }
}
