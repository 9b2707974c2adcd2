import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import { test } from 'node:test'
import { openDoors } from './doors.ts'

test('an answer never waits for an acknowledgement, whichever door the phone came through', async () => {
  const { doors } = await openDoors(createServer(), { port: 0, host: '127.0.0.1' }, (socket) => socket.destroy())
  try {
    // How Node keeps the option; it offers no way to ask for it.
    assert.deepEqual(new Set(doors.map((door) => Reflect.get(door, 'noDelay'))), new Set([true]))
  } finally {
    for (const door of doors) door.close()
  }
})
