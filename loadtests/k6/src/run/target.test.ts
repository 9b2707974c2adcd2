import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { tempDir } from '@stampede/platform/testing'
import { remoteTarget, TargetError } from './target.ts'

const folder = tempDir('load-target')
const keyBefore = process.env['STAMPEDE_LOAD_KEY']
after(() => {
  folder[Symbol.dispose]()
  if (keyBefore === undefined) delete process.env['STAMPEDE_LOAD_KEY']
  else process.env['STAMPEDE_LOAD_KEY'] = keyBefore
})

const grpc = { enrollment: 'a:1', ledger: 'a:2', passes: 'a:3', campaigns: 'a:4', analytics: 'a:5' }
const addresses = { ...grpc, enrollmentHttp: 'http://a', ledgerHttp: 'http://a', passesHttp: 'http://a' }

function read(content: unknown) {
  const file = join(folder.path, 'target.json')
  writeFileSync(file, JSON.stringify(content))
  return remoteTarget(file, folder.path)
}

describe('a platform elsewhere', () => {
  it('is described by a file, whose certificate lies beside it, and a key of the environment', () => {
    process.env['STAMPEDE_LOAD_KEY'] = 'sk_x'
    const target = read({ brand: 'acme', addresses, caFile: 'ca.pem' })
    assert.deepEqual([target.caFile, target.key, target.home], [join(folder.path, 'ca.pem'), 'sk_x', undefined])
  })

  const wrong: readonly (readonly [what: string, content: unknown, key: string])[] = [
    ['brand: is missing', { addresses }, 'sk_x'],
    ['addresses.enrollment: is missing', { brand: 'acme' }, 'sk_x'],
    ['addresses.passesHttp: is missing', { brand: 'acme', addresses: { ...addresses, passesHttp: 1 } }, 'sk_x'],
    ['STAMPEDE_LOAD_KEY: is missing', { brand: 'acme', addresses }, ''],
  ]
  for (const [what, content, key] of wrong) {
    it(`says "${what}"`, () => {
      process.env['STAMPEDE_LOAD_KEY'] = key
      assert.throws(
        () => read(content),
        (error) => error instanceof TargetError && error.message.includes(what),
      )
    })
  }
})
