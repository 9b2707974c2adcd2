import type { Condition, KubeObject, Resource } from '../kernel/index.ts'
import { group, type SecretEntryRef, version } from './meta.ts'

/** A team's access to the App Store Connect API. The schema is the CRD's; it has filled in the defaults. */
export interface AppleAccount extends KubeObject {
  readonly spec: AppleAccountSpec
  readonly status?: AppleAccountStatus
}

/** What the team's administrator asks for. */
export interface AppleAccountSpec {
  /** Ten characters. */
  readonly teamId: string
  /** UUID. */
  readonly issuerId: string
  readonly keyId: string
  /** The .p8 file. */
  readonly privateKeySecretRef: SecretEntryRef
}

/** What the operator found. */
export interface AppleAccountStatus {
  readonly observedGeneration?: number
  readonly conditions?: readonly Condition[]
}

/** The resource of AppleAccount objects. */
export const appleAccounts: Resource<AppleAccount> = { group, version, plural: 'appleaccounts', kind: 'AppleAccount' }
