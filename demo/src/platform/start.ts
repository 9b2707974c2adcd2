import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type RunningServers, serversFile, startEmbeddedNats, startEmbeddedPostgres } from '@stampede/platform'
import { type Authority, authorityDir, createAuthority } from '@stampede/sandbox'
import { type Folders, foldersOf, takeFolders } from './folders.ts'
import { choosePorts, type Ports } from './ports.ts'
import { hashKey, loadSecrets, type Secrets } from './secrets.ts'
import { type ProcessSpec, Supervisor } from './supervisor.ts'

/** A platform that runs on this machine; disposing stops all of it. */
export interface RunningPlatform extends AsyncDisposable {
  readonly folders: Folders
  readonly ports: Ports
  readonly secrets: Secrets
  readonly authority: Authority
  readonly supervisor: Supervisor
  readonly postgresUrl: string
  /** Embedded servers that we started. */
  readonly serverPids: readonly { readonly name: string; readonly pid: number }[]
  /** Environment of every process: servers, keys, addresses. */
  readonly env: NodeJS.ProcessEnv
}

/** What the person at the terminal chose. */
export interface StartOptions {
  readonly dataDir: string
  readonly googlePerSecond: number
  readonly say: (line: string) => void
  /** Aborted: starting stops at the next step and throws the signal's reason. */
  readonly signal: AbortSignal
}

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const serviceScript = join(repository, 'scripts', 'service.ts')
const sandboxScript = join(repository, 'loadtests', 'sandbox', 'src', 'main.ts')

/** Starts databases, the sandbox and all services, each part as a process of its own or a shared one. */
export async function startPlatform({ dataDir, googlePerSecond, say, signal }: StartOptions): Promise<RunningPlatform> {
  await using stack = new AsyncDisposableStack()
  const folders = foldersOf(dataDir)
  stack.use(takeFolders(folders))
  const secrets = loadSecrets(dirname(folders.postgres))
  const ports = await choosePorts(folders.run, say)
  const servers = await startServers(folders, ports, stack, say)
  const authority = createAuthority(authorityDir(folders.sandbox))
  const stateFile = serversFile(dataDir)
  const { postgresUrl, natsUrl } = servers
  writeFileSync(stateFile, JSON.stringify({ postgresUrl, natsUrl } satisfies RunningServers), { mode: 0o600 })
  stack.defer(() => rmSync(stateFile, { force: true }))
  const env = {
    ...process.env,
    ...makeEnvironment({ folders, ports, secrets, authority, googlePerSecond }),
    STAMPEDE_POSTGRES_URL: postgresUrl,
    STAMPEDE_NATS_URL: natsUrl,
  }
  signal.throwIfAborted()
  const supervisor = stack.use(new Supervisor(folders.run, say, signal))
  for (const wave of planProcesses(ports, env)) {
    say(`starting ${wave.map(({ name }) => name).join(', ')}`)
    await Promise.all(wave.map((spec) => supervisor.start(spec)))
  }
  const owned = stack.move()
  return {
    folders,
    ports,
    secrets,
    authority,
    supervisor,
    postgresUrl,
    serverPids: servers.pids,
    env,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

interface Servers extends RunningServers {
  readonly pids: readonly { readonly name: string; readonly pid: number }[]
}

async function startServers(
  folders: Folders,
  ports: Ports,
  stack: AsyncDisposableStack,
  say: (line: string) => void,
): Promise<Servers> {
  const pids: { readonly name: string; readonly pid: number }[] = []
  const own = <Server extends AsyncDisposable & { url: string; pid: number }>(name: string, server: Server): string => {
    stack.use(server)
    pids.push({ name, pid: server.pid })
    return server.url
  }
  const external = { postgres: process.env['STAMPEDE_POSTGRES_URL'], nats: process.env['STAMPEDE_NATS_URL'] }
  say(`PostgreSQL: ${external.postgres === undefined ? 'embedded' : 'the server of STAMPEDE_POSTGRES_URL'}`)
  const postgresUrl =
    external.postgres ??
    own('postgres', await startEmbeddedPostgres({ dataDir: folders.postgres, port: ports.postgres }))
  say(`NATS: ${external.nats === undefined ? 'a nats-server of our own' : 'the server of STAMPEDE_NATS_URL'}`)
  const natsUrl =
    external.nats ??
    own('nats', await startEmbeddedNats({ dataDir: folders.nats, port: ports.nats, toolsDir: folders.tools }))
  return { postgresUrl, natsUrl, pids }
}

interface EnvironmentInput {
  readonly folders: Folders
  readonly ports: Ports
  readonly secrets: Secrets
  readonly authority: Authority
  readonly googlePerSecond: number
}

function makeEnvironment(input: EnvironmentInput): Record<string, string> {
  const { folders, ports, secrets, authority, googlePerSecond } = input
  const tls = writeServerCertificate(folders, authority)
  const address = (port: number): string => `localhost:${port}`
  return {
    STAMPEDE_DATA_DIR: dirname(folders.clickhouse),
    STAMPEDE_LOG_LEVEL: process.env['STAMPEDE_LOG_LEVEL'] ?? 'info',
    STAMPEDE_ALLOWED_ORIGINS: `http://127.0.0.1:${ports.page},http://localhost:${ports.page}`,
    STAMPEDE_TLS_CA: tls.ca,
    STAMPEDE_TLS_CERT: tls.cert,
    STAMPEDE_TLS_KEY: tls.key,
    STAMPEDE_ROOT_KEY_SHA256: hashKey(secrets.rootKey),
    STAMPEDE_SERVICE_KEY: secrets.serviceKey,
    STAMPEDE_SERVICE_KEY_SHA256: hashKey(secrets.serviceKey),
    STAMPEDE_CREDENTIALS_DIR: folders.credentials,
    STAMPEDE_ENROLLMENT_MASTER_KEY: secrets.enrollmentMasterKey,
    STAMPEDE_ENROLLMENT_GRPC_PORT: String(ports.enrollmentGrpc),
    STAMPEDE_ENROLLMENT_HTTP_PORT: String(ports.enrollmentHttp),
    STAMPEDE_ENROLLMENT_ADDRESS: address(ports.enrollmentGrpc),
    STAMPEDE_LEDGER_GRPC_PORT: String(ports.ledgerGrpc),
    STAMPEDE_LEDGER_HTTP_PORT: String(ports.ledgerHttp),
    STAMPEDE_LEDGER_ADDRESS: address(ports.ledgerGrpc),
    STAMPEDE_PASS_RENDER_MASTER_KEY: secrets.passRenderMasterKey,
    STAMPEDE_PASS_RENDER_GRPC_PORT: String(ports.passRenderGrpc),
    STAMPEDE_PASS_RENDER_HTTP_PORT: String(ports.passRenderHttp),
    STAMPEDE_PASS_RENDER_ADDRESS: address(ports.passRenderGrpc),
    STAMPEDE_PASS_RENDER_WEB_PORT: String(ports.passRenderWeb),
    STAMPEDE_PASS_RENDER_WEB_URL: `https://localhost:${ports.passRenderWeb}`,
    STAMPEDE_PASS_RENDER_WEB_CERT: tls.cert,
    STAMPEDE_PASS_RENDER_WEB_KEY: tls.key,
    STAMPEDE_GEO_GRPC_PORT: String(ports.geoGrpc),
    STAMPEDE_GEO_HTTP_PORT: String(ports.geoHttp),
    STAMPEDE_GEO_ADDRESS: address(ports.geoGrpc),
    STAMPEDE_CAMPAIGNS_GRPC_PORT: String(ports.campaignsGrpc),
    STAMPEDE_CAMPAIGNS_HTTP_PORT: String(ports.campaignsHttp),
    STAMPEDE_CAMPAIGNS_ADDRESS: address(ports.campaignsGrpc),
    STAMPEDE_PUSH_DISPATCHER_HTTP_PORT: String(ports.dispatcherHttp),
    STAMPEDE_ANALYTICS_GRPC_PORT: String(ports.analyticsGrpc),
    STAMPEDE_ANALYTICS_HTTP_PORT: String(ports.analyticsHttp),
    STAMPEDE_ANALYTICS_ADDRESS: address(ports.analyticsGrpc),
    STAMPEDE_SANDBOX_DIR: folders.sandbox,
    STAMPEDE_SANDBOX_CONTROL_PORT: String(ports.sandboxControl),
    STAMPEDE_SANDBOX_APNS_PORT: String(ports.apns),
    STAMPEDE_SANDBOX_GOOGLE_PORT: String(ports.google),
    STAMPEDE_SANDBOX_APPSTORE_PORT: String(ports.appStore),
    STAMPEDE_SANDBOX_GOOGLE_PER_SECOND: String(googlePerSecond),
    STAMPEDE_APNS_URL: `https://localhost:${ports.apns}`,
    STAMPEDE_APNS_CA: tls.ca,
    STAMPEDE_GOOGLE_URL: `https://localhost:${ports.google}`,
    STAMPEDE_GOOGLE_TOKEN_URL: `https://localhost:${ports.google}/token`,
    STAMPEDE_GOOGLE_CA: tls.ca,
    STAMPEDE_GOOGLE_ROOT_KEYS_URL: `http://127.0.0.1:${ports.sandboxControl}/google/root-keys`,
    STAMPEDE_GOOGLE_MAX_PER_SECOND: String(googlePerSecond),
  }
}

interface CertificateFiles {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

function writeServerCertificate(folders: Folders, authority: Authority): CertificateFiles {
  const folder = join(folders.run, 'tls')
  mkdirSync(folder, { recursive: true })
  const files = { ca: join(folder, 'ca.pem'), cert: join(folder, 'server.pem'), key: join(folder, 'server.key') }
  const { certPem, keyPem } = authority.issueServerCertificate(['localhost', '127.0.0.1'])
  writeFileSync(files.ca, authority.webRootPem)
  writeFileSync(files.cert, certPem)
  writeFileSync(files.key, keyPem, { mode: 0o600 })
  return files
}

/** Waves of processes; within one they start side by side. The dispatcher and the analytics engine are always apart. */
function planProcesses(ports: Ports, env: NodeJS.ProcessEnv): readonly (readonly ProcessSpec[])[] {
  const ready = (port: number): string => `http://127.0.0.1:${port}/ready`
  const service = (name: string, services: string, httpPorts: readonly number[]): ProcessSpec => ({
    name,
    args: [serviceScript, services],
    env,
    readyUrls: httpPorts.map(ready),
  })
  const core = [ports.enrollmentHttp, ports.ledgerHttp, ports.geoHttp, ports.campaignsHttp]
  return [
    [
      { name: 'sandbox', args: [sandboxScript], env, readyUrls: [`http://127.0.0.1:${ports.sandboxControl}/healthz`] },
      service('core', 'enrollment,ledger,geo,campaigns', core),
      service('analytics', 'analytics', [ports.analyticsHttp]),
    ],
    [
      service('pass-render', 'pass-render', [ports.passRenderHttp]),
      service('push-dispatcher', 'push-dispatcher', [ports.dispatcherHttp]),
    ],
  ]
}
