import { checkText, invalidArgument } from '@stampede/platform'
import type { CardDetails } from '@stampede/proto/passes/v1'
import type { ValueSpec } from '@stampede/proto/templates/v1'
import { type DetailsView, emptyDetails, type Lifecycle, lifecycles } from './card.ts'

/** Longest tier, segment or channel, in characters. */
export const MAX_LABEL_CHARS = 40
/** Most values of one card. */
export const MAX_VALUES = 30
/** Longest value, in characters. */
export const MAX_VALUE_CHARS = 500

const namePattern = /^[a-z0-9_]{1,40}$/
const integerPattern = /^-?\d{1,18}$/
const datePattern = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/

/** Checks the shape of a card's details; throws INVALID_ARGUMENT naming the field. */
export function checkDetails(details: CardDetails | undefined, field: string): DetailsView {
  if (details === undefined) return emptyDetails
  const label = (name: 'tier' | 'segment' | 'channel') =>
    checkText(details[name], `${field}.${name}`, { max: MAX_LABEL_CHARS })
  const entries = Object.entries(details.values)
  if (entries.length > MAX_VALUES) throw invalidArgument(`${field}.values`, `must hold at most ${MAX_VALUES} values`)
  for (const [name, value] of entries) {
    if (!namePattern.test(name))
      throw invalidArgument(`${field}.values`, `has a name that is none: ${name.slice(0, 60)}`)
    checkText(value, `${field}.values[${name}]`, { max: MAX_VALUE_CHARS })
  }
  return {
    tier: label('tier'),
    segment: label('segment'),
    channel: label('channel'),
    values: new Map(entries.toSorted(([left], [right]) => (left < right ? -1 : 1))),
    lifecycle: checkLifecycle(details.lifecycle, `${field}.lifecycle`),
    validUntil: details.validUntil,
  }
}

function checkLifecycle(text: string, field: string): Lifecycle {
  if (text === '') return 'open'
  const known = lifecycles.find((item) => item === text)
  if (known === undefined) throw invalidArgument(field, `must be one of ${lifecycles.join(', ')}`)
  return known
}

/** Checks a card's values against what its template knows; throws INVALID_ARGUMENT naming the value. */
export function checkValues(details: DetailsView, specs: readonly ValueSpec[], field: string): void {
  const kinds = new Map(specs.map((spec) => [spec.name, spec.kind]))
  for (const [name, value] of details.values) {
    const kind = kinds.get(name)
    const place = `${field}.values[${name}]`
    if (kind === undefined) throw invalidArgument(place, 'is no value of the template')
    if ((kind === 'integer' || kind === 'money') && !integerPattern.test(value)) {
      throw invalidArgument(place, 'must be a whole number in digits')
    }
    if (kind === 'date' && (!datePattern.test(value) || Number.isNaN(Date.parse(value)))) {
      throw invalidArgument(place, 'must be YYYY-MM-DD or an instant')
    }
  }
}
