import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger, openDatabase } from '@stampede/platform'
import { testClock, testPostgres } from '@stampede/platform/testing'
import { claimRequest } from '../store/requests.ts'
import { forgetOldRequests, REQUEST_KEPT_DAYS } from './forget-requests.ts'

test('requests are known for 400 days and forgotten after that', async () => {
  await using postgres = await testPostgres()
  const migrationsDir = new URL('../store/migrations/', import.meta.url)
  const logger = createLogger('test', 'silent')
  await using database = await openDatabase({ url: postgres.url, schema: 'enrollment', migrationsDir, logger })
  const clock = testClock(new Date('2026-01-01T00:00:00Z'))
  const request = { scope: 'demo', operation: 'enroll', bodyHash: Buffer.from('x'), createdAt: clock.now() }
  await claimRequest(database, { ...request, idempotencyKey: 'old', resultId: 'first' })

  clock.advance(REQUEST_KEPT_DAYS * 86_400_000 - 1_000)
  assert.equal(await forgetOldRequests({ database, clock }), 0)
  const young = { ...request, idempotencyKey: 'young', resultId: 'second', createdAt: clock.now() }
  await claimRequest(database, young)
  clock.advance(2_000)
  assert.equal(await forgetOldRequests({ database, clock }), 1)
  assert.deepEqual(await claimRequest(database, young), { fresh: false, resultId: 'second' })
})
