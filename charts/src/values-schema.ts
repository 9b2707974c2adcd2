import { isMap, isScalar, isSeq, type Pair, parse, parseDocument, type YAMLMap } from 'yaml'

/** A JSON Schema, as far as this file writes one. */
export interface Schema {
  readonly [keyword: string]: unknown
}

/** What the comment above a key says. */
interface Remark {
  readonly description: string
  /** Keywords of the lines that begin with `@schema`. */
  readonly rules: Schema
  readonly isWorkload: boolean
}

/**
 * Schema of a commented values file: types come from the defaults, descriptions from the comments, further rules from
 * `@schema` lines. Every map is closed unless a rule says otherwise. A key marked `@workload` also takes everything
 * that `defaults` has. Throws Error naming the key that has no usable default.
 */
export function valuesSchema(text: string): Schema {
  const document = parseDocument(text)
  if (!isMap(document.contents)) throw new Error('values: not a map')
  const defaults = document.get('defaults')
  if (!isMap(defaults)) throw new Error('values: no defaults')
  const workload = mapProperties(defaults, 'defaults.', [])
  const properties = mapProperties(document.contents, '', Object.keys(workload))
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart stampede',
    type: 'object',
    additionalProperties: false,
    properties: { ...properties, global: { description: "Helm's own.", type: 'object' } },
    definitions: { workload: { properties: workload } },
  }
}

function mapProperties(map: YAMLMap, path: string, common: readonly string[]): Schema {
  // What stands above the first key belongs to the map itself in the library's eyes.
  const first = map.commentBefore
  return Object.fromEntries(
    map.items.map((pair, index) => {
      const key = String(isScalar(pair.key) ? pair.key.value : pair.key)
      const comment = (isScalar(pair.key) ? pair.key.commentBefore : undefined) ?? (index === 0 ? first : undefined)
      return [key, pairSchema(pair, `${path}${key}`, remarkOf(comment ?? ''), common)]
    }),
  )
}

function pairSchema({ value }: Pair, path: string, remark: Remark, common: readonly string[]): Schema {
  const { description, rules, isWorkload } = remark
  const said = description === '' ? {} : { description }
  if (isMap(value) && rules['additionalProperties'] === undefined) {
    const own = mapProperties(value, `${path}.`, common)
    const properties = isWorkload ? workloadProperties(own, common) : own
    return { ...said, type: 'object', additionalProperties: false, properties, ...rules }
  }
  return { ...said, type: typeOf(value, path), ...rules }
}

function typeOf(value: unknown, path: string): string | undefined {
  if (isMap(value)) return 'object'
  if (isSeq(value)) return 'array'
  const plain = isScalar(value) ? value.value : value
  if (plain === null) return undefined
  if (typeof plain === 'number') return 'integer'
  if (typeof plain === 'string' || typeof plain === 'boolean') return typeof plain
  throw new Error(`${path}: no default that tells a type`)
}

/** A workload takes every common key, whatever its own default for it is, and keys of its own. */
function workloadProperties(own: Schema, common: readonly string[]): Schema {
  const references = common.map((key) => [key, { $ref: `#/definitions/workload/properties/${key}` }])
  return { ...own, ...Object.fromEntries(references) }
}

function remarkOf(comment: string): Remark {
  // A blank line parts the text of a section from the one above a key.
  const lines = (comment.split(/\n\s*\n/).at(-1) ?? '').split('\n').map((line) => line.trim())
  const rules = lines.filter((line) => line.startsWith('@schema ')).map((line) => parse(line.slice('@schema '.length)))
  return {
    description: lines.filter((line) => line !== '' && !line.startsWith('@')).join(' '),
    rules: Object.assign({}, ...rules) as Schema,
    isWorkload: lines.includes('@workload'),
  }
}
