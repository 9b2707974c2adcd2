import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { connect } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { type Authority, createAuthority, type PassCertificate } from './authority.ts'
import { authorityDir } from './sandbox.ts'
import { connectApns, eventually, push, TestWebService, temporaryDir } from './testing/index.ts'

const PASS_TYPE_ID = 'pass.com.demo'
const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))

interface Ports {
  readonly controlPort: number
  readonly apnsPort: number
  readonly googlePort: number
}

let dir: Awaited<ReturnType<typeof temporaryDir>>
let authority: Authority
let certificate: PassCertificate
let web: TestWebService
const children: ChildProcess[] = []

before(async () => {
  dir = await temporaryDir()
  authority = createAuthority(authorityDir(dir.path))
  certificate = authority.issuePassCertificate({ passTypeId: PASS_TYPE_ID, teamId: 'DEMOTEAM01' })
  web = new TestWebService(authority, certificate, PASS_TYPE_ID)
  await web.listen()
})
after(async () => {
  for (const child of children) child.kill('SIGKILL')
  await web[Symbol.asyncDispose]()
  await dir[Symbol.asyncDispose]()
})

async function start(more: Record<string, string> = {}): Promise<{ child: ChildProcess; ports: Ports }> {
  const env = { ...process.env, STAMPEDE_SANDBOX_DIR: dir.path, ...more }
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const [line] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')) as [string]
  return { child, ports: JSON.parse(line) as Ports }
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const exited = once(child, 'exit')
  child.kill(signal)
  const [code] = (await exited) as [number | null]
  return code
}

async function post({ controlPort }: Ports, path: string, body: object): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${controlPort}${path}`, { method: 'POST', body: JSON.stringify(body) })
  return response.text()
}

async function shown({ controlPort }: Ports, serial: string): Promise<Readonly<Record<string, unknown>>> {
  return (await fetch(`http://127.0.0.1:${controlPort}/phones/${serial}`)).json() as Promise<Record<string, unknown>>
}

test('a killed sandbox takes up phones, shown fields and unanswered pushes from its journals', async () => {
  const first = await start()
  const urls = ['K-1', 'K-2'].map((serial) => ({ url: web.put(serial, 1) }))
  const progress = (await post(first.ports, '/install', { passes: urls })).trim().split('\n')
  assert.deepEqual(JSON.parse(progress.at(-1) ?? ''), { done: true, failures: [] })
  assert.deepEqual(JSON.parse(progress.at(-2) ?? ''), { installed: 2, failed: 0, total: 2 })
  // The web service is away, so that the accepted push is still unanswered when the kill comes.
  web.failNext = { status: 503, times: 1_000_000 }
  web.put('K-1', 7)
  const session = await connectApns({ apnsPort: first.ports.apnsPort, authority })
  session.close()
  const pusher = await connectApns({ apnsPort: first.ports.apnsPort, authority }, certificate)
  assert.equal((await push(pusher, web.tokens('K-1')[0] ?? '')).status, 200)
  await stop(first.child, 'SIGKILL')
  await appendFile(join(dir.path, 'phones.ndjson'), '{"at":1,"pho')

  web.failNext = { status: 503, times: 0 }
  const second = await start()
  const fields = await eventually(async () => {
    const { fields: now } = (await shown(second.ports, 'K-1')) as { fields: Record<string, string> }
    return now['points'] === '7' ? now : undefined
  })
  assert.equal(fields['terms'], 'none')
  const phone = await shown(second.ports, 'K-1')
  assert.deepEqual(
    (phone['notifications'] as { text: string }[]).map(({ text }) => text),
    ['You have 7 points'],
  )
  assert.equal((phone['back'] as { key: string }[])[0]?.key, 'terms')
  assert.equal(((await shown(second.ports, 'K-2'))['fields'] as Record<string, string>)['points'], '1')
  const again = (await post(second.ports, '/install', { passes: urls })).trim().split('\n')
  assert.deepEqual(JSON.parse(again.at(-2) ?? ''), { installed: 2, failed: 0, total: 2 })
  assert.equal(web.tokens('K-1').length, 1)
  assert.equal(await stop(second.child, 'SIGTERM'), 0)
})

test('the control API refuses other hosts and bad input, and hands out its journals by offset', async () => {
  const { child, ports } = await start()
  const base = `http://127.0.0.1:${ports.controlPort}`
  const status = await new Promise((resolve) => {
    request(`${base}/stats`, { headers: { host: 'evil.example' } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).end()
  })
  assert.equal(status, 403)
  assert.match(await post(ports, '/faults', { apns: { streamLimit: 0 } }), /apns\.streamLimit/)
  assert.match(await post(ports, '/faults', { apns: { nonsense: 1 } }), /apns\.nonsense/)
  assert.match(await post(ports, '/install', { passes: [{}] }), /passes\[0\]\.url/)
  const events = await fetch(`${base}/events?kind=phones&from=0`)
  const bytes = await events.text()
  assert.equal(events.headers.get('x-next-offset'), String(Buffer.byteLength(bytes)))
  assert.ok(
    bytes
      .split('\n')
      .filter(Boolean)
      .every((line) => 'event' in (JSON.parse(line) as object)),
  )
  const end = await fetch(`${base}/events?kind=phones&from=${Buffer.byteLength(bytes)}`)
  assert.equal(await end.text(), '')
  const stats = (await (await fetch(`${base}/stats`)).json()) as { phones: { installed: number; shown: number } }
  assert.equal(stats.phones.installed, 2)
  assert.equal((await fetch(`${base}/phones/nobody`)).status, 404)
  assert.equal(await stop(child, 'SIGTERM'), 0)
})

test('listens where it is told to, under the names that it is told; its control stays on 127.0.0.1', async () => {
  const { child, ports } = await start({
    STAMPEDE_SANDBOX_LISTEN_HOST: '127.0.0.2',
    STAMPEDE_SANDBOX_HOSTS: 'sandbox.svc',
  })
  for (const port of [ports.apnsPort, ports.googlePort]) {
    const socket = connect({
      host: '127.0.0.2',
      port,
      servername: 'sandbox.svc',
      ca: authority.webRootPem,
      ALPNProtocols: ['h2'],
    })
    await once(socket, 'secureConnect')
    socket.destroy()
  }
  assert.equal((await fetch(`http://127.0.0.1:${ports.controlPort}/healthz`)).status, 200)
  assert.equal(await stop(child, 'SIGTERM'), 0)
})
