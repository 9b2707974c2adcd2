import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { findKubePrograms } from '@stampede/operator/testing'
import { tempDir, toolsDir, until } from '@stampede/platform/testing'
import { type MarkedProcess, processesOf, type StoryPart, StoryProcess, sweep } from './testing/story-process.ts'

const story = 'demo/src/main.ts'
const runMs = 110_000
const isLinux = process.platform === 'linux'

/** A data directory, a marker for all processes, and what every command on it printed, shown when a test fails. */
class Stage implements AsyncDisposable {
  readonly marker = randomUUID()
  readonly #folder = tempDir('story')
  readonly dataDir = join(this.#folder.path, 'data-dir')
  readonly #runs: StoryProcess[] = []

  constructor() {
    // The program nats-server is downloaded once for all tests.
    mkdirSync(toolsDir, { recursive: true })
    mkdirSync(this.dataDir)
    symlinkSync(toolsDir, join(this.dataDir, 'tools'))
  }

  tell(...flags: readonly string[]): StoryProcess {
    return this.run(story, ...flags, '--exit', '--data-dir', this.dataDir)
  }

  /** The same in another environment. */
  tellIn(env: NodeJS.ProcessEnv, ...flags: readonly string[]): StoryProcess {
    return this.#run(story, [...flags, '--exit', '--data-dir', this.dataDir], env)
  }

  run(script: string, ...args: readonly string[]): StoryProcess {
    return this.#run(script, args, process.env)
  }

  #run(script: string, args: readonly string[], env: NodeJS.ProcessEnv): StoryProcess {
    const process = new StoryProcess(script, args, this.marker, env)
    this.#runs.push(process)
    return process
  }

  /** All invariants hold. */
  async verify(): Promise<void> {
    const verify = this.run('loadtests/verify/src/main.ts', '--data-dir', this.dataDir)
    assert.equal(await verify.exitCode(60_000), 0, verify.output)
  }

  /** Runs the steps; a failure is told with everything that was printed. */
  async play(steps: () => Promise<void>): Promise<void> {
    try {
      await steps()
    } catch (error) {
      const printed = this.#runs.map(({ timedOutput }, index) => `--- run ${index + 1}\n${timedOutput}`).join('\n')
      throw new Error(`marker ${this.marker}: ${String(error)}\n${printed}`, { cause: error })
    }
  }

  /** Command lines of what we started and still runs. */
  running(matches: (process: MarkedProcess) => boolean = () => true): readonly string[] {
    return processesOf(this.marker)
      .filter(matches)
      .map(({ commandLine }) => commandLine)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await sweep(this.marker)
    this.#folder[Symbol.dispose]()
  }
}

/** A cell of a printed table. */
function figure(output: string, label: string): string | undefined {
  return new RegExp(`^\\s+${label}\\s{2,}(\\S.*)$`, 'm').exec(output)?.[1]
}

async function endsWell(process: StoryProcess, deadlineMs = runMs): Promise<void> {
  assert.equal(await process.exitCode(deadlineMs), 0)
  assert.equal(figure(process.output, 'losses'), '0')
}

/** Takes ports as a stranger would. `held` leaves out those that somebody has already, and may give back at any time. */
async function occupy(ports: readonly number[]): Promise<Disposable & { readonly held: readonly number[] }> {
  const servers = ports.map((port) =>
    createServer()
      .on('error', () => undefined)
      .listen(port, '127.0.0.1'),
  )
  await Promise.all(
    servers.map((server) => Promise.race([once(server, 'listening'), once(server, 'error')]).catch(() => undefined)),
  )
  return {
    held: ports.filter((_, index) => servers[index]?.listening),
    [Symbol.dispose]: () => {
      for (const server of servers) server.close()
    },
  }
}

const kills: readonly (readonly [said: string, part: StoryPart])[] = [
  ['1. A brand', 'core'],
  ['members enrolled', 'pass-render'],
  ['posted through gRPC', 'sandbox'],
  ['4. Receipts before', 'push-dispatcher'],
  ['from the till', 'core'],
  ['5. Segments', 'analytics'],
  ['to buyers: ', 'push-dispatcher'],
  ['to buyers: ', 'pass-render'],
]

test('the story survives the kill of each of its parts and taken ports, and goes on in a second run', {
  skip: isLinux ? false : 'processes are found by /proc',
  timeout: 280_000,
}, async () => {
  await using stage = new Stage()
  using taken = await occupy([7400, 7432, 7443])
  await stage.play(async () => {
    const first = stage.tell('--members', '120', '--live', '20')
    for (const [said, part] of kills) {
      await first.says(said, runMs)
      await first.kill(part)
    }
    await endsWell(first)
    for (const part of new Set(kills.map(([, name]) => name))) {
      assert.match(first.output, new RegExp(`${part} ended \\(SIGKILL\\): starting it again`))
    }
    const ports: Record<string, number> = JSON.parse(readFileSync(join(stage.dataDir, 'run', 'ports.json'), 'utf8'))
    assert.deepEqual(
      Object.values(ports).filter((port) => taken.held.includes(port)),
      [],
    )
    assert.equal(new Set(Object.values(ports)).size, Object.values(ports).length)
    await stage.verify()

    const second = stage.tell('--members', '140', '--live', '20')
    await endsWell(second)
    assert.match(second.output, /20 phones installed/)
    await stage.verify()
    assert.deepEqual(stage.running(), [])
  })
})

test('a story that is interrupted or killed leaves nothing running and is told to its end by the next run', {
  skip: isLinux ? false : 'processes are found by /proc',
  timeout: 280_000,
}, async () => {
  await using stage = new Stage()
  await stage.play(async () => {
    const interrupted = stage.tell('--members', '80', '--live', '60')
    await interrupted.says('4. Receipts before', runMs)
    process.kill(-interrupted.pid, 'SIGINT')
    assert.equal(await interrupted.exitCode(30_000), 0)
    assert.match(interrupted.output, /stopping/)
    assert.deepEqual(stage.running(), [])

    const killed = stage.tell('--members', '80', '--live', '60')
    await killed.says('5. Segments', runMs)
    process.kill(killed.pid, 'SIGKILL')
    assert.equal(await killed.exitCode(10_000), 137)
    // What is left may only be the database servers, which the next start ends.
    const services = (): readonly string[] => stage.running(({ program }) => program === 'node')
    await until('the services to end', () => services().length === 0, 20_000).catch(() => undefined)
    assert.deepEqual(services(), [])
    await stage.verify()

    const last = stage.tell('--members', '80', '--live', '60')
    await endsWell(last)
    await stage.verify()
    assert.deepEqual(stage.running(), [])
  })
})

test('Ctrl-C while the platform starts ends it', {
  skip: isLinux ? false : 'processes are found by /proc',
}, async () => {
  await using stage = new Stage()
  await stage.play(async () => {
    const started = stage.tell('--members', '10', '--live', '1')
    await started.says('starting sandbox', runMs)
    process.kill(-started.pid, 'SIGINT')
    assert.equal(await started.exitCode(30_000), 0)
    assert.deepEqual(stage.running(), [])
  })
})

const header = 'InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID'
const wrongFiles: readonly (readonly [
  why: string,
  content: string | Uint8Array | undefined,
  flags: readonly string[],
])[] = [
  ['missing', undefined, []],
  ['empty', '', []],
  ['binary', new Uint8Array([0x89, 0x50, 0, 0, 1, 2]), []],
  ['mapped to a column that it has not', `${header}\n1,A,1,2010-01-01,2.50,7\n`, ['--columns', 'customer=Nobody']],
  ['without the needed columns', 'a,b\n1,2\n', []],
  ['without lines', `${header}\n`, []],
]

for (const [why, content, flags] of wrongFiles) {
  test(`a receipts file that is ${why} ends the story with one line and nothing is written`, async () => {
    using folder = tempDir('wrong')
    const file = join(folder.path, 'receipts.csv')
    if (content !== undefined) writeFileSync(file, content)
    const dataDir = join(folder.path, 'data')
    const told = new StoryProcess(story, ['--receipts', file, ...flags, '--data-dir', dataDir, '--exit'], randomUUID())
    assert.equal(await told.exitCode(30_000), 2)
    assert.match(told.output, /^stampede: [^\n]+$/)
    assert.equal(existsSync(dataDir), false)
  })
}

test('the help text and a wrong flag', async () => {
  const help = new StoryProcess(story, ['--help'], randomUUID())
  assert.equal(await help.exitCode(20_000), 0)
  assert.match(help.output, /--receipts FILE/)
  const wrong = new StoryProcess(story, ['--membres', '5'], randomUUID())
  assert.equal(await wrong.exitCode(20_000), 2)
  assert.match(wrong.output, /^stampede: [^\n]+$/)
})

test('the certificate of a brand is rotated while its campaign runs: nothing is lost, and all invariants hold', async (t) => {
  if (findKubePrograms() === undefined) return t.skip('no kube-apiserver')
  await using stage = new Stage()
  await stage.play(async () => {
    const story = stage.tell('--story', 'rotation', '--members', '200', '--live', '40')
    await endsWell(story, 2 * runMs)
    assert.match(story.output, /App Store Connect counts 2 certificates, 0 revocations/)
    assert.match(story.output, /the dispatcher pushes with it/)
    await stage.verify()
  })
})

test('without kube-apiserver the story of rotation says so in one line and exits with 3', async () => {
  await using stage = new Stage()
  await stage.play(async () => {
    const { PATH: _, ...env } = process.env
    const nowhere = { ...env, PATH: '/nowhere', STAMPEDE_TOOLS_DIR: '/nowhere' }
    const story = stage.tellIn(nowhere, '--story', 'rotation')
    assert.equal(await story.exitCode(runMs), 3)
    assert.match(story.output, /^stampede: .*kube-apiserver and etcd.*$/)
  })
})
