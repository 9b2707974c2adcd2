import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type ChannelCredentials,
  type ClientDuplexStream,
  type ClientOptions,
  type ClientUnaryCall,
  credentials,
  Client as GrpcClient,
  Metadata,
} from '@grpc/grpc-js'
import { StampedeError } from '../errors.ts'
import type { PlatformConfig } from '../platform-config.ts'
import { traceHeaders, withSpan } from '../tracing.ts'
import type { RequestOf, ResponseOf, RpcDefinition, RpcService } from './binding.ts'
import { completeMessage, type DeepPartial } from './complete.ts'
import { type MethodInfo, methodInfo } from './descriptors.ts'
import { drained } from './drained.ts'
import { MAX_MESSAGE_BYTES } from './grpc-server.ts'
import { DEFAULT_DEADLINE_MS, MAX_STREAM_MS } from './pipeline.ts'
import { fromGrpcError } from './status.ts'

/** Tries of one call, the first included. */
const MAX_TRIES = 3
/** First pause before a repeat; doubled each time, half of it random. */
const RETRY_PAUSE_MS = 100

const channelOptions: ClientOptions = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 2_000,
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 10_000,
  // Repeats are decided here, by the error table; services are never behind a web proxy.
  'grpc.enable_retries': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
}

/** Where to and as whom. */
export interface ClientSettings {
  /** `host:port`. */
  readonly address: string
  /** Key sent with every call. */
  readonly apiKey: string
  /** TLS of the platform: with it the server must show a certificate of this authority. */
  readonly platform: Pick<PlatformConfig, 'tls'>
  /** Milliseconds that a call with one answer waits; default 10,000. */
  readonly defaultDeadlineMs?: number
}

/** One call's own wishes. */
export interface CallOptions {
  /** Milliseconds for the whole call, repeats included. */
  readonly deadlineMs?: number
  /** Gives up when aborted. */
  readonly signal?: AbortSignal
}

/** A method as its caller sees it. It throws StampedeError. */
export type ClientMethod<M extends RpcDefinition> = M extends { readonly requestStream: true }
  ? (
      requests: AsyncIterable<DeepPartial<RequestOf<M>>> | Iterable<DeepPartial<RequestOf<M>>>,
      options?: CallOptions,
    ) => AsyncIterable<ResponseOf<M>>
  : M extends { readonly responseStream: true }
    ? (request: DeepPartial<RequestOf<M>>, options?: CallOptions) => AsyncIterable<ResponseOf<M>>
    : (request: DeepPartial<RequestOf<M>>, options?: CallOptions) => Promise<ResponseOf<M>>

/** A client of one service; disposing closes its connection. */
export type ServiceClient<S extends RpcService> = { readonly [K in keyof S]: ClientMethod<S[K]> } & AsyncDisposable

/**
 * Connects (lazily) to a service. Calls with one answer wait for a server that is not there yet or is being
 * restarted, within their deadline; streams throw UNAVAILABLE. An error marked retryable is tried again, up to 3 times in all, if the method reads or the request
 * carries an idempotency key.
 */
export function createClient<S extends RpcService>(definition: S, options: ClientSettings): ServiceClient<S> {
  const channel = new GrpcClient(options.address, channelCredentials(options.platform), channelOptions)
  const methods = Object.entries(definition).map(([name, method]) => {
    const remote = new RemoteMethod(channel, method, options)
    if (method.requestStream) return [name, remote.duplex.bind(remote)]
    return [name, method.responseStream ? remote.stream.bind(remote) : remote.unary.bind(remote)]
  })
  return {
    ...Object.fromEntries(methods),
    [Symbol.asyncDispose]: async () => channel.close(),
  } as ServiceClient<S>
}

function channelCredentials({ tls }: Pick<PlatformConfig, 'tls'>): ChannelCredentials {
  return tls === undefined ? credentials.createInsecure() : credentials.createSsl(readFileSync(tls.ca))
}

/** One method of one server; the types were checked where the client was made. */
class RemoteMethod {
  readonly #channel: GrpcClient
  readonly #definition: RpcDefinition
  readonly #info: MethodInfo
  readonly #settings: ClientSettings

  constructor(channel: GrpcClient, definition: RpcDefinition, settings: ClientSettings) {
    this.#channel = channel
    this.#definition = definition
    this.#info = methodInfo(definition.path)
    this.#settings = settings
  }

  async unary(partial: object, options: CallOptions = {}): Promise<unknown> {
    const request = completeMessage(this.#info.input, partial)
    const deadline = Date.now() + (options.deadlineMs ?? this.#settings.defaultDeadlineMs ?? DEFAULT_DEADLINE_MS)
    const repeatable = this.#info.isRead || Boolean('idempotencyKey' in request && request.idempotencyKey)
    const name = this.#info.path.slice(1)
    return withSpan(name, { kind: 'client', attributes: { 'rpc.system': 'grpc' } }, async () => {
      for (let tries = 1; ; tries += 1) {
        try {
          return await this.#once(request, deadline, options.signal)
        } catch (reason) {
          const error = fromGrpcError(reason)
          const pauseMs = RETRY_PAUSE_MS * 2 ** (tries - 1) * (0.5 + Math.random() / 2)
          if (!repeatable || !error.retryable || tries === MAX_TRIES || Date.now() + pauseMs >= deadline) throw error
          await pause(pauseMs, options.signal)
        }
      }
    })
  }

  async *stream(partial: object, options: CallOptions = {}): AsyncIterable<unknown> {
    const request = completeMessage(this.#info.input, partial)
    const { path, requestSerialize, responseDeserialize } = this.#definition
    options.signal?.throwIfAborted()
    const call = this.#channel.makeServerStreamRequest(
      path,
      requestSerialize as (value: object) => Buffer,
      responseDeserialize,
      request,
      // A stream does not wait for its server: with its long deadline nobody would notice that there is none.
      this.#metadata(false),
      { deadline: Date.now() + (options.deadlineMs ?? MAX_STREAM_MS) },
    )
    const onAbort = (): void => call.cancel()
    options.signal?.addEventListener('abort', onAbort, { once: true })
    try {
      yield* call
    } catch (reason) {
      throw fromGrpcError(reason)
    } finally {
      options.signal?.removeEventListener('abort', onAbort)
      call.cancel()
    }
  }

  async *duplex(requests: AsyncIterable<object> | Iterable<object>, options: CallOptions = {}): AsyncIterable<unknown> {
    const { path, requestSerialize, responseDeserialize } = this.#definition
    options.signal?.throwIfAborted()
    const call = this.#channel.makeBidiStreamRequest(
      path,
      requestSerialize as (value: object) => Buffer,
      responseDeserialize,
      this.#metadata(false),
      { deadline: Date.now() + (options.deadlineMs ?? MAX_STREAM_MS) },
    )
    const onAbort = (): void => call.cancel()
    options.signal?.addEventListener('abort', onAbort, { once: true })
    // What the source throws ends the call; the answers then end with it.
    const sending = this.#send(requests, call).catch((error: unknown) => call.destroy(StampedeError.from(error)))
    try {
      yield* call
      await sending
    } catch (reason) {
      throw fromGrpcError(reason)
    } finally {
      options.signal?.removeEventListener('abort', onAbort)
      call.cancel()
    }
  }

  async #send(requests: AsyncIterable<object> | Iterable<object>, call: ClientDuplexStream<object, unknown>) {
    for await (const partial of requests) {
      if (call.destroyed) return
      if (call.write(completeMessage(this.#info.input, partial))) continue
      await drained(call)
    }
    call.end()
  }

  #metadata(waitForReady: boolean): Metadata {
    const metadata = new Metadata({ waitForReady })
    metadata.set('authorization', `Bearer ${this.#settings.apiKey}`)
    for (const [key, value] of Object.entries(traceHeaders())) metadata.set(key, value)
    return metadata
  }

  #once(request: object, deadline: number, signal: AbortSignal | undefined): Promise<unknown> {
    const { path, requestSerialize, responseDeserialize } = this.#definition
    const answer = Promise.withResolvers<unknown>()
    if (signal?.aborted) throw new StampedeError('CANCELLED')
    const call: ClientUnaryCall = this.#channel.makeUnaryRequest(
      path,
      requestSerialize as (value: object) => Buffer,
      responseDeserialize,
      request,
      this.#metadata(true),
      { deadline },
      (error, response) => (error ? answer.reject(error) : answer.resolve(response)),
    )
    const onAbort = (): void => call.cancel()
    signal?.addEventListener('abort', onAbort, { once: true })
    return answer.promise.finally(() => signal?.removeEventListener('abort', onAbort))
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal ? { signal } : {})
  } catch (reason) {
    throw StampedeError.from(reason)
  }
}
