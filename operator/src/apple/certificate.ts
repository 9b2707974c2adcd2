import { X509Certificate } from 'node:crypto'
import { createSigner, PkpassError, type Signer } from '@stampede/pkpass'
import type { CertificateFacts } from '../domain/certificate.ts'
import type { Finding } from '../domain/policy.ts'
import { pemOf } from './key.ts'

/** A certificate with what it has to fit. */
export interface CertificateParts {
  readonly certPem: string
  readonly keyPem: string
  readonly passTypeIdentifier: string
  readonly teamIdentifier: string
}

/** What became of looking at a certificate. */
export type ReadCertificate =
  | { readonly ok: true; readonly facts: CertificateFacts; readonly wwdrPem: string }
  | { readonly ok: false; readonly finding: Finding }

const reasons: Readonly<Record<string, string>> = {
  'certificate.subject.UID': 'WrongPassType',
  'certificate.subject.OU': 'WrongTeam',
  keyPem: 'WrongKey',
}

/**
 * Reads a certificate and checks that it belongs to its key, its pass type id and its team, and that one of the
 * intermediates has issued it: with the eyes of pass-render, which will sign with it. Its dates are not judged.
 */
export async function readCertificate(parts: CertificateParts, wwdrPems: readonly string[]): Promise<ReadCertificate> {
  const certificate = parseX509(parts.certPem)
  if (certificate === undefined) return refuse('Unreadable', 'the certificate is not readable')
  const wwdrPem = wwdrPems.find((pem) => certificate.checkIssued(new X509Certificate(pem)))
  if (wwdrPem === undefined)
    return refuse('Untrusted', 'the certificate was not issued by a known intermediate of Apple')
  const read = await readSigner({ ...parts, wwdrPem }, certificate.validFromDate)
  if (!read.ok) return read
  const { signer } = read
  const facts: CertificateFacts = {
    serialNumber: certificate.serialNumber,
    fingerprint: certificate.fingerprint256,
    notBeforeMs: signer.notBefore.getTime(),
    notAfterMs: signer.notAfter.getTime(),
    type: signer.nfc ? 'PassTypeIdWithNfc' : 'PassTypeId',
  }
  return { ok: true, facts, wwdrPem }
}

/** PEM of a certificate that is PEM, DER, or base64 of DER; undefined for anything else. */
export function certificatePemOf(content: Buffer): string | undefined {
  const text = content.toString('latin1').trim()
  if (text.startsWith('-----BEGIN')) return parseX509(text)?.toString()
  const der = /^[A-Za-z0-9+/=\s]+$/.test(text) ? Buffer.from(text, 'base64') : content
  const certificate = parseX509(der)
  return certificate && pemOf('CERTIFICATE', certificate.raw)
}

async function readSigner(
  input: Parameters<typeof createSigner>[0],
  at: Date,
): Promise<{ readonly ok: true; readonly signer: Signer } | { readonly ok: false; readonly finding: Finding }> {
  try {
    return { ok: true, signer: await createSigner(input, at) }
  } catch (error) {
    if (!(error instanceof PkpassError)) throw error
    return refuse(reasons[error.path] ?? 'Unreadable', error.message)
  }
}

function refuse(reason: string, message: string): { readonly ok: false; readonly finding: Finding } {
  return { ok: false, finding: { reason, message } }
}

function parseX509(content: string | Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(content)
  } catch {
    return undefined
  }
}
