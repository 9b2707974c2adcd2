import type { AccessDirectory, Caller } from '../access.ts'
import { StampedeError } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { createRpcMetrics } from '../platform-metrics.ts'
import { type TraceHeaders, withSpan } from '../tracing.ts'
import { authenticate, authorize, checkScope } from './auth.ts'
import type { BoundMethod, CallContext } from './binding.ts'
import type { MethodInfo } from './descriptors.ts'

/** Longest time that a call with one answer may take, whatever the caller asks for. */
export const MAX_DEADLINE_MS = 60_000
/** Time of a call with one answer whose caller names none. */
export const DEFAULT_DEADLINE_MS = 10_000
/** Longest life of a stream; its caller then begins anew. */
export const MAX_STREAM_MS = 3_600_000

/** What a transport knows of a call. */
export interface Arrival {
  readonly transport: 'grpc' | 'http'
  /** Header or metadata `authorization`. */
  readonly authorization: string | undefined
  /** How long the caller waits, in milliseconds; undefined if it does not say. */
  readonly timeoutMs: number | undefined
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal
  /** Trace headers of the caller. */
  readonly trace: TraceHeaders
}

/** A call that may go on to read its request. */
export interface Admission {
  /** Reads the request (it may throw) and runs the handler; answers or throws a StampedeError. */
  unary(method: BoundMethod, readRequest: () => object | Promise<object>): Promise<unknown>
  /** The same for a stream; `write` resolves when the next item may come. */
  stream(
    method: BoundMethod,
    readRequest: () => object | Promise<object>,
    write: (item: unknown) => Promise<void>,
  ): Promise<void>
  /** The same where requests are a stream, too; each is checked against the caller's brands. */
  duplex(method: BoundMethod, requests: AsyncIterable<object>, write: (item: unknown) => Promise<void>): Promise<void>
}

/** What every call passes, whatever transport brought it. */
export interface Pipeline {
  /** One call. Errors come out as StampedeError only, logged and counted. */
  admit(arrival: Arrival): Admission
  /** Ends all streams with UNAVAILABLE; new ones are refused. */
  endStreams(): void
  /** Aborts whatever still runs. */
  abortAll(): void
}

/** What the pipeline works with. */
export interface PipelineOptions {
  readonly access: AccessDirectory
  readonly logger: Logger
  readonly metrics: Metrics
}

/** Builds the pipeline: key, permission, request, scope, deadline, handler, error table, span, metrics. */
export function createPipeline({ access, logger, metrics }: PipelineOptions): Pipeline {
  const streams = new AbortController()
  const everything = new AbortController()
  const stopping = () => new StampedeError('UNAVAILABLE', 'the server is shutting down')
  const { duration } = createRpcMetrics(metrics)

  async function observed<T>(info: MethodInfo, arrival: Arrival, run: () => Promise<T>): Promise<T> {
    const stop = duration.startTimer({ method: info.path.slice(1), transport: arrival.transport })
    const attributes = { 'rpc.system': arrival.transport, 'rpc.service': info.service, 'rpc.method': info.name }
    try {
      const answer = await withSpan(info.path.slice(1), { kind: 'server', attributes, parent: arrival.trace }, run)
      stop({ code: 'OK' })
      return answer
    } catch (reason) {
      const error = forCaller(reason)
      if (error.code === 'INTERNAL') logger.error({ err: error.cause ?? error, method: info.path }, 'call failed')
      stop({ code: error.code })
      throw error
    }
  }

  function start(method: BoundMethod, arrival: Arrival, maxMs: number, defaultMs: number): LiveCall {
    const caller = authenticate(arrival.authorization, access)
    authorize(caller, method.info)
    const timeoutMs = Math.min(Math.max(arrival.timeoutMs ?? defaultMs, 0), maxMs)
    const ends =
      method.stream !== undefined || method.duplex !== undefined
        ? [arrival.signal, streams.signal, everything.signal]
        : [arrival.signal, everything.signal]
    return new LiveCall(caller, timeoutMs, ends)
  }

  return {
    admit: (arrival) => ({
      unary: (method, readRequest) =>
        observed(method.info, arrival, async () => {
          using live = start(method, arrival, MAX_DEADLINE_MS, DEFAULT_DEADLINE_MS)
          const { unary } = method
          if (unary === undefined) throw new Error(`${method.info.path} is a stream`)
          return await live.race(async () => {
            const request = await readRequest()
            checkScope(live.context.caller, method.info, request)
            return unary(request, live.context)
          })
        }),
      stream: (method, readRequest, write) =>
        observed(method.info, arrival, async () => {
          using live = start(method, arrival, MAX_STREAM_MS, MAX_STREAM_MS)
          const { stream } = method
          if (stream === undefined) throw new Error(`${method.info.path} is no stream`)
          const request = await live.race(async () => readRequest())
          checkScope(live.context.caller, method.info, request)
          await pump(stream(request, live.context), live, write)
        }),
      duplex: (method, requests, write) =>
        observed(method.info, arrival, async () => {
          using live = start(method, arrival, MAX_STREAM_MS, MAX_STREAM_MS)
          const { duplex } = method
          if (duplex === undefined) throw new Error(`${method.info.path} is no stream of requests`)
          await pump(duplex(inScope(requests, method.info, live.context.caller), live.context), live, write)
        }),
    }),
    endStreams: () => streams.abort(stopping()),
    abortAll: () => everything.abort(stopping()),
  }
}

/** What a caller may see of an error: a service's own rights towards others are none of its business. */
function forCaller(reason: unknown): StampedeError {
  const error = StampedeError.from(reason)
  const isForeign = error.code === 'UNAUTHENTICATED' && error.cause !== undefined
  return isForeign ? new StampedeError('INTERNAL', undefined, { cause: error }) : error
}

async function* inScope(requests: AsyncIterable<object>, info: MethodInfo, caller: Caller): AsyncIterable<object> {
  for await (const request of requests) {
    checkScope(caller, info, request)
    yield request
  }
}

async function pump(items: AsyncIterable<unknown>, live: LiveCall, write: (item: unknown) => Promise<void>) {
  const iterator = items[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await live.race(() => iterator.next())
      if (next.done) return
      await live.race(() => write(next.value))
    }
  } finally {
    // Not awaited: a handler that hangs in its own await must not hold the answer back.
    iterator.return?.().catch(() => undefined)
  }
}

/** One running call: its context, and a race of its work against deadline, caller and shutdown. */
class LiveCall implements Disposable {
  readonly context: CallContext
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #ends: readonly AbortSignal[]
  readonly #onEnd = (event: Event): void => {
    if (event.target instanceof AbortSignal) this.#controller.abort(event.target.reason)
  }

  constructor(caller: Caller, timeoutMs: number, ends: readonly AbortSignal[]) {
    this.context = { caller, signal: this.#controller.signal, deadline: new Date(Date.now() + timeoutMs) }
    this.#timer = setTimeout(() => this.#controller.abort(new StampedeError('DEADLINE_EXCEEDED')), timeoutMs)
    this.#ends = ends
    for (const end of ends) {
      if (end.aborted) this.#controller.abort(end.reason)
      end.addEventListener('abort', this.#onEnd)
    }
  }

  /** Runs the work unless the call has ended; throws the reason of the end if that comes first. */
  async race<T>(work: () => Promise<T>): Promise<T> {
    const { signal } = this.#controller
    signal.throwIfAborted()
    const ended = Promise.withResolvers<never>()
    const onAbort = (): void => ended.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await Promise.race([work(), ended.promise])
    } catch (error) {
      // A handler that obeys the signal throws something of its own; what ended the call is the truth.
      throw signal.aborted ? signal.reason : error
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    for (const end of this.#ends) end.removeEventListener('abort', this.#onEnd)
    // A handler that left work behind learns that nobody waits for it any more.
    this.#controller.abort(new StampedeError('CANCELLED'))
  }
}
