import { fieldsOf, type PassField, type PassJson } from '../pass/check-json.ts'
import type { FieldChange } from '../rows.ts'

/** Shown values by field key. */
export type Face = Readonly<Record<string, string>>

/** What the fields of a pass show. */
export function faceOf(json: PassJson): Face {
  return Object.fromEntries(fieldsOf(json).map(({ key, value }) => [key, String(value)]))
}

function textOf({ changeMessage }: PassField, value: string): string {
  // Without the placeholder the change is silent.
  return changeMessage?.includes('%@') ? changeMessage.replaceAll('%@', () => value) : ''
}

/** The differences between what was shown and what the pass says now. Fields that vanished are not announced. */
export function changesOf(before: Face, json: PassJson): readonly FieldChange[] {
  return fieldsOf(json).flatMap((field) => {
    const old = before[field.key] ?? null
    const now = String(field.value)
    if (old === now) return []
    return [{ key: field.key, label: field.label ?? '', old, new: now, text: textOf(field, now) }]
  })
}
