import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { insertBody, patchBody } from './resource-json.ts'

/** A merge patch as Google documents it: null removes, objects merge, arrays and all else are replaced. */
function merge(target: Record<string, unknown>, patch: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...target }
  for (const [name, value] of Object.entries(patch)) {
    const old = merged[name]
    if (value === null) delete merged[name]
    else if (typeof value !== 'object' || Array.isArray(value)) merged[name] = value
    else merged[name] = merge((old ?? {}) as Record<string, unknown>, value as Record<string, unknown>)
  }
  return merged
}

function afterPatch(before: Record<string, unknown>, desired: Record<string, unknown>): Record<string, unknown> {
  return merge(before, JSON.parse(patchBody('loyaltyObject', desired, false)))
}

describe('the body of a patch', () => {
  const desired = { id: '1.a', classId: '1.c', state: 'ACTIVE' }

  test('what the desired state leaves out goes, messages and what Google set stay', () => {
    const kept = { messages: [{ id: 'm' }], hasUsers: true, linkedObjectIds: ['1.b'] }
    const before = { ...desired, ...kept, accountId: '6035', barcode: { type: 'QR_CODE' }, merchantLocations: [1] }
    assert.deepEqual(afterPatch(before, desired), { ...desired, ...kept })
  })

  test('a balance that becomes too large for a number leaves no number behind', () => {
    const before = { ...desired, loyaltyPoints: { label: 'Points', balance: { int: 2_147_483_647 } } }
    const now = { ...desired, loyaltyPoints: { label: 'Points', balance: { string: '2147483648' } } }
    assert.deepEqual(afterPatch(before, now), now)
    assert.deepEqual(afterPatch(now, before), before)
  })

  test('parts of a barcode and of an image that are gone do not stay', () => {
    const before = {
      ...desired,
      barcode: { type: 'QR_CODE', value: '1', alternateText: '1' },
      heroImage: { sourceUri: { uri: 'https://a.b/c' }, contentDescription: {} },
      textModulesData: [{ id: 'a' }, { id: 'b' }],
    }
    const now = {
      ...desired,
      barcode: { type: 'AZTEC', value: '2' },
      heroImage: { privateImageId: 'p' },
      textModulesData: [{ id: 'c' }],
    }
    assert.deepEqual(afterPatch(before, now), now)
  })

  test('notifying is asked for only where it is allowed, never by an insertion', () => {
    const asking = { ...desired, notifyPreference: 'NOTIFY_ON_UPDATE' }
    assert.equal(JSON.parse(patchBody('loyaltyObject', asking, true)).notifyPreference, 'NOTIFY_ON_UPDATE')
    assert.equal(JSON.parse(patchBody('loyaltyObject', asking, false)).notifyPreference, undefined)
    assert.deepEqual(JSON.parse(insertBody(asking)), desired)
  })
})
