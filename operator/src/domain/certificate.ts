import type { CertificateType } from '../crd/brand.ts'
import { type Finding, firstFinding, type Policy } from './policy.ts'
import { renewalTimeMs } from './renewal.ts'

/** What a certificate that fits its key and its brand says of itself. */
export interface CertificateFacts {
  /** Upper-case hexadecimal. */
  readonly serialNumber: string
  /** SHA-256, upper-case hexadecimal with colons. */
  readonly fingerprint: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly type: CertificateType
}

/** A private key of the brand, kept in a Secret of its own, and what has become of it. */
export interface KeyRecord {
  /** From 1, in the order of their making. */
  readonly revision: number
  readonly secretName: string
  /** When Apple was last asked for its certificate without an answer that settles it; Unix ms. */
  readonly requestedAtMs?: number
  /** Absent while there is none. */
  readonly certificate?: CertificateFacts
  /** What is wrong with the certificate that is there. */
  readonly damage?: Finding
}

/** What the decision about a certificate needs to know. */
export interface CertificateInput {
  readonly nowMs: number
  /** Seed of the jitter. */
  readonly uid: string
  readonly wanted: CertificateType
  readonly renewBefore: string | undefined
  readonly records: readonly KeyRecord[]
}

/** A key with its certificate. */
export type CertifiedRecord = KeyRecord & { readonly certificate: CertificateFacts }

/** The newest certificate that can be used; undefined when there is none. */
export function currentRecord(records: readonly KeyRecord[]): CertifiedRecord | undefined {
  const certified = records.filter(
    (record): record is CertifiedRecord => record.certificate !== undefined && record.damage === undefined,
  )
  return certified.toSorted((left, right) => right.revision - left.revision)[0]
}

/** The key that waits for its certificate: newer than all certificates, damaged ones included. */
export function pendingRecord(records: readonly KeyRecord[]): KeyRecord | undefined {
  const newest = records.toSorted((left, right) => right.revision - left.revision)[0]
  return newest === undefined || newest.certificate !== undefined || newest.damage !== undefined ? undefined : newest
}

/** The revision of the next key. */
export function nextRevision(records: readonly KeyRecord[]): number {
  return Math.max(0, ...records.map(({ revision }) => revision)) + 1
}

type Judged = CertificateInput & { readonly current: CertifiedRecord }

const judgeCurrent: readonly Policy<Judged>[] = [
  ({ nowMs, current }) =>
    current.certificate.notAfterMs > nowMs
      ? undefined
      : {
          reason: 'Expired',
          message: `certificate ${current.revision} expired at ${iso(current.certificate.notAfterMs)}`,
        },
  ({ wanted, current }) =>
    current.certificate.type === wanted
      ? undefined
      : {
          reason: 'TypeChanged',
          message: `certificate ${current.revision} is a ${current.certificate.type}, not a ${wanted}`,
        },
  ({ nowMs, uid, renewBefore, current }) => {
    const atMs = renewalTimeMs(current.certificate, renewBefore, uid)
    return nowMs < atMs
      ? undefined
      : { reason: 'Renewing', message: `certificate ${current.revision} is due for renewal since ${iso(atMs)}` }
  },
]

/** Why a new certificate is due; undefined when the current one will do. */
export function whyIssue(input: CertificateInput): Finding | undefined {
  const current = currentRecord(input.records)
  if (current !== undefined) return firstFinding(judgeCurrent, { ...input, current })
  const damaged = input.records.find(({ damage }) => damage !== undefined)?.damage
  if (damaged !== undefined) return { reason: 'InvalidCertificate', message: damaged.message }
  return { reason: 'DoesNotExist', message: 'there is no certificate yet' }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
