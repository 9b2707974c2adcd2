import { StampedeError } from '@stampede/platform'
import { AppStoreError } from '../apple/errors.ts'
import type { BrandStatus } from '../crd/brand.ts'
import type { Finding } from '../domain/policy.ts'
import { type ConditionChange, type ConditionStatus, KubeError, TemporaryError } from '../kernel/index.ts'

/** What one part of a brand came to: the parts do not hold each other up. */
export interface PartOutcome {
  readonly conditions: readonly ConditionChange[]
  /** Fields of the status that this part knows. */
  readonly status?: Partial<BrandStatus>
  /** When this part wants to be looked at again, ms. */
  readonly requeueAfterMs?: number | undefined
}

/** The CRD takes no longer message. */
const MESSAGE_MAX = 1024

/** One condition. */
export function condition(type: string, status: ConditionStatus, reason: string, message: string): ConditionChange {
  return { type, status, reason, message: message.slice(0, MESSAGE_MAX) }
}

/** Thrown when a part cannot go on until somebody changes something. */
export class FindingError extends Error {
  override readonly name = 'FindingError'
  readonly code = 'finding'
  readonly finding: Finding

  constructor(finding: Finding) {
    super(finding.message)
    this.finding = finding
  }
}

/** How something that a part threw looks in a condition, and when to try again. */
export interface PartFailure {
  readonly reason: string
  readonly message: string
  /** Whether the same may succeed without anybody changing anything. */
  readonly temporary: boolean
  readonly retryAfterMs?: number
}

const appStoreReasons = {
  keyRefused: 'KeyRefused',
  notFound: 'NotFoundAtApple',
  refused: 'RefusedByApple',
  rateLimited: 'RateLimited',
  unavailable: 'AppleUnavailable',
} as const

/**
 * What a part threw, as far as it is a failure of the outside world. An error of the API server is thrown on: all parts
 * need it, and the queue's back-off is for it; so is whatever is a mistake of ours.
 */
export function failureOf(error: unknown): PartFailure {
  if (error instanceof KubeError) throw error
  if (error instanceof FindingError) return { ...error.finding, temporary: false }
  if (error instanceof AppStoreError) {
    const { code, message, temporary, retryAfterMs } = error
    return { reason: appStoreReasons[code], message, temporary, ...(retryAfterMs !== undefined && { retryAfterMs }) }
  }
  if (error instanceof TemporaryError)
    return { reason: 'NoAnswer', message: error.message, temporary: true, retryAfterMs: error.delayMs }
  if (error instanceof StampedeError)
    return {
      reason: error.retryable ? 'PlatformUnavailable' : 'RefusedByPlatform',
      message: error.message,
      temporary: error.retryable,
    }
  throw error
}
