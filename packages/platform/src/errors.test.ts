import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Metadata } from '@grpc/grpc-js'
import { errorTable, isErrorCode, itemError, notFound, StampedeError } from './errors.ts'
import { fromGrpcError, toGrpcStatus } from './rpc/status.ts'

function serviceError(code: number, details: string, metadata = new Metadata()): Error {
  return Object.assign(new Error(details), { code, details, metadata })
}

describe('the error table', () => {
  it('survives the way over gRPC, code by code', () => {
    for (const code of Object.keys(errorTable)) {
      assert.ok(isErrorCode(code))
      const thrown = new StampedeError(code, 'text', { field: 'a.b[1]' })
      const { code: status, details, metadata } = toGrpcStatus(thrown)
      const restored = fromGrpcError(serviceError(status, details, metadata))
      assert.deepEqual(itemError(restored), itemError(thrown))
    }
  })

  it('takes codes of its own only', () => {
    for (const text of ['', 'toString', '__proto__', 'not_found']) assert.equal(isErrorCode(text), false, text)
  })
})

describe('a foreign error', () => {
  it('becomes INTERNAL without its text, except an abort and a timeout', () => {
    const internal = StampedeError.from(new Error('secret'))
    assert.deepEqual([internal.code, internal.message], ['INTERNAL', 'internal error'])
    assert.equal((internal.cause as Error).message, 'secret')
    assert.equal(StampedeError.from('text').code, 'INTERNAL')
    assert.equal(StampedeError.from(AbortSignal.abort().reason).code, 'CANCELLED')
    assert.equal(StampedeError.from(new DOMException('late', 'TimeoutError')).code, 'DEADLINE_EXCEEDED')
    const known = notFound()
    assert.equal(StampedeError.from(known), known)
  })

  it('of gRPC itself is known by its status; one about size is not worth a repeat', () => {
    const outcomes = [4, 14, 8, 12].map((status) => fromGrpcError(serviceError(status, 'x')))
    assert.deepEqual(
      outcomes.map(({ code, retryable }) => [code, retryable]),
      [
        ['DEADLINE_EXCEEDED', true],
        ['UNAVAILABLE', true],
        ['RESOURCE_EXHAUSTED', false],
        ['INTERNAL', false],
      ],
    )
  })
})
