import { type DescField, type DescMessage, type JsonObject, ScalarType } from '@bufbuild/protobuf'
import { errorTable } from '../errors.ts'
import type { Binding } from './binding.ts'
import { commentOf } from './comments.ts'
import type { HttpBinding, MethodInfo } from './descriptors.ts'
import { templateVariables } from './routes.ts'

const errorContent = { 'application/json': { schema: ref('Error') } }

/** Describes the JSON mapping of a service's bindings as OpenAPI 3.1, comments of the protos included. */
export function buildOpenApi(name: string, bindings: readonly Binding[]): JsonObject {
  const messages = new Map<string, DescMessage>()
  const paths: Record<string, JsonObject> = {}
  for (const { info } of bindings.flatMap((binding) => binding.methods)) {
    collect(info.output, messages)
    collect(info.input, messages)
    for (const [index, http] of info.http.entries()) {
      const path = paths[http.template] ?? {}
      path[http.verb.toLowerCase()] = operation(info, http, index)
      paths[http.template] = path
    }
  }
  const schemas = [...messages].map(([typeName, desc]) => [typeName, messageSchema(desc, desc.fields)] as const)
  return {
    openapi: '3.1.0',
    info: { title: `Stampede ${name}`, version: 'v1', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    security: [{ apiKey: [] }],
    paths,
    components: {
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'API key, `sk_...`' } },
      schemas: { ...Object.fromEntries(schemas), Error: errorSchema() },
    },
  }
}

function ref(typeName: string): JsonObject {
  return { $ref: `#/components/schemas/${typeName}` }
}

/** Gathers the messages that a message needs, except well-known ones, which have a JSON form of their own. */
function collect(desc: DescMessage, into: Map<string, DescMessage>): void {
  if (into.has(desc.typeName) || desc.typeName.startsWith('google.protobuf.')) return
  into.set(desc.typeName, desc)
  for (const field of desc.fields) if (field.message) collect(field.message, into)
}

function operation(info: MethodInfo, http: HttpBinding, index: number): JsonObject {
  const inPath = templateVariables(http.template)
  const rest = info.input.fields.filter((field) => !inPath.includes(field.name))
  const service = info.service.split('.').at(-1) ?? info.service
  const content = info.isStream
    ? { 'application/x-ndjson': { schema: streamLine(info.output) } }
    : { 'application/json': { schema: ref(info.output.typeName) } }
  return {
    operationId: `${service}_${info.name}${index === 0 ? '' : `_${index + 1}`}`,
    tags: [service],
    description: [commentOf(info.desc), `Permission: \`${info.permission}\`.`].filter(Boolean).join('\n\n'),
    parameters: [
      ...inPath.map((name) => parameter(info.input, name, 'path')),
      ...(http.hasBody ? [] : rest.map((field) => parameter(info.input, field.name, 'query'))),
    ],
    ...(http.hasBody && {
      requestBody: { required: true, content: { 'application/json': { schema: messageSchema(info.input, rest) } } },
    }),
    responses: {
      200: { description: commentOf(info.output) || 'The answer.', content },
      default: { description: 'What went wrong, by the error table.', content: errorContent },
    },
  }
}

function streamLine(output: DescMessage): JsonObject {
  const result = { type: 'object', required: ['result'], properties: { result: ref(output.typeName) } }
  return { description: 'One line of the stream; an error is the last one.', oneOf: [result, ref('Error')] }
}

function parameter(desc: DescMessage, name: string, where: 'path' | 'query'): JsonObject {
  const field = desc.fields.find((one) => one.name === name)
  if (field === undefined) throw new Error(`${desc.typeName} has no field ${name} for its path`)
  return {
    name: where === 'path' ? name : field.jsonName,
    in: where,
    required: where === 'path',
    description: commentOf(field),
    schema: fieldSchema(field),
  }
}

function messageSchema(desc: DescMessage, fields: readonly DescField[]): JsonObject {
  const properties = fields.map((field) => {
    const description = commentOf(field)
    return [field.jsonName, { ...fieldSchema(field), ...(description !== '' && { description }) }] as const
  })
  const description = commentOf(desc)
  return {
    type: 'object',
    ...(description !== '' && { description }),
    properties: Object.fromEntries(properties),
    additionalProperties: false,
  }
}

function fieldSchema(field: DescField): JsonObject {
  if (field.fieldKind === 'list') return { type: 'array', items: valueSchema(field) }
  if (field.fieldKind === 'map') return { type: 'object', additionalProperties: valueSchema(field) }
  return valueSchema(field)
}

function valueSchema(field: DescField): JsonObject {
  if (field.message?.typeName === 'google.protobuf.Timestamp') return { type: 'string', format: 'date-time' }
  if (field.message) return ref(field.message.typeName)
  if (field.enum) return { type: 'string', enum: field.enum.values.map((value) => value.name) }
  return scalarSchema(field.scalar)
}

function scalarSchema(scalar: ScalarType | undefined): JsonObject {
  switch (scalar) {
    case ScalarType.BOOL:
      return { type: 'boolean' }
    case ScalarType.BYTES:
      return { type: 'string', contentEncoding: 'base64' }
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return { type: 'number' }
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return { type: 'integer', format: 'int32' }
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: 'integer', minimum: 0, maximum: 4_294_967_295 }
    case ScalarType.STRING:
      return { type: 'string' }
    default:
      // 64 bits do not fit into a number of JSON.
      return { type: 'string', format: 'int64', pattern: '^-?[0-9]+$' }
  }
}

function errorSchema(): JsonObject {
  const code = { type: 'string', enum: Object.keys(errorTable) }
  const field = { type: 'string', description: 'Path of the wrong field; empty when none is to blame.' }
  const retryable = { type: 'boolean', description: 'Whether the same request may succeed later.' }
  const properties = { code, field, message: { type: 'string' }, retryable }
  const error = { type: 'object', required: Object.keys(properties), properties }
  return { type: 'object', required: ['error'], properties: { error } }
}
