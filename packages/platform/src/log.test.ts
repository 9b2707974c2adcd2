import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLogger } from './log.ts'

describe('the log', () => {
  it('is one JSON object per line, without secrets', () => {
    const lines: string[] = []
    const logger = createLogger('ledger', 'info', { write: (line) => lines.push(line) })
    logger.debug('not shown')
    logger.warn({ authorization: 'Bearer hush', call: { apiKey: 'hush' }, brand: 'one' }, 'refused')
    assert.equal(lines.length, 1)
    const entry = JSON.parse(lines[0] ?? '') as Record<string, unknown>
    assert.deepEqual(
      [entry['name'], entry['level'], entry['brand'], entry['msg']],
      ['ledger', 'warn', 'one', 'refused'],
    )
    assert.match(String(entry['time']), /^\d{4}-\d\d-\d\dT.*Z$/)
    assert.doesNotMatch(lines[0] ?? '', /hush/)
  })
})
