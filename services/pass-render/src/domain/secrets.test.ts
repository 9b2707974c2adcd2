import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { createSecrets, equalInConstantTime } from './secrets.ts'

const secrets = createSecrets(randomBytes(32))
const grant = { brand: 'alpha', memberId: '0184fb2c-6b52-7c3e-8000-000000000001' }

describe('secrets', () => {
  it('open authentication tokens only for the pass that they were made for', () => {
    const sealed = secrets.newAuthToken('alpha', 's1')
    const token = secrets.openAuthToken(sealed, 'alpha', 's1')
    assert.ok(token.length >= 16)
    assert.notEqual(token, secrets.openAuthToken(secrets.newAuthToken('alpha', 's1'), 'alpha', 's1'))
    assert.throws(() => secrets.openAuthToken(sealed, 'alpha', 's2'))
    assert.throws(() => secrets.openAuthToken(sealed, 'beta', 's1'))
    assert.throws(() => createSecrets(randomBytes(32)).openAuthToken(sealed, 'alpha', 's1'))
  })

  it('make stable install tokens that no change survives', () => {
    const token = secrets.installToken(grant)
    assert.equal(token, secrets.installToken(grant))
    assert.deepEqual(secrets.openInstallToken(token), grant)
    for (let index = 0; index < token.length; index++) {
      const other = token[index] === 'A' ? 'B' : 'A'
      assert.equal(secrets.openInstallToken(token.slice(0, index) + other + token.slice(index + 1)), undefined)
    }
    for (const wrong of ['', 'x', `${token}A`, token.slice(1), 'A'.repeat(300)]) {
      assert.equal(secrets.openInstallToken(wrong), undefined)
    }
    assert.equal(createSecrets(randomBytes(32)).openInstallToken(token), undefined)
  })

  it('compare texts', () => {
    assert.ok(equalInConstantTime('abc', 'abc'))
    assert.ok(!equalInConstantTime('abc', 'abcd'))
  })
})
