import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunningService } from '@stampede/platform'
import { tempDir, until } from '@stampede/platform/testing'
import type { PassTypeCounts, Sandbox, SandboxOptions } from '@stampede/sandbox'
import { startTestSandbox } from '@stampede/sandbox/testing'
import { type AppleAccount, appleAccounts } from '../crd/apple-account.ts'
import { type Brand, type BrandSpec, brands } from '../crd/brand.ts'
import { service } from '../index.ts'
import { type Condition, type KubeObject, type SecretObject, secrets } from '../kernel/index.ts'
import { namespace, startCluster, type TestCluster } from './cluster.ts'
import { startTripwire, type Tripwire } from './tripwire.ts'

/** Team of the rig's account. */
export const TEAM = 'DEMOTEAM01'
/** Name of the rig's AppleAccount. */
export const ACCOUNT = 'demo'
/** Prefix of the shard Secrets. */
export const SHARDS = 'stampede-credentials'

/** A cluster, a strict sandbox, and operators between them. */
export interface OperatorRig extends AsyncDisposable {
  readonly cluster: TestCluster
  readonly sandbox: Sandbox
  /** Environment of an operator that works for this rig. */
  env(extra?: Readonly<Record<string, string>>): Record<string, string>
  /** Starts an operator in this process. */
  start(extra?: Readonly<Record<string, string>>): Promise<RunningService>
  /** Applies a Brand, mode Api, with changes. */
  applyBrand(name: string, spec?: Partial<BrandSpec>): Promise<Brand>
  brand(name: string): Promise<Brand | undefined>
  /** Waits until a Brand is Ready in its present generation. */
  ready(name: string, deadlineMs?: number): Promise<Brand>
  /** Waits for a condition. */
  condition(
    name: string,
    type: string,
    holds: (condition: Condition) => boolean,
    deadlineMs?: number,
  ): Promise<Condition>
  secret(name: string): Promise<SecretObject | undefined>
  putSecret(
    name: string,
    data: Readonly<Record<string, string>>,
    labels?: Readonly<Record<string, string>>,
  ): Promise<void>
  /** A proxy in front of the API server, and the environment of an operator that goes through it. */
  throughWire(): Promise<{ readonly wire: Tripwire; readonly env: Readonly<Record<string, string>> }>
  /** What App Store Connect counted for a brand. */
  counts(name: string): PassTypeCounts | undefined
}

/** Pass type id of a brand of the rig. */
export function passTypeOf(name: string): string {
  return `pass.com.example.${name}`
}

/** Starts cluster and sandbox with an AppleAccount, no operator yet. */
export async function startOperatorRig(options: Omit<SandboxOptions, 'dir'> = {}): Promise<OperatorRig> {
  await using stack = new AsyncDisposableStack()
  const dir = stack.use(tempDir('operator'))
  const [sandbox, cluster] = await Promise.all([startTestSandbox(options), startCluster()])
  stack.use(sandbox)
  stack.use(cluster)
  const { admin } = cluster
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir.path, name), text)
    return join(dir.path, name)
  }
  const webCa = file('web.pem', sandbox.authority.webRootPem)
  const wwdr = file('wwdr.pem', sandbox.authority.wwdrPem)
  const env = (extra: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    STAMPEDE_LOG_LEVEL: process.env['STAMPEDE_LOG_LEVEL'] ?? 'silent',
    STAMPEDE_OPERATOR_NAMESPACE: namespace,
    STAMPEDE_OPERATOR_KUBECONFIG: cluster.kubeconfig,
    // Long: a lost lease ends the process, which here is the test's own.
    STAMPEDE_OPERATOR_LEASE_SECONDS: '60',
    STAMPEDE_OPERATOR_SETTLE_SECONDS: '1',
    STAMPEDE_OPERATOR_RETRY_SECONDS: '1',
    STAMPEDE_OPERATOR_MANUAL_POLL_SECONDS: '60',
    STAMPEDE_OPERATOR_SHARD_PREFIX: SHARDS,
    STAMPEDE_APPSTORE_URL: `https://localhost:${sandbox.appStorePort}`,
    STAMPEDE_APPSTORE_CA: webCa,
    STAMPEDE_OPERATOR_WWDR: wwdr,
    STAMPEDE_GOOGLE_URL: `https://localhost:${sandbox.googlePort}`,
    STAMPEDE_GOOGLE_TOKEN_URL: `https://localhost:${sandbox.googlePort}/token`,
    STAMPEDE_GOOGLE_CA: webCa,
    ...extra,
  })

  const putSecret = async (name: string, data: Readonly<Record<string, string>>, labels = {}): Promise<void> => {
    const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])
    const metadata = { namespace, name, labels }
    await admin.apply(secrets, { apiVersion: 'v1', kind: 'Secret', metadata, data: Object.fromEntries(encoded) })
  }
  await applyAccount(cluster, sandbox, putSecret)

  const brand = (name: string): Promise<Brand | undefined> => admin.get(brands, { namespace, name })
  const condition: OperatorRig['condition'] = async (name, type, holds, deadlineMs = 20_000) => {
    let last: Condition | undefined
    const look = async (): Promise<boolean> => {
      const found = await brand(name)
      last = found?.status?.conditions?.find((one) => one.type === type)
      return last !== undefined && last.observedGeneration === found?.metadata.generation && holds(last)
    }
    await until(`${name} ${type}`, look, deadlineMs).catch((error: unknown) => {
      throw new Error(`${String(error)}, last: ${JSON.stringify(last)}`)
    })
    if (last === undefined) throw new Error('unreachable')
    return last
  }
  const owned = stack.move()
  return {
    cluster,
    sandbox,
    env,
    start: (extra) => service.start(env(extra)),
    applyBrand: (name, spec) => admin.apply(brands, brandObject(name, spec)),
    brand,
    ready: async (name, deadlineMs) => {
      await condition(name, 'Ready', ({ status }) => status === 'True', deadlineMs)
      const found = await brand(name)
      if (found === undefined) throw new Error(`${name} is gone`)
      return found
    },
    condition,
    secret: (name) => admin.get(secrets, { namespace, name }),
    putSecret,
    throughWire: async () => {
      const identity = sandbox.authority.issueServerCertificate(['localhost', '127.0.0.1'])
      const target = cluster.kube.url
      const targetCaPem = Buffer.from(cluster.kube.adminConfig.getCurrentCluster()?.caData ?? '', 'base64').toString()
      const wire = owned.use(await startTripwire({ target, targetCaPem, ...identity }))
      const kubeconfig = cluster.kubeconfigFor(wire.url, sandbox.authority.webRootPem)
      return { wire, env: { STAMPEDE_OPERATOR_KUBECONFIG: kubeconfig } }
    },
    counts: (name) => sandbox.appStore.statistics().passTypes[passTypeOf(name)],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function brandObject(name: string, spec: Partial<BrandSpec> = {}): Brand {
  const apple = { passTypeIdentifier: passTypeOf(name), teamId: TEAM, accountRef: { name: ACCOUNT } }
  const given = { displayName: `Brand ${name}`, timeZone: 'Europe/London', currency: 'GBP', apple, ...spec }
  const object = { apiVersion: 'stampede.dev/v1alpha1', kind: 'Brand', metadata: { namespace, name }, spec: given }
  // The server fills in the defaults.
  return object as KubeObject as Brand
}

async function applyAccount(
  { admin }: TestCluster,
  sandbox: Sandbox,
  putSecret: OperatorRig['putSecret'],
): Promise<void> {
  const { issuerId, keyId, privateKeyPem } = sandbox.appStoreKey(TEAM, true)
  await putSecret('appstore-key', { 'AuthKey.p8': privateKeyPem })
  const spec = { teamId: TEAM, issuerId, keyId, privateKeySecretRef: { name: 'appstore-key' } }
  const metadata = { namespace, name: ACCOUNT }
  const account = { apiVersion: 'stampede.dev/v1alpha1', kind: 'AppleAccount', metadata, spec }
  await admin.apply(appleAccounts, account as KubeObject as AppleAccount)
}
