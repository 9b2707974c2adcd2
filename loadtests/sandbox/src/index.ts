export { type ApnsReason, reasonStatus } from './apns/rules.ts'
export type { ApnsStatistics } from './apns/statistics.ts'
export { type TokenSeries, tokenSeries } from './apns/token-series.ts'
export { type AppStoreKey, createAppStoreKey } from './appstore/keys.ts'
export type { AppStoreStatistics } from './appstore/server.ts'
export type { PassTypeCounts } from './appstore/store.ts'
export { type Authority, createAuthority, type PassCertificate, type PassCertificateRequest } from './authority.ts'
export type { ApnsFaults, AppStoreFaults, Faults, FaultsPatch, GoogleFaults, PhoneFaults } from './faults.ts'
export { type CallbackBody, CallbackSigner } from './google/callback-signer.ts'
export { busiestSecond, notificationsPerDay, overruns, readGoogleLog } from './google/log.ts'
export { checkResource as checkGoogleResource } from './google/rules.ts'
export type { GoogleStatistics } from './google/server.ts'
export { createServiceAccount, type ServiceAccount } from './google-account.ts'
export { readRows } from './journal.ts'
export * from './nfc/index.ts'
export { type BundleResult, type BundleVerifier, createBundleVerifier, type VerifiedPass } from './pass/bundle.ts'
export type { PassJson } from './pass/check-json.ts'
export type { Fleet, FleetStatistics, ShownPass } from './phones/fleet.ts'
export type {
  ApnsRow,
  AppStoreRow,
  DoneRow,
  FailRow,
  FetchRow,
  FieldChange,
  GoogleRow,
  InstallRow,
  ListRow,
  PhoneEvent,
  PhoneRow,
  PushRow,
  RemoveRow,
  ShowRow,
} from './rows.ts'
export { authorityDir, type Sandbox, type SandboxOptions, startSandbox } from './sandbox.ts'
