import {
  type Attributes,
  type Context,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { StampedeError } from './errors.ts'

/** Trace headers (`traceparent` and the like) of a call or message. */
export type TraceHeaders = Record<string, string>

/** A span to be made. Nothing is recorded unless the process registers an OpenTelemetry SDK. */
export interface SpanOptions {
  readonly kind: 'server' | 'client' | 'consumer' | 'producer' | 'internal'
  /** Bounded values only; never personal data. */
  readonly attributes?: Attributes
  /** Headers of whoever caused it; default: the active span. */
  readonly parent?: TraceHeaders
}

const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
  producer: SpanKind.PRODUCER,
  internal: SpanKind.INTERNAL,
}

const tracer = trace.getTracer('@stampede/platform')

/** Runs within a span that ends with the promise and carries its error. */
export function withSpan<T>(name: string, options: SpanOptions, run: (span: Span) => Promise<T>): Promise<T> {
  const { kind, attributes = {}, parent } = options
  const active = context.active()
  const from: Context = parent === undefined ? active : propagation.extract(active, parent)
  return tracer.startActiveSpan(name, { kind: kinds[kind], attributes }, from, async (span) => {
    try {
      return await run(span)
    } catch (error) {
      const { code, message } = StampedeError.from(error)
      span.setAttribute('stampede.code', code)
      span.setStatus({ code: SpanStatusCode.ERROR, message })
      throw error
    } finally {
      span.end()
    }
  })
}

/** Trace headers of the active span, to be sent along. */
export function traceHeaders(): TraceHeaders {
  const headers: TraceHeaders = {}
  propagation.inject(context.active(), headers)
  return headers
}
