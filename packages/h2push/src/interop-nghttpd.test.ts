import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { freePort } from '@stampede/platform'
import { tempDir, testTls } from '@stampede/platform/testing'
import { Pool, type PoolOptions } from './pool/pool.ts'
import { OutcomeCode } from './request/outcome.ts'
import { responseOf, sendBodies } from './testing/interop-traffic.ts'
import { pushBlock, pushTemplate } from './testing/pushes.ts'
import { ServerProcess } from './testing/server-process.ts'

const PUSHES = process.env['STAMPEDE_FULL'] === '1' ? 300_000 : 15_000
const BLOCK_REQUESTS = 50_000
const LARGE_BYTES = 3_000_000
const template = pushTemplate()
const isThere = spawnSync('nghttpd', ['--version']).status === 0
type Limits = PoolOptions['limits']

/** Options of nghttpd, limits of the pool, and the share of the pushes that is sent. */
const setUps: readonly (readonly [name: string, args: readonly string[], limits: Limits, share: number])[] = [
  ['1,000 streams', ['-m', '1000'], {}, 1],
  ['100 streams and padding', ['-m', '100', '-b', '200'], {}, 0.5],
  ['1 stream', ['-m', '1'], {}, 0.1],
  ['small windows', ['-w', '10', '-W', '14'], {}, 0.3],
  ['large windows', ['-w', '24', '-W', '26'], {}, 0.3],
  ['no table for our headers', ['--header-table-size', '0'], {}, 0.5],
  ['no table for its headers', ['--encoder-header-table-size', '0'], { headerTableBytes: 0 }, 0.5],
  ['trailers', ['--trailer', 'x-trailer: end'], {}, 0.3],
]

async function sendToNowhere(pool: Pool, count: number): Promise<void> {
  const block = pushBlock(template, 0, count)
  pool.submit(block)
  await block.done
  for (let index = 0; index < count; index += 1) {
    assert.equal(block.outcomes[index], OutcomeCode.response, block.cause(index))
    assert.equal(block.statuses[index], 404)
    assert.match(Buffer.from(block.response(index)?.body ?? []).toString(), /404/)
  }
}

describe('nghttpd', { concurrency: false, skip: !isThere && 'no nghttpd (Debian package nghttp2-server)' }, () => {
  const tls = testTls()

  async function withServer(
    args: readonly string[],
    limits: Limits,
    run: (pool: Pool) => Promise<void>,
  ): Promise<void> {
    using files = tempDir('nghttpd')
    writeFileSync(join(files.path, 'large'), Buffer.alloc(LARGE_BYTES, 'L'))
    const port = await freePort()
    const common = ['--address=127.0.0.1', '--htdocs', files.path, ...args, String(port)]
    await using server = new ServerProcess('nghttpd', [...common, tls.keyFile, tls.certFile])
    await server.listens(port)
    await using pool = new Pool({
      origin: `https://127.0.0.1:${port}`,
      identity: () => ({ caPem: tls.caPem }),
      connectionsMax: 2,
      limits: { ...limits, bodyBytesMax: LARGE_BYTES },
    })
    await run(pool)
  }

  for (const [name, args, limits, share] of setUps) {
    test(`with ${name}: pushes to paths that it does not have, and a large response`, {
      timeout: 300_000,
    }, async () => {
      await withServer(args, limits, async (pool) => {
        for (let left = Math.floor(PUSHES * share); left > 0; left -= BLOCK_REQUESTS)
          await sendToNowhere(pool, Math.min(left, BLOCK_REQUESTS))
        const large = responseOf(await pool.request({ method: 'GET', path: '/large' }))
        assert.equal(large.body.length, LARGE_BYTES)
        if (name === 'trailers') assert.deepEqual(large.trailers, [['x-trailer', 'end']])
      })
    })
  }

  for (const [name, args] of setUps.filter(([name]) => /^1,000|large|padding/.test(name))) {
    test(`with ${name}: bodies both ways`, { timeout: 60_000 }, async () => {
      await withServer(['--echo-upload', ...args], {}, (pool) => sendBodies(pool))
    })
  }
})
