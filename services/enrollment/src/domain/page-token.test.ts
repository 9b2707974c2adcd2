import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPageToken, writePageToken } from './page-token.ts'

test('a token gives back the position it was made of', () => {
  for (const seq of [0n, 1n, 10n ** 13n]) assert.equal(readPageToken(writePageToken(seq)), seq)
})

test('anything else is refused', () => {
  for (const token of ['x', 'AAAA', `${writePageToken(5n)}=`, `${writePageToken(5n)}A`, 'not base64!', '_'.repeat(12)])
    assert.throws(() => readPageToken(token), { code: 'INVALID_ARGUMENT', field: 'page_token' }, token)
})
