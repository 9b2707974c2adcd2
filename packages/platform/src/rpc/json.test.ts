import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { EnrollmentServiceService } from '@stampede/proto/enrollment/v1'
import { LedgerServiceService, PostReceiptRequest, type QuoteReceiptRequest } from '@stampede/proto/ledger/v1'
import fc from 'fast-check'
import type { BoundMethod, RpcDefinition } from './binding.ts'
import { methodInfo } from './descriptors.ts'
import { readJsonRequest, writeJsonResponse } from './json.ts'
import { compileRoutes, matchRoute, type RouteMatch } from './routes.ts'

function bound(definition: RpcDefinition): BoundMethod {
  return {
    info: methodInfo(definition.path),
    decodeRequest: definition.requestDeserialize as BoundMethod['decodeRequest'],
    encodeResponse: definition.responseSerialize as unknown as BoundMethod['encodeResponse'],
  }
}

function match(definition: RpcDefinition, verb: string, path: string): RouteMatch {
  const found = matchRoute(compileRoutes([{ service: 'test', methods: [bound(definition)] }]), verb, path)
  assert.ok(found, path)
  return found
}

const noQuery = new URLSearchParams()
const quote = match(LedgerServiceService.quoteReceipt, 'POST', '/v1/brands/one/receipts:quote')

function quantityOf(json: string): bigint | undefined {
  const request = readJsonRequest(quote, noQuery, `{"lines":[{"quantity":${json}}]}`) as QuoteReceiptRequest
  return request.lines[0]?.quantity
}

describe('JSON of requests', () => {
  it('keeps every 64-bit integer, as a number and as text', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        assert.equal(quantityOf(String(value)), value)
        assert.equal(quantityOf(`"${value}"`), value)
      }),
    )
  })

  it('refuses integers beyond 64 bits, fractions and exponents', () => {
    for (const wrong of ['9223372036854775808', '-9223372036854775809', '1.5', '1e30', '"1.0"', 'true', '""'])
      assert.throws(() => quantityOf(wrong), { code: 'INVALID_ARGUMENT', field: 'lines[0].quantity' }, wrong)
  })

  it('reads instants, and names the one that is none', () => {
    const post = match(LedgerServiceService.postReceipt, 'POST', '/v1/brands/one/receipts')
    const request = readJsonRequest(post, noQuery, '{"occurredAt":"2026-11-27T09:00:00.123Z","number":"7"}')
    assert.deepEqual(
      request,
      PostReceiptRequest.fromPartial({ brand: 'one', number: '7', occurredAt: new Date('2026-11-27T09:00:00.123Z') }),
    )
    assert.throws(() => readJsonRequest(post, noQuery, '{"occurred_at":"yesterday"}'), { field: 'occurred_at' })
  })
})

describe('JSON of answers', () => {
  it('writes bytes as base64', () => {
    const answer = { keys: [{ memberId: 'm', keyVersion: 1, key: Buffer.from([251, 255]) }] }
    assert.deepEqual(writeJsonResponse(bound(EnrollmentServiceService.getMemberKeys), answer), {
      keys: [{ memberId: 'm', keyVersion: 1, key: '+/8=' }],
    })
  })
})
