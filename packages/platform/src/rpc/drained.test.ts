import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { describe, it } from 'node:test'
import { drained } from './drained.ts'

describe('the wait for a call that is full', () => {
  for (const name of ['drain', 'close', 'cancelled']) {
    it(`ends with "${name}" and leaves no listener behind`, async () => {
      const call = new EventEmitter()
      const waiting = drained(call)
      call.emit(name)
      await waiting
      assert.deepEqual(call.eventNames(), [])
    })
  }
})
