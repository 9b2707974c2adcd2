import type { EventEmitter } from 'node:events'
import { readFile } from 'node:fs/promises'
import {
  logVerbosity,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  setLogVerbosity,
  type UntypedHandleCall,
} from '@grpc/grpc-js'
import { ConfigError } from '../config.ts'
import { invalidArgument, StampedeError, unavailable } from '../errors.ts'
import type { PlatformConfig } from '../platform-config.ts'
import type { Binding, BoundMethod } from './binding.ts'
import { drained } from './drained.ts'
import { healthHandlers, healthService } from './health.ts'
import type { Arrival, Pipeline } from './pipeline.ts'
import { addReflection } from './reflection.ts'
import { toGrpcStatus } from './status.ts'

/** Largest message either way, in bytes. */
export const MAX_MESSAGE_BYTES = 8 * 1024 * 1024
/** Calls at once on one connection; more wait at the client. */
const MAX_CONCURRENT_STREAMS = 1_000
/** Connections are renewed so that callers find new replicas; running calls end first. */
const MAX_CONNECTION_AGE_MS = 600_000
const KEEPALIVE_TIME_MS = 60_000
const KEEPALIVE_TIMEOUT_MS = 10_000

// What gRPC would print reaches callers as errors; its own lines would break the log's format.
setLogVerbosity(logVerbosity.NONE)

/** What a gRPC server needs. */
export interface GrpcServerOptions {
  readonly bindings: readonly Binding[]
  /** 0 takes any free port. */
  readonly port: number
  readonly platform: Pick<PlatformConfig, 'listenHost' | 'tls'>
  readonly pipeline: Pipeline
  /** Asked by health checks. */
  readonly serving: () => boolean
}

/** A listening gRPC server. */
export interface GrpcServer {
  readonly port: number
  /** Lets running calls end, at most this long; then cuts them. */
  stop(graceMs: number): Promise<void>
}

/** Starts gRPC with health and reflection (both open to all) and the bindings behind the pipeline. */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const { bindings, platform, pipeline } = options
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_concurrent_streams': MAX_CONCURRENT_STREAMS,
    'grpc.max_connection_age_ms': MAX_CONNECTION_AGE_MS,
    'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  })
  for (const binding of bindings) addBinding(server, binding, pipeline)
  const services = bindings.map((binding) => binding.service)
  const stopping = new AbortController()
  server.addService(healthService, healthHandlers(new Set(services), options.serving, stopping.signal))
  addReflection(server, services)
  const port = await listen(server, `${hostForUrl(platform.listenHost)}:${options.port}`, await credentials(platform))
  return {
    port,
    stop: (graceMs) => {
      stopping.abort()
      return stop(server, graceMs)
    },
  }
}

function hostForUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

async function credentials({ tls }: Pick<PlatformConfig, 'tls'>): Promise<ServerCredentials> {
  if (tls === undefined) return ServerCredentials.createInsecure()
  const { cert, key } = tls
  // Never fall back to plain text where TLS was asked for.
  if (cert === undefined || key === undefined)
    throw new ConfigError('STAMPEDE_TLS_CERT and STAMPEDE_TLS_KEY are required by a server when STAMPEDE_TLS_CA is set')
  const [certPem, keyPem] = await Promise.all([readFile(cert), readFile(key)])
  return ServerCredentials.createSsl(null, [{ cert_chain: certPem, private_key: keyPem }], false)
}

function listen(server: Server, address: string, using: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, using, (error, port) => {
      if (error) reject(unavailable(`cannot listen on ${address}`, error))
      else resolve(port)
    })
  })
}

async function stop(server: Server, graceMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown()
      resolve()
    }, graceMs)
    server.tryShutdown(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

function addBinding(server: Server, binding: Binding, pipeline: Pipeline): void {
  for (const method of binding.methods) {
    const { path, isStream, isDuplex } = method.info
    const handle = isDuplex
      ? duplexHandler(method, pipeline)
      : isStream
        ? streamHandler(method, pipeline)
        : unaryHandler(method, pipeline)
    server.register(
      path,
      handle as UntypedHandleCall,
      method.encodeResponse,
      decoder(method),
      isDuplex ? 'bidi' : isStream ? 'serverStream' : 'unary',
    )
  }
}

/** A request that may turn out not to be one: gRPC itself would call that INTERNAL. */
type Received = { readonly request: object } | { readonly malformed: Error }

function decoder(method: BoundMethod): (bytes: Buffer) => Received {
  return (bytes) => {
    try {
      return { request: method.decodeRequest(bytes) }
    } catch (error) {
      return { malformed: error instanceof Error ? error : new Error(String(error)) }
    }
  }
}

function read(received: Received): object {
  if ('request' in received) return received.request
  throw invalidArgument('', 'the request is no message of this method')
}

function unaryHandler(method: BoundMethod, pipeline: Pipeline) {
  return (call: ServerUnaryCall<Received, unknown>, answer: sendUnaryData<unknown>): void => {
    pipeline
      .admit(arrivalOf(call))
      .unary(method, () => read(call.request))
      .then(
        (response) => answer(null, response),
        (error: unknown) => answer(toGrpcStatus(StampedeError.from(error))),
      )
  }
}

function streamHandler(method: BoundMethod, pipeline: Pipeline) {
  return (call: ServerWritableStream<Received, unknown>): void => {
    const write = async (item: unknown): Promise<void> => {
      if (!call.write(item)) await drained(call)
    }
    pipeline
      .admit(arrivalOf(call))
      .stream(method, () => read(call.request), write)
      .then(
        () => call.end(),
        (error: unknown) => call.emit('error', toGrpcStatus(StampedeError.from(error))),
      )
  }
}

function duplexHandler(method: BoundMethod, pipeline: Pipeline) {
  return (call: ServerDuplexStream<Received, unknown>): void => {
    const write = async (item: unknown): Promise<void> => {
      if (!call.write(item)) await drained(call)
    }
    pipeline
      .admit(arrivalOf(call))
      .duplex(method, readAll(call), write)
      .then(
        () => call.end(),
        (error: unknown) => call.emit('error', toGrpcStatus(StampedeError.from(error))),
      )
  }
}

async function* readAll(call: AsyncIterable<Received>): AsyncIterable<object> {
  for await (const received of call) yield read(received)
}

/** What all kinds of calls have. */
type AnyCall = Pick<ServerUnaryCall<Received, unknown>, 'metadata' | 'getDeadline'> & EventEmitter

function arrivalOf(call: AnyCall): Arrival {
  const gone = new AbortController()
  call.once('cancelled', () => gone.abort(new StampedeError('CANCELLED')))
  return {
    transport: 'grpc',
    authorization: single(call.metadata, 'authorization'),
    timeoutMs: remainingMs(call.getDeadline()),
    signal: gone.signal,
    trace: traceOf(call.metadata),
  }
}

function remainingMs(deadline: Date | number): number | undefined {
  const at = Number(deadline)
  return Number.isFinite(at) ? at - Date.now() : undefined
}

function traceOf(metadata: Metadata): Record<string, string> {
  const trace: Record<string, string> = {}
  for (const key of ['traceparent', 'tracestate', 'baggage']) {
    const value = single(metadata, key)
    if (value !== undefined) trace[key] = value
  }
  return trace
}

function single(metadata: Metadata, key: string): string | undefined {
  const value = metadata.get(key)[0]
  return typeof value === 'string' ? value : undefined
}
