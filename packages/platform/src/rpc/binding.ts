import type { Caller } from '../access.ts'
import { type MethodInfo, methodInfo } from './descriptors.ts'

/** One method as ts-proto generates it; the types of messages are told apart by RequestOf and ResponseOf. */
export interface RpcDefinition {
  readonly path: string
  readonly requestStream: boolean
  readonly responseStream: boolean
  readonly requestSerialize: (value: never) => Buffer
  readonly requestDeserialize: (value: Buffer) => unknown
  readonly responseSerialize: (value: never) => Buffer
  readonly responseDeserialize: (value: Buffer) => unknown
}

/** A service as ts-proto generates it (`LedgerServiceService`). */
export type RpcService = Readonly<Record<string, RpcDefinition>>

/** Request of a method. */
export type RequestOf<M extends RpcDefinition> = ReturnType<M['requestDeserialize']>
/** Answer of a method, or of each item of its stream. */
export type ResponseOf<M extends RpcDefinition> = ReturnType<M['responseDeserialize']>

/** What a handler knows about its call. */
export interface CallContext {
  /** Who calls; already checked for the method's permission and the request's brand. */
  readonly caller: Caller
  /** Aborted when the caller gives up, the deadline passes or the server stops. */
  readonly signal: AbortSignal
  /** Instant after which nobody waits for the answer. */
  readonly deadline: Date
}

/**
 * Handler of a method: a promise, or an async iterable where the answer is a stream; it gets an async iterable where the
 * requests are one. Requests are read as the handler asks for them, so that one that is slow holds its caller back.
 */
export type Handler<M extends RpcDefinition> = M extends { readonly requestStream: true }
  ? (requests: AsyncIterable<RequestOf<M>>, call: CallContext) => AsyncIterable<ResponseOf<M>>
  : M extends { readonly responseStream: true }
    ? (request: RequestOf<M>, call: CallContext) => AsyncIterable<ResponseOf<M>>
    : (request: RequestOf<M>, call: CallContext) => Promise<ResponseOf<M>>

/** Handlers of all methods of a service. */
export type Handlers<S extends RpcService> = { readonly [K in keyof S]: Handler<S[K]> }

/** A method, its handler and its codec, with the message types erased. */
export interface BoundMethod {
  readonly info: MethodInfo
  /** Throws if the bytes are no such message. */
  readonly decodeRequest: (bytes: Buffer) => object
  readonly encodeResponse: (response: unknown) => Buffer
  /** Set if the answer is one message. */
  readonly unary?: (request: object, call: CallContext) => Promise<unknown>
  /** Set if the answer is a stream. */
  readonly stream?: (request: object, call: CallContext) => AsyncIterable<unknown>
  /** Set if requests and answers are streams. */
  readonly duplex?: (requests: AsyncIterable<object>, call: CallContext) => AsyncIterable<unknown>
}

/** A service with its handlers, ready for `startServer`. */
export interface Binding {
  /** Full name of the service. */
  readonly service: string
  readonly methods: readonly BoundMethod[]
}

/** Joins a generated service definition with its handlers. */
export function bind<S extends RpcService>(definition: S, handlers: Handlers<S>): Binding {
  const bound = Object.entries(definition).map(([name, method]) => bindMethod(method, handlers[name]))
  const service = bound[0]?.info.service
  if (service === undefined) throw new Error('a service without methods')
  return { service, methods: bound }
}

function bindMethod(definition: RpcDefinition, handler: unknown): BoundMethod {
  if (definition.requestStream && !definition.responseStream) {
    throw new Error(`${definition.path}: a stream of requests needs a stream of answers`)
  }
  if (typeof handler !== 'function') throw new Error(`${definition.path}: no handler`)
  const base = {
    info: methodInfo(definition.path),
    decodeRequest: definition.requestDeserialize as BoundMethod['decodeRequest'],
    // The types of S tie handler and codec together; they are erased here, at one place.
    encodeResponse: definition.responseSerialize as unknown as BoundMethod['encodeResponse'],
  }
  if (definition.requestStream) return { ...base, duplex: handler as NonNullable<BoundMethod['duplex']> }
  return definition.responseStream
    ? { ...base, stream: handler as NonNullable<BoundMethod['stream']> }
    : { ...base, unary: handler as NonNullable<BoundMethod['unary']> }
}
