import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { appleWwdrPem } from './wwdr.ts'

test('the intermediate is the one that Apple publishes, down to its fingerprint', () => {
  const { fingerprint256, validToDate } = new X509Certificate(appleWwdrPem)
  const pinned = 'EA:47:57:88:55:38:DD:8C:B5:9F:F4:55:6F:67:60:87:D8:3C:85:E7:09:02:C1:22:E4:2C:08:08:B5:BC:E1:4C'
  assert.equal(fingerprint256, pinned)
  assert.equal(validToDate.toISOString(), '2030-12-10T00:00:00.000Z')
})
