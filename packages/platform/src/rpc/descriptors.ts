import { createFileRegistry, type DescMessage, type DescMethod, fromBinary, getOption } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { descriptorSet } from '@stampede/proto/descriptors'

/** One HTTP mapping of a method. */
export interface HttpBinding {
  /** GET, PUT, POST, DELETE or PATCH. */
  readonly verb: string
  /** Path with `{field}` variables and an optional `:verb` at the end. */
  readonly template: string
  /** Whether the body is the whole request (`*`); otherwise the rest of the fields are query parameters. */
  readonly hasBody: boolean
}

/** What the protos say about one method. */
export interface MethodInfo {
  /** `/package.Service/Method`, as on the wire. */
  readonly path: string
  /** Full name of the service. */
  readonly service: string
  /** Name of the method as in the proto. */
  readonly name: string
  /** Permission that the caller's role must grant. */
  readonly permission: string
  /** Whether it only reads: safe to repeat. */
  readonly isRead: boolean
  /** Whether the answer is a stream. */
  readonly isStream: boolean
  /** Whether requests and answers are streams: by gRPC only. */
  readonly isDuplex: boolean
  /** Whether the request has the text field `brand`; a request without concerns all brands. */
  readonly hasBrand: boolean
  /** HTTP mappings, at least one but for duplex methods. */
  readonly http: readonly HttpBinding[]
  /** Description of the request. */
  readonly input: DescMessage
  /** Description of the answer. */
  readonly output: DescMessage
  /** The descriptor itself, for comments. */
  readonly desc: DescMethod
}

/** Descriptors of all messages and services in proto/. */
export const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet))

/** Every method of every Stampede service, by wire path. */
export const methods: ReadonlyMap<string, MethodInfo> = readMethods()

/** The method with this wire path; a path that the protos do not know is a programmer's error. */
export function methodInfo(path: string): MethodInfo {
  const info = methods.get(path)
  if (info === undefined) throw new Error(`no method ${path} in the protos`)
  return info
}

function readMethods(): Map<string, MethodInfo> {
  const found = new Map<string, MethodInfo>()
  for (const type of registry) {
    if (type.kind !== 'service' || !type.typeName.startsWith('stampede.')) continue
    for (const method of type.methods) {
      const info = describe(method)
      found.set(info.path, info)
    }
  }
  return found
}

function describe(method: DescMethod): MethodInfo {
  const permission = readPermission(method)
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    service: method.parent.typeName,
    name: method.name,
    permission,
    isRead: permission.endsWith('.read'),
    isStream: method.methodKind === 'server_streaming',
    isDuplex: method.methodKind === 'bidi_streaming',
    hasBrand: method.input.fields.some((field) => field.name === 'brand' && field.fieldKind === 'scalar'),
    // JSON over HTTP has no stream of requests.
    http: method.methodKind === 'bidi_streaming' ? [] : readHttp(method),
    input: method.input,
    output: method.output,
    desc: method,
  }
}

function readPermission(method: DescMethod): string {
  const extension = registry.getExtension('stampede.options.v1.permission')
  const permission: unknown = extension && getOption(method, extension)
  if (typeof permission !== 'string' || permission === '')
    throw new Error(`${method.toString()} declares no permission`)
  return permission
}

/** As google.api.HttpRule is at run time; the project generates no types for it. */
interface HttpRule {
  readonly pattern: { readonly case: string | undefined; readonly value?: string }
  readonly body: string
  readonly additionalBindings: readonly HttpRule[]
}

function isHttpRule(value: unknown): value is HttpRule {
  return typeof value === 'object' && value !== null && 'pattern' in value && 'additionalBindings' in value
}

function readHttp(method: DescMethod): HttpBinding[] {
  const extension = registry.getExtension('google.api.http')
  const rule: unknown = extension && getOption(method, extension)
  if (!isHttpRule(rule)) throw new Error(`${method.toString()} declares no HTTP mapping`)
  return [rule, ...rule.additionalBindings].map(({ pattern, body }) => {
    if (pattern.case === undefined || pattern.value === undefined || !['', '*'].includes(body))
      throw new Error(`${method.toString()} has an HTTP mapping that is not supported`)
    return { verb: pattern.case.toUpperCase(), template: pattern.value, hasBody: body === '*' }
  })
}
