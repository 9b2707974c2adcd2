import type { DescField, DescMessage } from '@bufbuild/protobuf'
import { ScalarType } from '@bufbuild/protobuf'

type Leaf = Date | Uint8Array | string | number | boolean | bigint | undefined

/** A message of which any field may be left out, at any depth; what is left out takes proto3's default. */
export type DeepPartial<T> = T extends Leaf
  ? T
  : T extends readonly (infer U)[]
    ? readonly DeepPartial<U>[]
    : T extends { readonly $case: infer C; readonly value: infer V }
      ? { readonly $case: C; readonly value: DeepPartial<V> }
      : { readonly [K in keyof T]?: DeepPartial<T[K]> | undefined }

/** Fills a partial message up with defaults, so that ts-proto can encode it. */
export function completeMessage(desc: DescMessage, partial: object): object {
  const given = partial as Readonly<Record<string, unknown>>
  const message: Record<string, unknown> = {}
  for (const oneof of desc.oneofs) message[oneof.localName] = completeOneof(oneof.fields, given[oneof.localName])
  for (const field of desc.fields) {
    if (field.oneof === undefined) message[field.localName] = completeField(field, given[field.localName])
  }
  return message
}

function completeField(field: DescField, value: unknown): unknown {
  if (field.fieldKind === 'list') return ((value ?? []) as unknown[]).map((item) => completeValue(field.message, item))
  if (field.fieldKind === 'map') {
    const entries = Object.entries((value ?? {}) as object)
    return Object.fromEntries(entries.map(([key, item]) => [key, completeValue(field.message, item)]))
  }
  if (value !== undefined && value !== null) return completeValue(field.message, value)
  if (field.fieldKind === 'message' || field.proto.proto3Optional) return undefined
  return field.fieldKind === 'enum' ? 0 : scalarDefault(field.scalar)
}

function completeOneof(fields: readonly DescField[], value: unknown): unknown {
  if (value === undefined || value === null) return undefined
  const chosen = value as { readonly $case: string; readonly value: unknown }
  const field = fields.find((one) => one.localName === chosen.$case)
  if (field === undefined) return undefined
  return { $case: chosen.$case, value: completeField(field, chosen.value) }
}

function completeValue(message: DescMessage | undefined, value: unknown): unknown {
  // Well-known types are plain values in ts-proto (a Timestamp is a Date).
  if (message === undefined || message.typeName.startsWith('google.protobuf.')) return value
  return completeMessage(message, value as object)
}

function scalarDefault(scalar: ScalarType): unknown {
  switch (scalar) {
    case ScalarType.STRING:
      return ''
    case ScalarType.BOOL:
      return false
    case ScalarType.BYTES:
      return Buffer.alloc(0)
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return 0n
    default:
      return 0
  }
}
