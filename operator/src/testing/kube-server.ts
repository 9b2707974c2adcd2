import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { createMetrics, freePort, logTail, type ManagedProcess, type StopStep, startProcess } from '@stampede/platform'
import { type TestTls, tempDir, testTls } from '@stampede/platform/testing'
import { findTool } from '../../../scripts/tools/find.ts'
import { isKubeError } from '../kernel/errors.ts'
import { createKubeMetrics } from '../kernel/metrics.ts'
import type { ObjectName } from '../kernel/object.ts'
import { connectKube, type KubeTransport } from '../kernel/transport.ts'

/** The programs of a test server. */
export interface KubePrograms {
  readonly etcd: string
  readonly apiServer: string
}

/** A real kube-apiserver with an etcd of its own on loopback, with RBAC. Nothing else of a cluster runs. */
export interface KubeServer extends AsyncDisposable {
  /** https://127.0.0.1:port; the same after a restart. */
  readonly url: string
  /** Process id of the API server. */
  pid(): number
  /** Signs in as a user who may do everything. Another process takes it as `exportConfig()`. */
  readonly adminConfig: KubeConfig
  /**
   * Signs in as a service account, which is made when it is missing: it may do what RBAC objects give
   * `system:serviceaccount:<namespace>:<name>`, so nothing at first.
   */
  serviceAccountConfig(account: ObjectName): Promise<KubeConfig>
  /** Makes a namespace, if it is missing. */
  createNamespace(name: string): Promise<void>
  /** Ends the API server (with SIGKILL when `hard`); etcd and its data stay. */
  stop(hard?: boolean): Promise<void>
  /** Brings the API server back on the same port and data. */
  start(): Promise<void>
}

/** The paths of both programs; undefined when one is missing. */
export function lookForKubePrograms(): KubePrograms | undefined {
  const etcd = findTool('etcd')
  const apiServer = findTool('kube-apiserver')
  return etcd === undefined || apiServer === undefined ? undefined : { etcd, apiServer }
}

/**
 * The paths of both programs; undefined, with a line on the console, when one is missing: the suite skips. Throws
 * under STAMPEDE_CI=1, where nothing may be skipped.
 */
export function findKubePrograms(): KubePrograms | undefined {
  const programs = lookForKubePrograms()
  if (programs !== undefined) return programs
  const line = 'kube-apiserver or etcd is missing; `npm run tools` builds them where Go is installed'
  if (process.env['STAMPEDE_CI'] === '1') throw new Error(line)
  console.log(`LOUD SKIP: ${line}`)
  return undefined
}

const readyDeadlineMs = 60_000
const readyPollMs = 50
const stopSteps: readonly StopStep[] = [
  { signal: 'SIGTERM', waitMs: 10_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
]

/** Starts etcd and the API server in a temporary folder; ready to be used some three seconds later. */
export async function startKubeServer(programs = findKubePrograms()): Promise<KubeServer> {
  if (programs === undefined) throw new Error('kube-apiserver or etcd is missing')
  await using parts = new AsyncDisposableStack()
  const dir = parts.use(tempDir('kube'))
  const tls = parts.use(testTls())
  const etcd = parts.adopt(await startEtcd(programs.etcd, dir.path), ({ server }) => server.stop())
  const port = await freePort()
  const adminToken = randomBytes(16).toString('hex')
  const args = apiServerArgs(dir.path, tls, adminToken, etcd.url, port)
  const logFile = join(dir.path, 'kube-apiserver.log')
  const url = `https://127.0.0.1:${port}`
  const adminConfig = configOf(url, tls, adminToken)
  const kube = parts.use(adminTransport(adminConfig))
  let server: ManagedProcess | undefined

  async function stop(hard = false): Promise<void> {
    if (server === undefined) return
    if (hard) process.kill(server.pid, 'SIGKILL')
    await (hard ? server.exited : server.stop())
    server = undefined
  }

  async function start(): Promise<void> {
    await stop()
    server = startProcess({ command: programs?.apiServer ?? '', args, logFile, stopSteps })
    await waitReady(server, kube, logFile)
  }

  parts.defer(() => stop(true))
  await start()
  const owned = parts.move()
  return {
    url,
    adminConfig,
    pid: () => server?.pid ?? 0,
    stop,
    start,
    createNamespace: (name) => createIfMissing(kube, '/api/v1/namespaces', { metadata: { name } }),
    serviceAccountConfig: async (account) => configOf(url, tls, await serviceAccountToken(kube, account)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function startEtcd(
  command: string,
  dir: string,
): Promise<{ readonly url: string; readonly server: ManagedProcess }> {
  const url = `http://127.0.0.1:${await freePort()}`
  const peerUrl = `http://127.0.0.1:${await freePort()}`
  const args = [
    `--data-dir=${join(dir, 'etcd')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    // The data lives as long as the test: no write has to reach the disk.
    '--unsafe-no-fsync',
  ]
  return { url, server: startProcess({ command, args, logFile: join(dir, 'etcd.log'), stopSteps }) }
}

function apiServerArgs(
  dir: string,
  tls: TestTls,
  adminToken: string,
  etcdUrl: string,
  port: number,
): readonly string[] {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const write = (name: string, text: string): string => {
    const file = join(dir, name)
    writeFileSync(file, text, { mode: 0o600 })
    return file
  }
  return [
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${tls.certFile}`,
    `--tls-private-key-file=${tls.keyFile}`,
    `--token-auth-file=${write('tokens.csv', `${adminToken},stampede-admin,stampede-admin,system:masters\n`)}`,
    '--authorization-mode=RBAC',
    `--service-account-key-file=${write('service-account.pub', publicKey)}`,
    `--service-account-signing-key-file=${write('service-account.key', privateKey)}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--service-cluster-ip-range=10.0.0.0/24',
    // No controller manager runs, so no pod would ever get the token that this plugin waits for.
    '--disable-admission-plugins=ServiceAccount',
    '--endpoint-reconciler-type=none',
  ]
}

function configOf(url: string, tls: TestTls, token: string): KubeConfig {
  const config = new KubeConfig()
  const caData = Buffer.from(tls.caPem).toString('base64')
  config.loadFromClusterAndUser({ name: 'test', server: url, caData, skipTLSVerify: false }, { name: 'test', token })
  return config
}

function adminTransport(config: KubeConfig): KubeTransport {
  return connectKube({ loadConfig: () => config, metrics: createKubeMetrics(createMetrics('kube-server')) })
}

/** Ready when all of the server's own checks pass and it has made the namespace `default`. */
async function waitReady(server: ManagedProcess, kube: KubeTransport, logFile: string): Promise<void> {
  const deadline = Date.now() + readyDeadlineMs
  const isReady = async (): Promise<boolean> => {
    try {
      await kube.send({ method: 'GET', path: '/readyz', query: { verbose: true } })
    } catch (error) {
      // It answers with a text when it is ready.
      if (!isKubeError(error, 'serverError') || !String(error).includes('no JSON')) return false
    }
    return kube.send({ method: 'GET', path: '/api/v1/namespaces/default' }).then(
      () => true,
      () => false,
    )
  }
  while (!(await isReady())) {
    if (server.ended() !== undefined || Date.now() > deadline) {
      throw new Error(`kube-apiserver is not ready (${server.ended() ?? 'too late'}): ${logTail(logFile)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, readyPollMs))
  }
}

async function createIfMissing(kube: KubeTransport, path: string, body: object): Promise<void> {
  try {
    await kube.send({ method: 'POST', path, body })
  } catch (error) {
    if (!isKubeError(error, 'alreadyExists')) throw error
  }
}

/** A token as a pod gets it, signed by the server; ten minutes is the least that it issues. */
async function serviceAccountToken(kube: KubeTransport, { namespace, name }: ObjectName): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts`
  await createIfMissing(kube, path, { metadata: { name } })
  const answer = await kube.send<{ readonly status: { readonly token: string } }>({
    method: 'POST',
    path: `${path}/${name}/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
  })
  return answer.status.token
}
