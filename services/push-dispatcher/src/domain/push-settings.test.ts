import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pushSettings } from './push-settings.ts'

const brand = { pushType: 'background', pushPriority: 5, pushExpirationSeconds: 86_400 } as const

test("a brand's pushes are sent as it says", () => {
  assert.deepEqual(pushSettings(brand, { expiresAfterSeconds: 0 }), {
    pushType: 'background',
    priority: 5,
    expirationSeconds: 86_400,
  })
  assert.deepEqual(pushSettings({ ...brand, pushType: 'none', pushPriority: 10 }, { expiresAfterSeconds: 0 }), {
    pushType: '',
    priority: 10,
    expirationSeconds: 86_400,
  })
})

test('a chunk that names a life has its way', () => {
  assert.equal(pushSettings(brand, { expiresAfterSeconds: 600 }).expirationSeconds, 600)
})

test('a background push is never sent at priority 10, whatever a directory says', () => {
  assert.equal(pushSettings({ ...brand, pushPriority: 10 }, { expiresAfterSeconds: 0 }).priority, 5)
  assert.equal(pushSettings({ ...brand, pushPriority: 1 }, { expiresAfterSeconds: 0 }).priority, 1)
})
