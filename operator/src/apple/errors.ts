import type { JsonAnswer } from '../https-json.ts'
import { isRecord } from '../json.ts'

/** What a call to App Store Connect came to, when not to what was asked for. */
export type AppStoreErrorCode =
  /** The key is not accepted (401), or may not do that (403). */
  | 'keyRefused'
  /** 404. */
  | 'notFound'
  /** The request is not acceptable, and will not be later (400, 409, 422). */
  | 'refused'
  /** 429. */
  | 'rateLimited'
  /** 5xx, or an answer that is none. */
  | 'unavailable'

/** The one exception of the App Store Connect client, besides the TemporaryError of a call without answer. */
export class AppStoreError extends Error {
  override readonly name = 'AppStoreError'
  readonly code: AppStoreErrorCode
  /** What the other side told to wait, ms. */
  readonly retryAfterMs: number | undefined

  constructor(code: AppStoreErrorCode, message: string, retryAfterMs?: number) {
    super(message)
    this.code = code
    this.retryAfterMs = retryAfterMs
  }

  /** Whether the same request may succeed without anybody changing anything. */
  get temporary(): boolean {
    return this.code === 'rateLimited' || this.code === 'unavailable'
  }

  /** Whether Apple has certainly done nothing: only then may a request be repeated without looking first. */
  get hadNoEffect(): boolean {
    return this.code !== 'unavailable'
  }
}

const DETAIL_MAX = 300

/** An answer that is no success, as an error. */
export function fromAnswer({ status, body, retryAfterMs }: JsonAnswer): AppStoreError {
  return new AppStoreError(codeOf(status), `App Store Connect answered ${status}${detailOf(body)}`, retryAfterMs)
}

function codeOf(status: number): AppStoreErrorCode {
  if (status === 401 || status === 403) return 'keyRefused'
  if (status === 404) return 'notFound'
  if (status === 429) return 'rateLimited'
  return status >= 400 && status < 500 ? 'refused' : 'unavailable'
}

function detailOf(body: unknown): string {
  const errors: unknown = isRecord(body) ? body['errors'] : undefined
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined
  if (!isRecord(first)) return ''
  const { code, detail } = first
  const text = [code, detail].filter((part) => typeof part === 'string').join(', ')
  return `: ${text.slice(0, DETAIL_MAX).replace(/\.$/, '')}`
}
