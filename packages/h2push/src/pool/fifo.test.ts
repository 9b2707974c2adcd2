import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Fifo } from './fifo.ts'

test('it behaves as an array does, whatever is done to it', () => {
  const command = fc.oneof(
    fc.record({ kind: fc.constantFrom('push', 'unshift'), value: fc.integer() }),
    fc.record({ kind: fc.constant('shift'), times: fc.integer({ min: 1, max: 3_000 }) }),
    fc.record({ kind: fc.constant('retain'), divisor: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant('fill'), times: fc.integer({ min: 1, max: 3_000 }) }),
  )
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      const fifo = new Fifo<number>()
      let model: number[] = []
      for (const one of commands) {
        if ('value' in one) {
          if (one.kind === 'push') fifo.push(one.value)
          else fifo.unshift(one.value)
          if (one.kind === 'push') model.push(one.value)
          else model.unshift(one.value)
        } else if ('divisor' in one) {
          fifo.retain((value) => value % one.divisor === 0)
          model = model.filter((value) => value % one.divisor === 0)
        } else if (one.kind === 'fill') {
          for (let time = 0; time < one.times; time += 1) {
            fifo.push(time)
            model.push(time)
          }
        } else {
          for (let time = 0; time < one.times; time += 1) assert.equal(fifo.shift(), model.shift())
        }
        assert.equal(fifo.length, model.length)
        assert.equal(fifo.peek(), model[0])
      }
      assert.deepEqual([...fifo], model)
    }),
    { numRuns: 100 },
  )
})
