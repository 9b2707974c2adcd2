import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { ConfigError } from '@stampede/platform'
import { readEnrollmentConfig } from './config.ts'

const key = randomBytes(32)

test('the master key is read from base64', () => {
  const config = readEnrollmentConfig({ STAMPEDE_ENROLLMENT_MASTER_KEY: key.toString('base64') })
  assert.deepEqual(config.masterKey.export(), key)
  assert.equal(config.cardPrefix, '99')
})

test('a missing, short, long or garbled master key names its variable, and does not print it', () => {
  const bad = [
    undefined,
    '',
    key.subarray(1).toString('base64'),
    randomBytes(33).toString('base64'),
    `${'!'.repeat(43)}=`,
  ]
  for (const value of bad) {
    assert.throws(
      () => readEnrollmentConfig(value === undefined ? {} : { STAMPEDE_ENROLLMENT_MASTER_KEY: value }),
      (error: unknown) =>
        error instanceof ConfigError &&
        error.message.includes('STAMPEDE_ENROLLMENT_MASTER_KEY') &&
        (!value || !error.message.includes(value)),
    )
  }
})

test('a card prefix is 1 to 6 digits', () => {
  for (const prefix of ['1234567', 'x']) {
    const env = { STAMPEDE_ENROLLMENT_MASTER_KEY: key.toString('base64'), STAMPEDE_ENROLLMENT_CARD_PREFIX: prefix }
    assert.throws(() => readEnrollmentConfig(env), /STAMPEDE_ENROLLMENT_CARD_PREFIX/)
  }
})
