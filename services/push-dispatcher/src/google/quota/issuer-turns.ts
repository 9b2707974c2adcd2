import type { Turns } from '../api/call-api.ts'
import type { GoogleAnswer } from '../api/verdict.ts'
import { IssuerQuota, type QuotaOptions } from './issuer-quota.ts'
import type { Lane } from './turn-queue.ts'

/** The quotas of all issuers. They are never forgotten: there is one for each issuer of a brand. */
export class IssuerTurns implements Turns {
  readonly #options: Omit<QuotaOptions, 'issuer'>
  readonly #quotas = new Map<string, IssuerQuota>()

  constructor(options: Omit<QuotaOptions, 'issuer'>) {
    this.#options = options
  }

  turn(issuer: string, lane: Lane, signal: AbortSignal): Promise<boolean> {
    return this.#quota(issuer).turn(lane, signal)
  }

  answered(issuer: string, answer: GoogleAnswer): Promise<void> {
    return this.#quota(issuer).answered(answer)
  }

  #quota(issuer: string): IssuerQuota {
    const known = this.#quotas.get(issuer)
    if (known !== undefined) return known
    const quota = new IssuerQuota({ ...this.#options, issuer })
    this.#quotas.set(issuer, quota)
    return quota
  }
}
