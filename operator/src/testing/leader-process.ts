// A replica of a small operator as a process of its own: leads when it may, and writes its process id into the status
// of each widget. Configured by KUBECONFIG_TEXT; prints `candidate` when it competes; exits with 3 after a loss.

import { KubeConfig } from '@kubernetes/client-node'
import { createLogger, systemClock } from '@stampede/platform'
import { startController, watchObjects } from '../kernel/controller.ts'
import { startInformer } from '../kernel/informer.ts'
import { runManager } from '../kernel/manager.ts'
import { systemScheduler } from '../kernel/scheduler.ts'
import { createStatusWriter } from '../kernel/status.ts'
import { createStore } from '../kernel/store.ts'
import { connectKube } from '../kernel/transport.ts'
import { testKernelMetrics } from './kernel-metrics.ts'
import { widgets } from './widgets.ts'

const config = new KubeConfig()
config.loadFromString(process.env['KUBECONFIG_TEXT'] ?? '')
const metrics = testKernelMetrics().kernel
const logger = createLogger('leader', 'silent')
const transport = connectKube({ loadConfig: () => config, metrics })
const store = createStore(transport, { fieldManager: 'leader' })
const shared = { scheduler: systemScheduler, metrics, logger }
const namespace = 'default'

async function lead(): Promise<AsyncDisposable> {
  const work = new AsyncDisposableStack()
  const informer = work.use(startInformer({ transport, store, resource: widgets, namespace, ...shared }))
  const status = createStatusWriter(store, metrics)
  const reconcile = async (key: string) => {
    const widget = informer.get(key)
    if (widget !== undefined && widget.status?.seen === undefined) {
      await status.write(widgets, widget, { seen: process.pid })
    }
    return {}
  }
  work.use(startController({ name: 'widgets', sources: [watchObjects(informer)], reconcile, ...shared }))
  return work
}

const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
process.once('disconnect', () => process.exit(0))
console.log('candidate')
const end = await runManager(
  {
    transport,
    lease: { namespace, name: 'widgets' },
    identity: `replica-${process.pid}`,
    timings: { durationMs: 3_000, renewDeadlineMs: 2_000, retryMs: 200 },
    clock: systemClock,
    lead,
    ...shared,
  },
  stop.signal,
)
process.exit(end.how === 'lost' ? 3 : 0)
