import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  alternativeNames,
  authorityExtensions,
  type CertificateSpec,
  certificatePem,
  createCertificate,
  createKeyPair,
  leafExtensions,
  nameDer,
  oids,
  privateKeyPem,
} from './crypto/certificate.ts'
import { der, tags } from './crypto/der.ts'

/** What a brand gets: the three PEM texts that sign passes and open APNs connections. */
export interface PassCertificate {
  readonly leafPem: string
  /** The intermediate that stands in for Apple's WWDR G4. */
  readonly wwdrPem: string
  readonly keyPem: string
}

/** What a pass certificate is issued for. */
export interface PassCertificateRequest {
  /** Starts with `pass.`. */
  readonly passTypeId: string
  /** Ten characters. */
  readonly teamId: string
  /** Whether it may sign what contactless readers are given; default false. */
  readonly nfc?: boolean
  /** Unix ms; default now minus one minute. */
  readonly notBeforeMs?: number
  /** Unix ms; default one year after the start. */
  readonly notAfterMs?: number
}

/** The sandbox's certificate authority: stands in for Apple's and for the public web's. */
export interface Authority {
  /** Root that pass signatures and APNs client certificates must reach. */
  readonly rootPem: string
  readonly wwdrPem: string
  /** Root that phones trust for TLS, and that signs the sandbox's own servers. */
  readonly webRootPem: string
  /** File of `rootPem`. */
  readonly rootPath: string
  /** File of `wwdrPem`. */
  readonly wwdrPath: string
  /** File of `webRootPem`. */
  readonly webRootPath: string
  /** A Pass Type ID certificate for one year. Throws RangeError for a malformed id. */
  issuePassCertificate(request: PassCertificateRequest): PassCertificate
  /** The same for a key whose owner keeps the private half; returns DER. Throws RangeError. */
  certifyPassKey(request: PassCertificateRequest, publicKey: KeyObject): Buffer
  /** A server certificate for host names and addresses, one year, P-256. */
  issueServerCertificate(hosts: readonly string[]): { readonly certPem: string; readonly keyPem: string }
}

const DAY_MS = 86_400_000
const YEAR_MS = 365 * DAY_MS
const AUTHORITY_YEARS = 20
const HOSTS_MAX = 50

interface Signer {
  readonly subject: CertificateSpec['subject']
  readonly certPem: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

function writeFile(path: string, text: string, mode: number): void {
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, text, { mode })
  renameSync(temporary, path)
}

function loadOrCreate(dir: string, name: string, subject: CertificateSpec['subject'], issuer?: Signer): Signer {
  const certPath = join(dir, `${name}.pem`)
  const keyPath = join(dir, `${name}.key.pem`)
  if (existsSync(certPath) && existsSync(keyPath)) {
    const privateKey = createPrivateKey(readFileSync(keyPath, 'utf8'))
    return { subject, certPem: readFileSync(certPath, 'utf8'), privateKey, publicKey: createPublicKey(privateKey) }
  }
  const { privateKey, publicKey } = createKeyPair(name === 'web' ? 'p256' : 'rsa')
  const bytes = createCertificate({
    subject,
    publicKey,
    signingKey: issuer?.privateKey ?? privateKey,
    ...(issuer && { issuer: { subjectDer: nameDer(issuer.subject), publicKey: issuer.publicKey } }),
    notBeforeMs: Date.now() - DAY_MS,
    notAfterMs: Date.now() + AUTHORITY_YEARS * YEAR_MS,
    extensions: authorityExtensions(issuer ? 0 : 1),
  })
  const certPem = certificatePem(bytes)
  writeFile(keyPath, privateKeyPem(privateKey), 0o600)
  writeFile(certPath, certPem, 0o644)
  return { subject, certPem, privateKey, publicKey }
}

function authoritySubject(commonName: string, unit: string): CertificateSpec['subject'] {
  return [
    [oids.commonName, commonName],
    [oids.organizationalUnit, unit],
    [oids.organization, 'Stampede Sandbox'],
    [oids.country, 'US'],
  ]
}

function issuePass(wwdr: Signer, request: PassCertificateRequest): PassCertificate {
  const { privateKey, publicKey } = createKeyPair('rsa')
  const leafPem = certificatePem(certifyPassKey(wwdr, request, publicKey))
  return { leafPem, wwdrPem: wwdr.certPem, keyPem: privateKeyPem(privateKey) }
}

function certifyPassKey(wwdr: Signer, request: PassCertificateRequest, publicKey: KeyObject): Buffer {
  const { passTypeId, teamId, nfc = false } = request
  if (!/^pass\.[A-Za-z0-9.-]{1,200}$/.test(passTypeId)) throw new RangeError(`passTypeId: ${passTypeId}`)
  if (!/^[A-Z0-9]{10}$/.test(teamId)) throw new RangeError(`teamId: ${teamId}`)
  const notBeforeMs = request.notBeforeMs ?? Date.now() - 60_000
  return createCertificate({
    subject: [
      [oids.uid, passTypeId],
      [oids.commonName, `Pass Type ID${nfc ? ' with NFC' : ''}: ${passTypeId}`],
      [oids.organizationalUnit, teamId],
      [oids.organization, 'Stampede Sandbox Brand'],
      [oids.country, 'US'],
    ],
    publicKey,
    signingKey: wwdr.privateKey,
    issuer: { subjectDer: nameDer(wwdr.subject), publicKey: wwdr.publicKey },
    notBeforeMs,
    notAfterMs: request.notAfterMs ?? notBeforeMs + YEAR_MS,
    extensions: [
      ...leafExtensions([oids.clientAuth, oids.passSigning]),
      { oid: oids.passTypeId, value: der(tags.utf8String, Buffer.from(passTypeId)) },
      { oid: oids.apnsProduction, value: der(tags.null) },
    ],
  })
}

function issueServer(web: Signer, hosts: readonly string[]): { certPem: string; keyPem: string } {
  if (hosts.length === 0 || hosts.length > HOSTS_MAX) throw new RangeError('hosts: between 1 and 50')
  const { privateKey, publicKey } = createKeyPair('p256')
  const bytes = createCertificate({
    subject: [[oids.commonName, hosts[0] ?? '']],
    publicKey,
    signingKey: web.privateKey,
    issuer: { subjectDer: nameDer(web.subject), publicKey: web.publicKey },
    notBeforeMs: Date.now() - 60_000,
    notAfterMs: Date.now() + YEAR_MS,
    extensions: [...leafExtensions([oids.serverAuth]), alternativeNames(hosts)],
  })
  return { certPem: certificatePem(bytes), keyPem: privateKeyPem(privateKey) }
}

/** Opens the authority kept in `dir`, making it on first use. Its keys stay in that folder. */
export function createAuthority(dir: string): Authority {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const root = loadOrCreate(dir, 'root', authoritySubject('Sandbox Root CA', 'Sandbox Certification Authority'))
  const wwdr = loadOrCreate(dir, 'wwdr', authoritySubject('Sandbox Worldwide Developer Relations CA', 'G4'), root)
  const web = loadOrCreate(dir, 'web', authoritySubject('Sandbox Web CA', 'Web'))
  if (!new X509Certificate(wwdr.certPem).checkIssued(new X509Certificate(root.certPem))) {
    throw new Error(`the authority in ${dir} is damaged: its intermediate was not issued by its root`)
  }
  return {
    rootPem: root.certPem,
    wwdrPem: wwdr.certPem,
    webRootPem: web.certPem,
    rootPath: join(dir, 'root.pem'),
    wwdrPath: join(dir, 'wwdr.pem'),
    webRootPath: join(dir, 'web.pem'),
    issuePassCertificate: (request) => issuePass(wwdr, request),
    certifyPassKey: (request, publicKey) => certifyPassKey(wwdr, request, publicKey),
    issueServerCertificate: (hosts) => issueServer(web, hosts),
  }
}
