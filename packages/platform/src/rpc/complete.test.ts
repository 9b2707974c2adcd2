import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as analytics from '@stampede/proto/analytics/v1'
import * as campaigns from '@stampede/proto/campaigns/v1'
import * as enrollment from '@stampede/proto/enrollment/v1'
import * as geo from '@stampede/proto/geo/v1'
import * as ledger from '@stampede/proto/ledger/v1'
import * as passes from '@stampede/proto/passes/v1'
import * as templates from '@stampede/proto/templates/v1'
import { completeMessage } from './complete.ts'
import { registry } from './descriptors.ts'

const modules: readonly { readonly protobufPackage: string }[] = [
  analytics,
  campaigns,
  enrollment,
  geo,
  ledger,
  passes,
  templates,
]

interface Decoder {
  decode(bytes: Uint8Array): object
}

function isDecoder(value: unknown): value is Decoder {
  return typeof value === 'object' && value !== null && 'decode' in value
}

describe('a partial message', () => {
  it('is completed with exactly the defaults that ts-proto decodes, for every message of every service', () => {
    let compared = 0
    for (const module of modules) {
      for (const [name, codec] of Object.entries(module)) {
        const desc = registry.getMessage(`${module.protobufPackage}.${name}`)
        if (desc === undefined || !isDecoder(codec)) continue
        assert.deepEqual(completeMessage(desc, {}), { ...codec.decode(Buffer.alloc(0)) }, desc.typeName)
        compared += 1
      }
    }
    assert.ok(compared > 100, `${compared} messages`)
  })

  it('keeps what is given: lists, nested messages, oneofs, instants, bytes', () => {
    const batch = registry.getMessage('stampede.ledger.v1.PostReceiptBatchRequest')
    assert.ok(batch)
    const occurredAt = new Date('2026-11-27T00:00:00Z')
    const sale = { idempotencyKey: 'k', occurredAt, lines: [{ sku: 'a', quantity: 2n }] }
    const items = [{ item: { $case: 'sale' as const, value: sale } }, {}]
    const completed = completeMessage(batch, { brand: 'one', items }) as ledger.PostReceiptBatchRequest
    assert.deepEqual(completed, ledger.PostReceiptBatchRequest.fromPartial({ brand: 'one', items }))
    const bytes = ledger.PostReceiptBatchRequest.encode(completed).finish()
    assert.deepEqual(ledger.PostReceiptBatchRequest.decode(bytes), completed)
  })
})
