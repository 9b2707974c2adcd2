import { wholeSeconds } from './time.ts'

/** One condition of an object, in the shape of the API conventions (metav1.Condition). */
export interface Condition {
  readonly type: string
  readonly status: ConditionStatus
  /** Generation of the spec that was judged; lower than the object's = out of date. */
  readonly observedGeneration: number
  /** When `status` last flipped; RFC 3339, whole seconds. */
  readonly lastTransitionTime: string
  /** CamelCase, from a fixed set. */
  readonly reason: string
  /** For people. */
  readonly message: string
}

/** Unknown: not judged, or not judgeable at present. */
export type ConditionStatus = 'True' | 'False' | 'Unknown'

/** What a reconcile found about one condition. */
export interface ConditionChange {
  readonly type: string
  readonly status: ConditionStatus
  readonly reason: string
  readonly message: string
}

/** Longest message that metav1.Condition takes. */
export const conditionMessageLengthMax = 32_768

/**
 * Conditions after a reconcile: those named are set, the others stay as they are. The time moves only when `status`
 * flips. Their order is kept; new ones come last.
 */
export function mergeConditions(
  current: readonly Condition[],
  changes: readonly ConditionChange[],
  generation: number,
  now: Date,
): readonly Condition[] {
  const merged = new Map(current.map((condition) => [condition.type, condition]))
  for (const change of changes) {
    const known = merged.get(change.type)
    merged.set(change.type, {
      type: change.type,
      status: change.status,
      observedGeneration: generation,
      lastTransitionTime: known?.status === change.status ? known.lastTransitionTime : wholeSeconds(now),
      reason: change.reason,
      message: change.message.slice(0, conditionMessageLengthMax),
    })
  }
  return [...merged.values()]
}

/** Whether a condition is True for that generation of the spec: an older judgement counts for nothing. */
export function isTrue(conditions: readonly Condition[], type: string, generation: number): boolean {
  const found = conditions.find((condition) => condition.type === type)
  return found?.status === 'True' && found.observedGeneration === generation
}
