import {
  type DescField,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonObject,
  type JsonValue,
  ScalarType,
  toBinary,
  toJson,
} from '@bufbuild/protobuf'
import { invalidArgument, type StampedeError } from '../errors.ts'
import type { BoundMethod } from './binding.ts'
import type { RouteMatch } from './routes.ts'

/** Deepest nesting of a request; ours need six. */
const MAX_DEPTH = 32

/** Builds a method's request from path, query and body. INVALID_ARGUMENT names what does not fit. */
export function readJsonRequest(match: RouteMatch, query: URLSearchParams, body: string): object {
  const { input } = match.route.method.info
  const json: JsonObject = match.route.hasBody ? parseBody(body) : {}
  addQuery(json, input, query, match.route.hasBody)
  for (const [name, value] of match.variables) addPathValue(json, input, name, value)
  return match.route.method.decodeRequest(Buffer.from(toBinary(input, decodeMessage(input, json))))
}

/** A handler's answer as JSON: 64-bit integers as text, bytes as base64, no field left out for being zero. */
export function writeJsonResponse(method: BoundMethod, response: unknown): JsonValue {
  const message = fromBinary(method.info.output, method.encodeResponse(response))
  return toJson(method.info.output, message, { alwaysEmitImplicit: true })
}

function parseBody(body: string): JsonObject {
  if (body === '') return {}
  let parsed: unknown
  try {
    parsed = JSON.parse(body, keepPrecision as (key: string, value: unknown) => unknown)
  } catch (error) {
    throw invalidArgument('body', `is no JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (!isJsonObject(parsed)) throw invalidArgument('body', 'must be a JSON object')
  return parsed
}

/** A whole number beyond 2^53 would be rounded: kept as text, which the mapping reads exactly. */
function keepPrecision(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  return /^-?\d+$/.test(context.source ?? '') ? context.source : value
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function findField(desc: DescMessage, name: string): DescField | undefined {
  return desc.fields.find((field) => field.name === name || field.jsonName === name)
}

function addQuery(json: JsonObject, desc: DescMessage, query: URLSearchParams, hasBody: boolean): void {
  for (const name of new Set(query.keys())) {
    const field = findField(desc, name)
    if (hasBody || field === undefined) throw invalidArgument(name, 'is no query parameter of this method')
    if (field.name in json) throw invalidArgument(field.name, 'is set more than once')
    const values = query.getAll(name).map((value) => plain(field, value))
    if (field.fieldKind !== 'list' && values.length > 1) throw invalidArgument(field.name, 'is set more than once')
    json[field.name] = field.fieldKind === 'list' ? values : (values[0] ?? '')
  }
}

function plain(field: DescField, value: string): JsonValue {
  const scalar = field.fieldKind === 'list' ? (field.listKind === 'scalar' ? field.scalar : undefined) : field.scalar
  if (scalar !== ScalarType.BOOL) return value
  if (value === 'true') return true
  if (value === 'false') return false
  throw invalidArgument(field.name, 'must be true or false')
}

function addPathValue(json: JsonObject, desc: DescMessage, name: string, value: string): void {
  const field = findField(desc, name)
  for (const key of [field?.jsonName, field?.name]) {
    if (key === undefined || !(key in json)) continue
    if (json[key] !== value) throw invalidArgument(name, 'differs from the value in the path')
    delete json[key]
  }
  json[name] = value
}

function decodeMessage(desc: DescMessage, json: JsonObject) {
  try {
    return fromJson(desc, json, { recursionLimit: MAX_DEPTH })
  } catch (error) {
    throw locate(desc, json, '', error)
  }
}

/** Finds the field that the mapping refused: the library names it, but not the way to it. */
function locate(desc: DescMessage, json: JsonValue, path: string, error: unknown): StampedeError {
  if (!isJsonObject(json)) return invalidArgument(path || 'body', 'must be an object')
  const seen = new Set<DescField>()
  for (const [key, value] of Object.entries(json)) {
    const field = findField(desc, key)
    const at = path === '' ? (field?.name ?? key) : `${path}.${field?.name ?? key}`
    if (field === undefined) return invalidArgument(at, 'is unknown')
    if (seen.has(field)) return invalidArgument(at, 'is set more than once')
    seen.add(field)
    const wrong = refuses(desc, { [key]: value })
    if (wrong === undefined) continue
    return locateInField(field, value, at, wrong)
  }
  return invalidArgument(path || 'body', explain(error))
}

function locateInField(field: DescField, value: JsonValue, at: string, error: unknown): StampedeError {
  const inner = field.message?.typeName.startsWith('google.protobuf.') ? undefined : field.message
  if (field.fieldKind === 'list' && Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const wrong = refuses(field.parent, { [field.name]: [item] })
      if (wrong === undefined) continue
      const here = `${at}[${index}]`
      return inner && isJsonObject(item) ? locate(inner, item, here, wrong) : invalidArgument(here, explain(wrong))
    }
  }
  if (field.fieldKind === 'message' && inner && isJsonObject(value)) return locate(inner, value, at, error)
  return invalidArgument(at, explain(error))
}

function refuses(desc: DescMessage, json: JsonObject): unknown {
  try {
    fromJson(desc, json, { recursionLimit: MAX_DEPTH })
    return undefined
  } catch (error) {
    return error
  }
}

function explain(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/^cannot decode .*? from JSON: /, '')
}
