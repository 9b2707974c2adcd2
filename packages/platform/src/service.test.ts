import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'

const runner = new URL('./service.ts', import.meta.url).href
const config = new URL('./config.ts', import.meta.url).href

/** A process with two services, each of which says when it stops; `stop` is the body of the second's disposal. */
function start(stop: string, startBody = ''): ChildProcess {
  const script = `
    import { runServices } from ${JSON.stringify(runner)}
    import { ConfigError } from ${JSON.stringify(config)}
    const service = (name, stop) => ({ name, start: async () => ({
      name, grpcPort: 1, httpPort: 2,
      [Symbol.asyncDispose]: async () => { await stop(); console.log(name + ' stopped') },
    }) })
    const second = service('second', async () => { ${stop} })
    const start = second.start
    second.start = async () => { ${startBody}; return start() }
    setInterval(() => {}, 1_000)
    await runServices([service('first', async () => {}), second])
  `
  const env = { ...process.env, STAMPEDE_LOG_LEVEL: 'silent' }
  return spawn(process.execPath, ['--input-type=module', '--eval', script], { env, stdio: ['ignore', 'pipe', 'pipe'] })
}

async function ready(child: ChildProcess): Promise<void> {
  assert.ok(child.stdout)
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  assert.equal(line.toString(), 'stampede: first (gRPC 1, HTTP 2), second (gRPC 1, HTTP 2) ready\n')
}

async function end(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
  assert.ok(child.stdout && child.stderr)
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code: code as number | null, out, err }
}

describe('a process of services', () => {
  it('stops in reverse order at SIGTERM and exits 0', async () => {
    const child = start('')
    await ready(child)
    child.kill('SIGTERM')
    assert.deepEqual(await end(child), { code: 0, out: 'second stopped\nfirst stopped\n', err: '' })
  })

  it('ends at once at the second signal', async () => {
    const child = start('console.log("stopping"); await new Promise(() => {})')
    await ready(child)
    child.kill('SIGINT')
    assert.ok(child.stdout)
    await once(child.stdout, 'data')
    child.kill('SIGINT')
    assert.equal((await end(child)).code, 1)
  })

  it('exits 1 when a service does not stop in good order, after the others have', async () => {
    const child = start('throw new Error("stuck")')
    await ready(child)
    child.kill('SIGTERM')
    const { code, out } = await end(child)
    assert.deepEqual([code, out], [1, 'first stopped\n'])
  })

  it('exits 2 with one line when the environment is wrong, and stops what had started', async () => {
    const { code, out, err } = await end(start('', 'throw new ConfigError("STAMPEDE_X is required")'))
    assert.deepEqual([code, out, err], [2, 'first stopped\n', 'stampede: STAMPEDE_X is required\n'])
  })

  it('exits 1 with one line that says which service cannot start and why', async () => {
    const { code, err } = await end(start('', 'throw new Error("no disk")'))
    assert.deepEqual([code, err], [1, 'stampede: second cannot start: no disk\n'])
  })
})
