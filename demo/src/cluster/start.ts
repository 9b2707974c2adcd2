import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Brand, type BrandSpec, brands, type KubeStore, secrets } from '@stampede/operator'
import { namespace, startCluster } from '@stampede/operator/testing'
import { credentialShard } from '@stampede/platform'
import { createAppStoreKey, createServiceAccount } from '@stampede/sandbox'
import type { RunningPlatform } from '../platform/start.ts'
import { waitUntil } from '../story/patience.ts'
import { mountSecret } from './mounted-secret.ts'

/** A Kubernetes API server with the operator, which serves the platform's brands. */
export interface StoryCluster extends AsyncDisposable {
  /** Applies a Brand, with its Google service account, and waits until it is Ready. */
  addBrand(name: string, spec: BrandWish): Promise<Brand>
  /** Changes a Brand and waits until it is Ready again. */
  changeBrand(name: string, spec: object): Promise<Brand>
}

/** What a Brand says, without what the cluster fills in. */
export type BrandWish = Pick<BrandSpec, 'displayName' | 'timeZone' | 'currency' | 'contact'> & {
  readonly passTypeIdentifier: string
  readonly teamId: string
  readonly googleIssuer: string
}

const operatorScript = fileURLToPath(new URL('../../../operator/src/main.ts', import.meta.url))
const shardPrefix = 'stampede-credentials'
const accountName = 'demo'
const readyMs = 120_000

/** Starts a real API server, the operator with its Role, and what a kubelet would do. */
export async function startStoryCluster(platform: RunningPlatform): Promise<StoryCluster> {
  await using stack = new AsyncDisposableStack()
  const cluster = stack.use(await startCluster())
  const { folders, ports, supervisor } = platform
  await supervisor.start({
    name: 'operator',
    args: [operatorScript],
    env: { ...platform.env, ...operatorEnvironment(platform, cluster.kubeconfig) },
    readyUrls: [`http://127.0.0.1:${ports.operatorHttp}/ready`],
  })
  const { admin } = cluster
  const mounted = new Set<string>()
  const mount = (brand: string): void => {
    const shard = credentialShard(brand)
    if (mounted.has(shard)) return
    mounted.add(shard)
    const name = `${shardPrefix}-${shard.slice('shard-'.length)}`
    const read = async () => (await admin.get(secrets, { namespace, name }))?.data
    owned.use(mountSecret({ read, folder: join(folders.credentials, shard) }))
  }
  const owned = stack.move()
  return {
    addBrand: async (name, wish) => {
      mount(name)
      await applyAccount(admin, folders.sandbox, wish.teamId)
      await applyGoogle(admin, folders.sandbox, name, wish.googleIssuer)
      await admin.apply(brands, brandOf(name, wish))
      return awaitReady(admin, name)
    },
    changeBrand: async (name, spec) => {
      await admin.patch(brands, { namespace, name }, { spec })
      return awaitReady(admin, name)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function operatorEnvironment({ folders, ports, secrets: keys, authority }: RunningPlatform, kubeconfig: string) {
  const wwdr = join(folders.run, 'tls', 'wwdr.pem')
  writeFileSync(wwdr, authority.wwdrPem)
  return {
    STAMPEDE_OPERATOR_HTTP_PORT: String(ports.operatorHttp),
    STAMPEDE_OPERATOR_NAMESPACE: namespace,
    STAMPEDE_OPERATOR_KUBECONFIG: kubeconfig,
    STAMPEDE_OPERATOR_SHARD_PREFIX: shardPrefix,
    STAMPEDE_OPERATOR_API_KEY: keys.rootKey,
    STAMPEDE_OPERATOR_WWDR: wwdr,
    STAMPEDE_APPSTORE_URL: `https://localhost:${ports.appStore}`,
    STAMPEDE_APPSTORE_CA: join(folders.run, 'tls', 'ca.pem'),
  }
}

async function putSecret(admin: KubeStore, name: string, entry: string, value: string): Promise<void> {
  const data = { [entry]: Buffer.from(value).toString('base64') }
  await admin.apply(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name }, data })
}

async function applyAccount(admin: KubeStore, sandboxFolder: string, teamId: string): Promise<void> {
  const { issuerId, keyId, privateKeyPem } = createAppStoreKey(sandboxFolder, teamId, true)
  await putSecret(admin, 'appstore-key', 'AuthKey.p8', privateKeyPem)
  const spec = { teamId, issuerId, keyId, privateKeySecretRef: { name: 'appstore-key' } }
  const resource = { ...brands, plural: 'appleaccounts', kind: 'AppleAccount' }
  const metadata = { namespace, name: accountName }
  await admin.apply(resource, { apiVersion: 'stampede.dev/v1alpha1', kind: resource.kind, metadata, spec } as never)
}

async function applyGoogle(admin: KubeStore, sandboxFolder: string, name: string, issuer: string): Promise<void> {
  const { clientEmail, privateKeyPem } = createServiceAccount(sandboxFolder, issuer)
  const account = { type: 'service_account', client_email: clientEmail, private_key: privateKeyPem }
  await putSecret(admin, `${name}-google`, 'key.json', JSON.stringify(account))
}

function brandOf(name: string, wish: BrandWish): Brand {
  const { passTypeIdentifier, teamId, googleIssuer, ...spec } = wish
  const apple = { passTypeIdentifier, teamId, accountRef: { name: accountName } }
  const google = { issuerId: googleIssuer, serviceAccountSecretRef: { name: `${name}-google` } }
  const metadata = { namespace, name }
  // The server fills in the defaults.
  return { apiVersion: 'stampede.dev/v1alpha1', kind: 'Brand', metadata, spec: { ...spec, apple, google } } as never
}

async function awaitReady(admin: KubeStore, name: string): Promise<Brand> {
  const read = () => admin.get(brands, { namespace, name })
  const found = await waitUntil(`Brand ${name}`, readyMs, read, isReady)
  if (found === undefined) throw new Error(`Brand ${name} is gone`)
  return found
}

function isReady(brand: Brand | undefined): boolean {
  const ready = brand?.status?.conditions?.find(({ type }) => type === 'Ready')
  return ready?.status === 'True' && ready.observedGeneration === brand?.metadata.generation
}
