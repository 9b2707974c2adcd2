import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '@stampede/platform'
import { tempDir, until } from '@stampede/platform/testing'
import { ruleFiles } from '../alerts.ts'
import { root } from './helm.ts'

/** Where each service prints its metrics, by the names of the ports of a run. */
const httpPorts: Readonly<Record<string, string>> = {
  enrollment: 'enrollmentHttp',
  ledger: 'ledgerHttp',
  'pass-render': 'passRenderHttp',
  geo: 'geoHttp',
  campaigns: 'campaignsHttp',
  'push-dispatcher': 'dispatcherHttp',
  analytics: 'analyticsHttp',
}
const storyDeadlineMs = 240_000
const stopDeadlineMs = 30_000

/** The platform on this machine after a small story, watched by a Prometheus with the chart's rules. */
export interface WatchedPlatform extends AsyncDisposable {
  /** What a service prints, by its name. */
  readonly metricsOf: (service: string) => Promise<string>
  readonly services: readonly string[]
  /** Series that answer a query now; throws what Prometheus has against it. */
  readonly ask: (query: string) => Promise<readonly unknown[]>
}

/** Starts both and waits for the end of the story. */
export async function startWatchedPlatform(prometheus: string): Promise<WatchedPlatform> {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(tempDir('watched'))
  const story = ['demo/src/main.ts', '--data-dir', path, '--members', '50', '--live', '20']
  const platform = stack.adopt(spawn(process.execPath, story, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] }), stop)
  const told = outputOf(platform)
  await until('the ports are known', () => portsOf(path) !== undefined, storyDeadlineMs)
  const ports = portsOf(path) ?? {}
  const portOf = (service: string): number => ports[httpPorts[service] ?? ''] ?? 0
  const port = await freePort()
  const config = join(path, 'prometheus.json')
  writeFileSync(config, JSON.stringify(configOf(portOf)))
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${path}/tsdb`, `--web.listen-address=127.0.0.1:${port}`]
  stack.adopt(spawn(prometheus, args, { stdio: 'ignore' }), stop)
  await until('the story is told', () => told().includes('stays up until Ctrl-C'), storyDeadlineMs)
  const owned = stack.move()
  return {
    services: Object.keys(httpPorts),
    metricsOf: async (service) => (await fetch(`http://127.0.0.1:${portOf(service)}/metrics`)).text(),
    ask: (query) => ask(port, query),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function configOf(portOf: (service: string) => number) {
  return {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ruleFiles(),
    scrape_configs: Object.keys(httpPorts).map((service) => ({
      job_name: service,
      static_configs: [{ targets: [`127.0.0.1:${portOf(service)}`] }],
    })),
  }
}

function portsOf(dataDir: string): Readonly<Record<string, number>> | undefined {
  try {
    return JSON.parse(readFileSync(join(dataDir, 'run', 'ports.json'), 'utf8'))
  } catch {
    // Not written yet.
    return undefined
  }
}

async function ask(port: number, query: string): Promise<readonly unknown[]> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/query`, {
    method: 'POST',
    body: new URLSearchParams({ query }),
  })
  const answer: { readonly data?: { readonly result: readonly unknown[] }; readonly error?: string } = JSON.parse(
    await response.text(),
  )
  if (answer.data === undefined) throw new Error(`${answer.error}: ${query}`)
  return answer.data.result
}

function outputOf(child: ChildProcess): () => string {
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  return () => text
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs)
  await exited
  clearTimeout(timer)
}
