import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type TempDir, tempDir, testTls } from '@stampede/platform/testing'
import { Pool, type PoolOptions } from './pool/pool.ts'
import { responseOf, sendBodies, sendPushes } from './testing/interop-traffic.ts'
import { ServerProcess } from './testing/server-process.ts'

const PUSHES = process.env['STAMPEDE_FULL'] === '1' ? 200_000 : 20_000
const source = fileURLToPath(new URL('testing/go-server/main.go', import.meta.url))
const skip = reasonToSkip()

/** Options of the server, limits of the pool, and the share of the pushes that is sent. */
const setUps: readonly (readonly [
  name: string,
  args: readonly string[],
  limits: PoolOptions['limits'],
  share: number,
])[] = [
  ['1,000 streams', ['-streams', '1000'], {}, 1],
  ['100 streams', ['-streams', '100'], {}, 0.5],
  ['1 stream', ['-streams', '1'], {}, 0.1],
  ['small windows', ['-streams', '100', '-window', '1000'], {}, 0.5],
  ['no table for its headers', ['-streams', '1000'], { headerTableBytes: 0 }, 0.5],
]

describe('net/http of Go', { concurrency: false, skip }, () => {
  const tls = testTls()
  let folder: TempDir
  let binary = ''

  before(() => {
    folder = tempDir('go-server')
    binary = join(folder.path, 'server')
    // Of the standard library alone: nothing is fetched.
    const env = { ...process.env, GOTOOLCHAIN: 'local', GOPROXY: 'off', CGO_ENABLED: '0' }
    execFileSync('go', ['build', '-o', binary, source], { env, stdio: 'pipe' })
  })
  after(() => folder[Symbol.dispose]())

  async function withServer(
    args: readonly string[],
    limits: PoolOptions['limits'],
    run: (pool: Pool) => Promise<void>,
  ): Promise<void> {
    await using server = new ServerProcess(binary, ['-cert', tls.certFile, '-key', tls.keyFile, ...args])
    const origin = `https://127.0.0.1:${await server.firstLine()}`
    const identity = { caPem: tls.caPem }
    await using pool = new Pool({ origin, identity: () => identity, connectionsMax: 2, limits: limits ?? {} })
    await run(pool)
    assert.equal(server.stderr, '')
  }

  for (const [name, args, limits, share] of setUps) {
    test(`with ${name}: pushes, and bodies both ways`, { timeout: 300_000 }, async () => {
      await withServer(args, limits, async (pool) => {
        const count = Math.floor(PUSHES * share)
        await sendPushes(pool, count)
        await sendBodies(pool)
        const bytes = responseOf(await pool.request({ method: 'GET', path: '/bytes?count=1000000' }))
        assert.equal(bytes.body.length, 1_000_000)
        const counts = responseOf(await pool.request({ method: 'GET', path: '/counts' }))
        assert.equal(Buffer.from(counts.body).toString(), `${count} ${count}`)
      })
    })
  }

  test('with GOAWAY every 1,777 pushes: none is lost, none is processed twice', { timeout: 300_000 }, async () => {
    await withServer(['-streams', '500', '-goaway', '1777'], {}, async (pool) => {
      await sendPushes(pool, PUSHES)
      const counts = responseOf(await pool.request({ method: 'GET', path: '/counts' }))
      assert.equal(Buffer.from(counts.body).toString(), `${PUSHES} ${PUSHES}`)
    })
  })
})

/** A reason, or false: HTTP/2 can be set up since Go 1.24. */
function reasonToSkip(): string | false {
  const version = /go1\.(\d+)/.exec(spawnSync('go', ['version'], { encoding: 'utf8' }).stdout ?? '')
  return Number(version?.[1] ?? 0) >= 24 ? false : 'no Go 1.24 or newer'
}
