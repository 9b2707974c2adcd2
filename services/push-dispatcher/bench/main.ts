import { bind, buildSink, canPin, makeCertificates, runBench, SINK_CPU } from '@stampede/h2push/bench'
import { replicasScenario } from './replicas.ts'
import type { Context } from './scenarios.ts'
import { sizesScenario } from './sizes.ts'
import { transactionalScenario } from './transactional.ts'

process.exitCode = await runBench<Context>({
  part: 'services/push-dispatcher',
  title: 'The dispatcher from end to end',
  quick: 'smaller campaigns and fewer runs',
  scenarios: [sizesScenario, transactionalScenario, replicasScenario],
  open: (base, stack) => {
    const sink = buildSink()
    if (!sink.ok) return { skipped: sink.reason }
    // nats-server is started from here and inherits the core.
    bind(process.pid, SINK_CPU)
    return { ...base, sinkPath: sink.path, certificates: stack.use(makeCertificates()) }
  },
  head: () => [
    'Chunks wait in JetStream; the dispatcher, a process of its own, sends them to a test sink and stores the results in JetStream.',
    `Dispatchers have one core, nats-server, sink and harness the other${canPin ? '' : ' (NOT PINNED: there is no taskset)'}.`,
    'Loopback: no packet is lost, no path is long, and the sink is not APNs. Against Apple, streams / round-trip time is the limit.',
  ],
})
