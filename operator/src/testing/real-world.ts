import { KubeConfig } from '@kubernetes/client-node'
import { createLogger } from '@stampede/platform'
import { systemScheduler } from '../kernel/scheduler.ts'
import { createStore, type KubeStore } from '../kernel/store.ts'
import { connectKube, type KubeTransport } from '../kernel/transport.ts'
import { type TestKernelMetrics, testKernelMetrics } from './kernel-metrics.ts'
import { type KubeServer, startKubeServer } from './kube-server.ts'
import { installWidgets } from './widgets.ts'

/** A real server that knows widgets, and what a test needs to speak with it as the admin. */
export interface RealWorld extends AsyncDisposable {
  readonly server: KubeServer
  readonly kube: KubeTransport
  readonly store: KubeStore
}

/** One who signs in and what it has counted. */
export interface Client extends Disposable {
  readonly kube: KubeTransport
  readonly store: KubeStore
  readonly metrics: TestKernelMetrics
  /** Options that most parts of the kernel take. */
  readonly shared: ReturnType<typeof sharedOptions>
}

/** Starts the server and teaches it widgets. */
export async function startRealWorld(): Promise<RealWorld> {
  await using parts = new AsyncDisposableStack()
  const server = parts.use(await startKubeServer())
  const { kube, store } = parts.use(connectClient(() => server.adminConfig))
  await installWidgets(kube)
  const owned = parts.move()
  return { server, kube, store, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Signs in. */
export function connectClient(loadConfig: () => KubeConfig): Client {
  const metrics = testKernelMetrics()
  const kube = connectKube({ loadConfig, metrics: metrics.kernel })
  const store = createStore(kube, { fieldManager: 'test' })
  return { kube, store, metrics, shared: sharedOptions(metrics), [Symbol.dispose]: () => kube[Symbol.dispose]() }
}

/** The same configuration, by another port of this machine. */
export function throughPort(config: KubeConfig, port: number): KubeConfig {
  const moved = new KubeConfig()
  moved.loadFromString(config.exportConfig().replaceAll(/127\.0\.0\.1:\d+/g, `127.0.0.1:${port}`))
  return moved
}

function sharedOptions(metrics: TestKernelMetrics) {
  return { scheduler: systemScheduler, metrics: metrics.kernel, logger: createLogger('test', 'silent') }
}
