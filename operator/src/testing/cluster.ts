import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node'
import { createMetrics } from '@stampede/platform'
import { tempDir, until } from '@stampede/platform/testing'
import { parse } from 'yaml'
import {
  connectKube,
  createKernelMetrics,
  createStore,
  type KubeObject,
  type KubeStore,
  type KubeTransport,
  type Resource,
} from '../kernel/index.ts'
import { type KubeServer, startKubeServer } from './kube-server.ts'

/** Namespace of all tests. */
export const namespace = 'stampede'

/** A real API server with our resources, and an account that has the operator's Role and nothing else. */
export interface TestCluster extends AsyncDisposable {
  readonly kube: KubeServer
  readonly admin: KubeStore
  readonly transport: KubeTransport
  /** kubeconfig of the operator's account. */
  readonly kubeconfig: string
  readonly operatorConfig: KubeConfig
  /** Writes a kubeconfig for a server elsewhere, such as a proxy. */
  kubeconfigFor(url: string, caPem: string): string
}

/** A cluster-scoped or namespaced object of any kind, for set-up. */
const crds: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
}
const roles: Resource = { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'roles', kind: 'Role' }
const roleBindings: Resource = { ...roles, plural: 'rolebindings', kind: 'RoleBinding' }
const account = { namespace, name: 'stampede-operator' }

/** Starts the server, installs the CRDs of the chart, and binds the operator's Role. */
export async function startCluster(): Promise<TestCluster> {
  await using stack = new AsyncDisposableStack()
  const kube = stack.use(await startKubeServer())
  const dir = stack.use(tempDir('cluster'))
  const transport = stack.use(
    connectKube({ loadConfig: () => kube.adminConfig, metrics: createKernelMetrics(createMetrics('test')) }),
  )
  const admin = createStore(transport, { fieldManager: 'test' })
  await kube.createNamespace(namespace)
  await installCrds(transport)
  await bindRole(admin)
  const operatorConfig = await kube.serviceAccountConfig(account)
  const write = (text: string): string => {
    const path = join(dir.path, `kubeconfig-${Math.random().toString(36).slice(2)}`)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const owned = stack.move()
  return {
    kube,
    admin,
    transport,
    operatorConfig,
    kubeconfig: write(operatorConfig.exportConfig()),
    kubeconfigFor: (url, caPem) => {
      const config = JSON.parse(operatorConfig.exportConfig()) as {
        clusters: { cluster: { server: string; 'certificate-authority-data': string } }[]
      }
      for (const { cluster } of config.clusters) {
        cluster.server = url
        cluster['certificate-authority-data'] = Buffer.from(caPem).toString('base64')
      }
      return write(JSON.stringify(config))
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** An object of the repository's YAML files. */
export function readYaml<T extends KubeObject>(path: string): T {
  return parse(readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')) as T
}

async function installCrds(transport: KubeTransport): Promise<void> {
  for (const name of ['brand', 'appleaccount']) {
    const crd = readYaml(`charts/stampede/crds-src/${name}.yaml`)
    const path = `/apis/${crds.group}/${crds.version}/${crds.plural}`
    await transport.send({ method: 'POST', path, query: { fieldValidation: 'Strict' }, body: crd })
    await until(`${crd.metadata.name} is established`, async () => {
      const { status } = await transport.send<{ status?: { conditions?: { type: string; status: string }[] } }>({
        method: 'GET',
        path: `${path}/${crd.metadata.name}`,
      })
      return status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True') ?? false
    })
  }
}

async function bindRole(admin: KubeStore): Promise<void> {
  const role = readYaml<KubeObject>('operator/rbac.yaml')
  await admin.create(roles, { ...role, metadata: { ...role.metadata, namespace } })
  const binding = {
    apiVersion: role.apiVersion,
    kind: roleBindings.kind,
    metadata: { namespace, name: role.metadata.name },
    roleRef: { apiGroup: roles.group, kind: roles.kind, name: role.metadata.name },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  }
  await admin.create(roleBindings, binding)
}
