import type { AppStore } from '../apple/client.ts'
import type { Brand } from '../crd/brand.ts'
import { FindingError } from './part.ts'

/**
 * Which client a brand's last request failed with: with another one, made because somebody has changed the account or
 * its key, the next try need not wait. Kept in memory only: after a restart one try comes early.
 */
export class FailedWith {
  readonly #clients = new Map<string, AppStore | string | undefined>()

  remember({ metadata }: Brand, client: AppStore | FindingError | undefined): void {
    this.#clients.set(metadata.uid ?? '', identityOf(client))
  }

  forget({ metadata }: Brand): void {
    this.#clients.delete(metadata.uid ?? '')
  }

  isNew({ metadata }: Brand, client: AppStore | FindingError | undefined): boolean {
    const uid = metadata.uid ?? ''
    return !this.#clients.has(uid) || this.#clients.get(uid) !== identityOf(client)
  }
}

/** Findings that say the same are the same. */
function identityOf(client: AppStore | FindingError | undefined): AppStore | string | undefined {
  return client instanceof FindingError ? client.message : client
}
