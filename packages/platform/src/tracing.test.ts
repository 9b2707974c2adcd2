import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import {
  type Context,
  INVALID_SPAN_CONTEXT,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanOptions,
  trace,
} from '@opentelemetry/api'
import { notFound } from './errors.ts'
import { startFixture } from './rpc/fixture.ts'
import { withSpan } from './tracing.ts'

interface Recorded {
  readonly name: string
  readonly kind: number | undefined
  readonly parent: unknown
  code?: unknown
  isEnded: boolean
}

const parentKey = Symbol.for('test.parent')
const spans: Recorded[] = []

function record(name: string, options: SpanOptions, from: Context): Span {
  const recorded: Recorded = { name, kind: options.kind, parent: from.getValue(parentKey), isEnded: false }
  spans.push(recorded)
  const span = trace.wrapSpanContext(INVALID_SPAN_CONTEXT)
  span.setAttribute = (key, value) => {
    if (key === 'stampede.code') recorded.code = value
    return span
  }
  span.end = () => {
    recorded.isEnded = true
  }
  return span
}

trace.setGlobalTracerProvider({
  getTracer: () => ({
    startSpan: (name, options = {}, from = ROOT_CONTEXT) => record(name, options, from),
    startActiveSpan: (...args: unknown[]) => {
      const [name, options, from, run] = args as [string, SpanOptions, Context, (span: Span) => never]
      return run(record(name, options, from))
    },
  }),
})
propagation.setGlobalPropagator({
  inject: (_context, carrier, setter) => setter.set(carrier, 'traceparent', 'from-the-client'),
  extract: (context, carrier, getter) => context.setValue(parentKey, getter.get(carrier, 'traceparent')),
  fields: () => ['traceparent'],
})
after(() => {
  trace.disable()
  propagation.disable()
})

describe('tracing', () => {
  it('makes a span at the client and one at the server, joined by the headers of the call', async () => {
    spans.length = 0
    await using fixture = await startFixture()
    await using client = fixture.geo()
    await client.listStores({ brand: 'one' })
    const name = 'stampede.geo.v1.GeoService/ListStores'
    assert.deepEqual(spans, [
      { name, kind: 2, parent: undefined, isEnded: true },
      { name, kind: 1, parent: 'from-the-client', isEnded: true },
    ])
  })

  it('ends the span of a failure with its code', async () => {
    spans.length = 0
    await assert.rejects(withSpan('work', { kind: 'consumer' }, () => Promise.reject(notFound())))
    assert.deepEqual(spans, [{ name: 'work', kind: 4, parent: undefined, code: 'NOT_FOUND', isEnded: true }])
  })
})
