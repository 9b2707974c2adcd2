import type { Clock } from '@stampede/platform'
import { type AppStore, createAppStore } from '../apple/client.ts'
import type { AppleAccount } from '../crd/apple-account.ts'
import type { Brand } from '../crd/brand.ts'
import type { Finding } from '../domain/policy.ts'
import type { HttpsJson } from '../https-json.ts'
import { type Informer, type KubeStore, keyOf, secrets } from '../kernel/index.ts'
import type { AppleMetrics } from '../metrics.ts'

/** What connections to App Store Connect are made of. */
export interface AppStoresOptions {
  readonly url: URL
  readonly https: HttpsJson
  readonly store: KubeStore
  readonly accounts: Informer<AppleAccount>
  readonly clock: Clock
  readonly metrics: AppleMetrics
}

/** A team's App Store Connect, or why there is none. */
export type FoundAppStore =
  | { readonly ok: true; readonly appStore: AppStore }
  | { readonly ok: false; readonly finding: Finding }

interface Entry {
  /** What the client was made of. */
  readonly made: string
  readonly appStore: AppStore
}

/** One client per AppleAccount, so that its brands share a rate; made anew when the key changes. */
export class AppStores {
  readonly #options: AppStoresOptions
  readonly #entries = new Map<string, Entry>()

  constructor(options: AppStoresOptions) {
    this.#options = options
  }

  /** The App Store Connect that a brand in mode Api uses. */
  async ofBrand(brand: Brand): Promise<FoundAppStore> {
    const { accountRef, teamId } = brand.spec.apple
    const name = accountRef?.name ?? ''
    const account = this.#options.accounts.get(`${brand.metadata.namespace ?? ''}/${name}`)
    if (account === undefined) return missing('AccountNotFound', `there is no AppleAccount ${name}`)
    if (account.spec.teamId !== teamId)
      return missing('WrongTeam', `AppleAccount ${name} is of team ${account.spec.teamId}, the brand of ${teamId}`)
    return this.ofAccount(account)
  }

  /** The App Store Connect of an account; reads the key's Secret each time. */
  async ofAccount(account: AppleAccount): Promise<FoundAppStore> {
    const { issuerId, keyId, privateKeySecretRef } = account.spec
    const { name, key } = privateKeySecretRef
    const secret = await this.#options.store.get(secrets, { namespace: account.metadata.namespace ?? '', name })
    const data = secret?.data?.[key]
    if (data === undefined) return missing('KeyNotFound', `Secret ${name} has no entry ${key}`)
    const made = JSON.stringify([issuerId, keyId, data])
    const known = this.#entries.get(keyOf(account))
    if (known?.made === made) return { ok: true, appStore: known.appStore }
    const privateKeyPem = Buffer.from(data, 'base64').toString('utf8')
    try {
      const appStore = createAppStore({ ...this.#options, key: { issuerId, keyId, privateKeyPem } })
      this.#entries.set(keyOf(account), { made, appStore })
      return { ok: true, appStore }
    } catch {
      // Never the error's text: it may quote the key.
      return missing('InvalidKey', `entry ${key} of Secret ${name} is no P-256 private key`)
    }
  }

  /** Forgets an account that is gone. */
  forget(key: string): void {
    this.#entries.delete(key)
  }
}

function missing(reason: string, message: string): { readonly ok: false; readonly finding: Finding } {
  return { ok: false, finding: { reason, message } }
}
