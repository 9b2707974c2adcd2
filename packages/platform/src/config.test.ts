import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { ConfigError, describeConfig, readConfig, settings } from './config.ts'
import { describePlatformConfig, readPlatformConfig } from './platform-config.ts'

const shape = {
  name: settings.text('NAME', 'x'),
  token: settings.secret('TOKEN'),
  size: settings.integer('SIZE', { min: 1, max: 10, default: 3 }),
  port: settings.port('PORT', 0),
  isOn: settings.flag('ON', false),
  url: settings.url('URL'),
  dir: settings.path('DIR', 'data'),
  extra: settings.optional(settings.url('EXTRA')),
}

describe('the configuration', () => {
  it('is read with its types and defaults; an empty variable counts as unset', () => {
    const config = readConfig({ TOKEN: 't', URL: 'http://h', NAME: '', SIZE: '10', ON: 'true' }, shape)
    assert.deepEqual(config, {
      name: 'x',
      token: 't',
      size: 10,
      port: 0,
      isOn: true,
      url: 'http://h',
      dir: resolve('data'),
      extra: undefined,
    })
  })

  it('names every wrong variable at once', () => {
    const env = { SIZE: '11', PORT: '65536', ON: 'yes', URL: 'nowhere', EXTRA: '?' }
    assert.throws(
      () => readConfig(env, shape),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError)
        for (const name of ['TOKEN', 'SIZE', 'PORT', 'ON', 'URL', 'EXTRA']) assert.match(error.message, RegExp(name))
        return true
      },
    )
  })

  it('takes whole numbers only', () => {
    for (const SIZE of ['1.5', '0x2', '1e0', ' 2', 'NaN'])
      assert.throws(() => readConfig({ TOKEN: 't', URL: 'http://h', SIZE }, shape), /SIZE/, SIZE)
  })

  it('is shown without secrets and passwords', () => {
    const env = { TOKEN: 'hush', URL: 'nats://user:hush@one:1,nats://user:hush@two:2' }
    const shown = describeConfig(shape, readConfig(env, shape))
    assert.doesNotMatch(JSON.stringify(shown), /hush/)
    assert.equal(shown['URL'], 'nats://user:***@one:1,nats://user:***@two:2')
    assert.equal(shown['SIZE'], 3)
  })
})

describe('the platform configuration', () => {
  it('needs nothing on one machine', () => {
    const config = readPlatformConfig({})
    assert.equal(config.listenHost, '127.0.0.1')
    assert.equal(config.tls, undefined)
    assert.equal(config.rootKeySha256, undefined)
  })

  it('refuses half of a TLS configuration, unknown levels and hashes that are none', () => {
    assert.throws(() => readPlatformConfig({ STAMPEDE_TLS_CERT: 'a' }), /STAMPEDE_TLS_KEY/)
    assert.throws(() => readPlatformConfig({ STAMPEDE_TLS_CERT: 'a', STAMPEDE_TLS_KEY: 'b' }), /STAMPEDE_TLS_CA/)
    assert.throws(() => readPlatformConfig({ STAMPEDE_LOG_LEVEL: 'loud' }), /STAMPEDE_LOG_LEVEL/)
    assert.throws(() => readPlatformConfig({ STAMPEDE_ROOT_KEY_SHA256: 'sk_plain' }), /STAMPEDE_ROOT_KEY_SHA256/)
  })

  it('is shown without the service key and the password of the database', () => {
    const env = { STAMPEDE_SERVICE_KEY: 'sk_hush', STAMPEDE_POSTGRES_URL: 'postgres://u:hush@h/db' }
    assert.doesNotMatch(JSON.stringify(describePlatformConfig(env)), /hush/)
  })
})
