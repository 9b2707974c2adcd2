import { Certificate } from 'pkijs'
import { PkpassError } from './errors.ts'

const oids = {
  userId: '0.9.2342.19200300.100.1.1',
  organizationalUnit: '2.5.4.11',
  commonName: '2.5.4.3',
  usage: '2.5.29.37',
}
/** Extended key usage that marks a certificate for signing passes. */
export const PASS_SIGNING_USAGE = '1.2.840.113635.100.4.14'
/** Apple's extension that repeats the pass type id. */
export const PASS_TYPE_EXTENSION = '1.2.840.113635.100.6.1.16'

const pemPattern = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/

/** What a Pass Type ID certificate says about itself. */
export interface PassCertificateInfo {
  readonly passTypeIdentifier: string
  readonly teamIdentifier: string
  /** Whether it is the NFC-enabled kind. */
  readonly nfc: boolean
  readonly notBefore: Date
  readonly notAfter: Date
}

/** The first certificate of a PEM text. */
export function parseCertificate(pem: string, path: string): Certificate {
  const match = pemPattern.exec(pem)
  if (match?.[1] === undefined) throw new PkpassError('INVALID_CERTIFICATE', path, 'holds no PEM certificate')
  try {
    return Certificate.fromBER(new Uint8Array(Buffer.from(match[1], 'base64')))
  } catch (cause) {
    throw new PkpassError('INVALID_CERTIFICATE', path, 'is not a readable certificate', { cause })
  }
}

/** Reads subject and usage of a signing certificate; throws when it is none. */
export function passCertificateInfo(certificate: Certificate): PassCertificateInfo {
  if (!extendedUsages(certificate).includes(PASS_SIGNING_USAGE)) {
    throw new PkpassError('INVALID_CERTIFICATE', 'certificate.extendedKeyUsage', 'is not for signing passes')
  }
  return {
    passTypeIdentifier: subjectPart(certificate, oids.userId, 'UID'),
    teamIdentifier: subjectPart(certificate, oids.organizationalUnit, 'OU'),
    nfc: subjectPart(certificate, oids.commonName, 'CN').startsWith('Pass Type ID with NFC:'),
    notBefore: certificate.notBefore.value,
    notAfter: certificate.notAfter.value,
  }
}

/** Refuses a signing time outside the certificate's life: such a signature never verifies. */
export function checkLife(info: PassCertificateInfo, signingTime: Date): void {
  // Written so that an invalid date is refused too.
  if (signingTime >= info.notBefore && signingTime <= info.notAfter) return
  throw new PkpassError('INVALID_CERTIFICATE', 'certificate.validity', 'does not cover the signing time')
}

function subjectPart(certificate: Certificate, oid: string, name: string): string {
  const part = certificate.subject.typesAndValues.find((item) => item.type === oid)
  const value: unknown = part?.value.valueBlock.value
  if (typeof value !== 'string' || value === '') {
    throw new PkpassError('INVALID_CERTIFICATE', `certificate.subject.${name}`, 'is missing')
  }
  return value
}

function extendedUsages(certificate: Certificate): readonly string[] {
  const extension = certificate.extensions?.find((item) => item.extnID === oids.usage)
  const parsed: unknown = extension?.parsedValue
  if (typeof parsed !== 'object' || parsed === null || !('keyPurposes' in parsed)) return []
  return Array.isArray(parsed.keyPurposes) ? parsed.keyPurposes.map(String) : []
}
