import type { Condition, KubeObject, Resource } from '../kernel/index.ts'
import { group, type SecretEntryRef, version } from './meta.ts'

/** A brand, named by its slug. The schema is the CRD's; it has filled in the defaults. */
export interface Brand extends KubeObject {
  readonly spec: BrandSpec
  readonly status?: BrandStatus
}

/** What the brand's owner asks for. */
export interface BrandSpec {
  readonly displayName: string
  /** IANA. */
  readonly timeZone: string
  /** ISO 4217. */
  readonly currency: string
  readonly contact: string
  /** 1 to 100. */
  readonly weight: number
  /** 0 for no ceiling. */
  readonly maxBulkPerSecond: number
  /** Own host name of links and web service. */
  readonly domain?: string
  readonly deletionPolicy: 'Retain' | 'Revoke'
  /** Repeats the pass type id when the policy is Revoke. */
  readonly confirmRevocation?: string
  readonly apple: BrandApple
  readonly google?: BrandGoogle
}

/** Kinds of certificates that Apple issues for passes. */
export type CertificateType = 'PassTypeId' | 'PassTypeIdWithNfc'

/** The brand at Apple. */
export interface BrandApple {
  readonly passTypeIdentifier: string
  readonly teamId: string
  readonly certificateType: CertificateType
  readonly mode: 'Api' | 'Manual'
  /** AppleAccount, in mode Api. */
  readonly accountRef?: { readonly name: string }
  /** Where the certificate is handed in, in mode Manual. */
  readonly certificateSecretRef?: SecretEntryRef
  /** Hours, such as `720h`; default a third of the certificate's life. */
  readonly renewBefore?: string
}

/** The brand at Google. */
export interface BrandGoogle {
  readonly issuerId: string
  readonly serviceAccountSecretRef: SecretEntryRef
}

/** What the operator found; all of it can be made again from the cluster and from Apple. */
export interface BrandStatus {
  readonly observedGeneration?: number
  readonly conditions?: readonly Condition[]
  readonly certificate?: CertificateStatus
  /** PEM, in mode Manual while a certificate is due. */
  readonly certificateSigningRequest?: string
  /** Failed requests since the last success or change of the spec. */
  readonly attempts?: number
  readonly nextAttemptTime?: string
  /** Host names with an ingress, the present one first. */
  readonly domains?: readonly string[]
}

/** The published certificate. */
export interface CertificateStatus {
  readonly revision: number
  readonly secretName: string
  readonly serialNumber: string
  /** SHA-256, upper-case hexadecimal with colons. */
  readonly fingerprint: string
  readonly notBefore: string
  readonly notAfter: string
  readonly renewalTime: string
}

/** The resource of Brand objects. */
export const brands: Resource<Brand> = { group, version, plural: 'brands', kind: 'Brand' }
