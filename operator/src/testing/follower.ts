import type { KubeConfig } from '@kubernetes/client-node'
import { createLogger } from '@stampede/platform'
import { type Change, type Informer, type InformerTimings, startInformer } from '../kernel/informer.ts'
import { type SecretObject, secrets } from '../kernel/resource.ts'
import { systemScheduler } from '../kernel/scheduler.ts'
import { createStore, type KubeStore } from '../kernel/store.ts'
import { connectKube } from '../kernel/transport.ts'
import { type TestKernelMetrics, testKernelMetrics } from './kernel-metrics.ts'

/** An informer of the Secrets of a namespace, with all that it told. */
export interface Follower extends AsyncDisposable {
  readonly informer: Informer<SecretObject>
  readonly changes: readonly Change<SecretObject>[]
  /** What a listener that believed every change has in its hands: key to version. */
  readonly believed: ReadonlyMap<string, string | undefined>
  readonly metrics: TestKernelMetrics
  /** The server as the informer's connection sees it. */
  readonly store: KubeStore
}

/** Waits of a test: nothing takes long. */
export const quickTimings: InformerTimings = {
  watchMs: 60_000,
  silenceMs: 30_000,
  resyncMs: 3_600_000,
  backoff: { firstMs: 20, capMs: 100 },
}

/** Starts to follow the Secrets of `default`. */
export function followSecrets(loadConfig: () => KubeConfig, timings: Partial<InformerTimings> = {}): Follower {
  const metrics = testKernelMetrics()
  const transport = connectKube({ loadConfig, metrics: metrics.kernel })
  const store = createStore(transport, { fieldManager: 'follower' })
  const informer = startInformer({
    transport,
    store,
    resource: secrets,
    namespace: 'default',
    timings: { ...quickTimings, ...timings },
    scheduler: systemScheduler,
    metrics: metrics.kernel,
    logger: createLogger('follower', 'silent'),
  })
  const changes: Change<SecretObject>[] = []
  const believed = new Map<string, string | undefined>()
  informer.listen((change) => {
    changes.push(change)
    if (change.after === undefined) believed.delete(change.key)
    else believed.set(change.key, change.after.metadata.resourceVersion)
  })
  return {
    informer,
    changes,
    believed,
    metrics,
    store,
    [Symbol.asyncDispose]: async () => {
      await informer[Symbol.asyncDispose]()
      transport[Symbol.dispose]()
    },
  }
}
