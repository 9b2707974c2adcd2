import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** A certificate and its private key, PEM. */
export interface TestCertificate {
  readonly certPem: string
  readonly keyPem: string
}

/** What a test certificate says. */
export interface TestCertificateOptions {
  readonly commonName: string
  /** Issuer; default self-signed. */
  readonly issuer?: TestCertificate & { readonly commonName: string }
  /** Whether it may sign others; default false. */
  readonly authority?: boolean
  /** Names and IPv4 addresses of the server. */
  readonly hosts?: readonly string[]
  readonly validDays?: number
}

const dayMs = 86_400_000
const defaultValidDays = 30
const clockSkewMs = 3_600_000

/** Makes an EC P-256 certificate without any outside program. For tests only. */
export function testCertificate(options: TestCertificateOptions): TestCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signingKey = options.issuer === undefined ? privateKey : createPrivateKey(options.issuer.keyPem)
  const toBeSigned = tbsCertificate(options, publicKey)
  const signature = sign('sha256', toBeSigned, signingKey)
  const der = sequence(toBeSigned, ecdsaWithSha256, bitString(signature))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return {
    certPem: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function tbsCertificate(options: TestCertificateOptions, publicKey: KeyObject): Buffer {
  const now = Date.now()
  const validity = sequence(
    time(new Date(now - clockSkewMs)),
    time(new Date(now + (options.validDays ?? defaultValidDays) * dayMs)),
  )
  const serial = randomBytes(16)
  serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0)
  return sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ecdsaWithSha256,
    name(options.issuer?.commonName ?? options.commonName),
    validity,
    name(options.commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions(options))),
  )
}

function extensions({ authority = false, hosts = [] }: TestCertificateOptions): Buffer[] {
  const constraints = authority ? sequence(der(0x01, Buffer.from([0xff]))) : sequence()
  const list = [extension('551d13', constraints, true)]
  if (hosts.length > 0) list.push(extension('551d11', sequence(...hosts.map(generalName)), false))
  return list
}

function generalName(host: string): Buffer {
  const isAddress = /^\d+\.\d+\.\d+\.\d+$/.test(host)
  return isAddress ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host))
}

function extension(oidHex: string, value: Buffer, critical: boolean): Buffer {
  const flag = critical ? [der(0x01, Buffer.from([0xff]))] : []
  return sequence(der(0x06, Buffer.from(oidHex, 'hex')), ...flag, der(0x04, value))
}

const ecdsaWithSha256 = sequence(der(0x06, Buffer.from('2a8648ce3d040302', 'hex')))

function name(commonName: string): Buffer {
  const attribute = sequence(der(0x06, Buffer.from('550403', 'hex')), der(0x0c, Buffer.from(commonName)))
  return sequence(der(0x31, attribute))
}

function time(at: Date): Buffer {
  const digits = at.toISOString().replace(/[-:T]|\.\d+/g, '')
  return der(0x18, Buffer.from(digits))
}

function bitString(value: Buffer): Buffer {
  return der(0x03, Buffer.concat([Buffer.from([0]), value]))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

function der(tag: number, value: Buffer): Buffer {
  const { length } = value
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), value])
  const bytes = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, '0'), 'hex')
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length]), bytes, value])
}
