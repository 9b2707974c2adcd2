import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ApnsServer, startApns } from './apns/server.ts'
import { SeriesDirectory } from './apns/token-series.ts'
import { type AppStoreKey, createAppStoreKey, openAppStoreKeys } from './appstore/keys.ts'
import { type AppStoreServer, startAppStore } from './appstore/server.ts'
import { type Authority, createAuthority } from './authority.ts'
import { type ControlServer, startControl } from './control.ts'
import { defaultFaults, type Faults, type FaultsPatch, patchFaults } from './faults.ts'
import { type GoogleServer, startGoogle } from './google/server.ts'
import { createAccessTokens } from './google/tokens.ts'
import { createServiceAccount, openAccounts, type ServiceAccount } from './google-account.ts'
import { Journal, readRows } from './journal.ts'
import { Fleet } from './phones/fleet.ts'
import { Keeper } from './phones/keeper.ts'
import type { ApnsRow, AppStoreRow, GoogleRow, PhoneRow } from './rows.ts'

/** Options of a sandbox. */
export interface SandboxOptions {
  /** Folder of journals, bundles, accounts and the authority; what it holds is taken up again. */
  readonly dir: string
  /** Default 0: any free port. */
  readonly controlPort?: number
  /** Default 0: any free port. */
  readonly apnsPort?: number
  /** Default 0: any free port. */
  readonly googlePort?: number
  /** Default 0: any free port. */
  readonly appStorePort?: number
  /** Address of the stand-ins, default 127.0.0.1; the control API is on 127.0.0.1 always. */
  readonly listenHost?: string | undefined
  /** Names in the servers' certificates, default localhost and 127.0.0.1. */
  readonly hosts?: readonly string[] | undefined
  /** Chooses the sample of kept bundles, default 'stampede'. */
  readonly seed?: string
  /** Behaviour from the start. */
  readonly faults?: FaultsPatch
}

/** A running sandbox. */
export interface Sandbox extends AsyncDisposable {
  readonly dir: string
  readonly authority: Authority
  readonly controlPort: number
  readonly apnsPort: number
  readonly googlePort: number
  readonly appStorePort: number
  readonly apns: ApnsServer
  readonly google: GoogleServer
  readonly appStore: AppStoreServer
  readonly fleet: Fleet
  /** The service account of an issuer, made on first use. */
  serviceAccount(issuerId: string): ServiceAccount
  /** The App Store Connect key of a team, made on first use. */
  appStoreKey(teamId: string, nfc?: boolean): AppStoreKey
  /** Changes behaviour. Throws RangeError naming the field. */
  setFaults(patch: FaultsPatch): void
}

/** Folder of the authority inside a sandbox's folder. */
export function authorityDir(dir: string): string {
  return join(dir, 'authority')
}

function loadKey(path: string): Buffer {
  if (!existsSync(path)) writeFileSync(path, randomBytes(32).toString('hex'), { mode: 0o600 })
  return Buffer.from(readFileSync(path, 'utf8').trim(), 'hex')
}

/** When the visit that last ended for good began, by phone and pass type. */
async function restorePhones(fleet: Fleet, path: string): Promise<ReadonlyMap<string, number>> {
  const answeredAt = new Map<string, number>()
  for await (const row of readRows<PhoneRow>(path)) {
    fleet.registry.apply(row)
    const ended = row.event === 'done' || (row.event === 'fail' && row.final)
    if (ended && row.startedAt !== undefined) answeredAt.set(`${row.token} ${row.passTypeId}`, row.startedAt)
  }
  return answeredAt
}

/** Last accepted push of every token and topic. */
async function restoreApns(apns: ApnsServer, path: string): Promise<ReadonlyMap<string, number>> {
  const acceptedAt = new Map<string, number>()
  for await (const row of readRows<ApnsRow>(path)) {
    apns.restore(row)
    if (row.status === 200) acceptedAt.set(`${row.token} ${row.topic}`, row.at)
  }
  return acceptedAt
}

/** Wakes the phones whose last accepted push no visit has answered. */
function wakeUnanswered(
  fleet: Fleet,
  accepted: ReadonlyMap<string, number>,
  answered: ReadonlyMap<string, number>,
): void {
  for (const [key, at] of accepted) {
    if (at <= (answered.get(key) ?? 0)) continue
    const [token = '', topic = ''] = key.split(' ')
    const phone = fleet.registry.byToken(token)
    if (phone && fleet.look(token, topic).kind === 'active') fleet.wake(phone, topic)
  }
}

/** Starts APNs, Google Wallet, App Store Connect, the phones and the control API in this process, on 127.0.0.1. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { dir, listenHost, hosts = ['localhost', '127.0.0.1'], seed = 'stampede' } = options
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const authority = createAuthority(authorityDir(dir))
  let faults: Faults = patchFaults(defaultFaults, options.faults ?? {})
  const path = (kind: string): string => join(dir, `${kind}.ndjson`)
  await using stack = new AsyncDisposableStack()
  const keeper = stack.use(await Keeper.open(dir, seed))
  const journals = {
    apns: stack.use(await Journal.open(path('apns'), 'lines')),
    phones: stack.use(await Journal.open(path('phones'), 'lines', keeper.shown)),
    google: stack.use(await Journal.open(path('google'), 'lines')),
    appstore: stack.use(await Journal.open(path('appstore'), 'lines')),
  }
  const { rootPem, webRootPem } = authority
  const fleet = stack.use(
    new Fleet({ journal: journals.phones, keeper, rootPem, webRootPem, faults: () => faults.phones }),
  )
  const series = new SeriesDirectory(fleet)
  const answered = await restorePhones(fleet, path('phones'))
  const apns = stack.use(
    await startApns({
      authority,
      hosts,
      listenHost,
      port: options.apnsPort ?? 0,
      journal: journals.apns,
      directory: series,
      faults: () => faults.apns,
    }),
  )
  const accepted = await restoreApns(apns, path('apns'))
  const google = stack.use(
    await startGoogle({
      authority,
      hosts,
      listenHost,
      port: options.googlePort ?? 0,
      journal: journals.google,
      tokens: createAccessTokens(loadKey(join(dir, 'google-token.key'))),
      accounts: openAccounts(dir),
      faults: () => faults.google,
    }),
  )
  for await (const row of readRows<GoogleRow>(path('google'))) google.restore(row)
  const appStore = stack.use(
    await startAppStore({
      authority,
      hosts,
      listenHost,
      port: options.appStorePort ?? 0,
      journal: journals.appstore,
      keys: openAppStoreKeys(dir),
      faults: () => faults.appstore,
    }),
  )
  for await (const row of readRows<AppStoreRow>(path('appstore'))) appStore.restore(row)
  wakeUnanswered(fleet, accepted, answered)
  const setFaults = (patch: FaultsPatch): void => {
    faults = patchFaults(faults, patch)
    if (patch.apns?.streamLimit !== undefined) apns.announceStreamLimit()
    fleet.pump()
  }
  const control: ControlServer = stack.use(
    await startControl({
      port: options.controlPort ?? 0,
      apns,
      google,
      appStore,
      fleet,
      series,
      journals,
      setFaults,
      faults: () => faults,
    }),
  )
  const owned = stack.move()
  return {
    dir,
    authority,
    controlPort: control.port,
    apnsPort: apns.port,
    googlePort: google.port,
    appStorePort: appStore.port,
    apns,
    google,
    appStore,
    fleet,
    serviceAccount: (issuerId) => createServiceAccount(dir, issuerId),
    appStoreKey: (teamId, nfc) => createAppStoreKey(dir, teamId, nfc),
    setFaults,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
