import { runBench } from './command.ts'
import { FOREIGN_SHARE_MAX, STEAL_SHARE_MAX } from './machine.ts'
import { preparePeers } from './peers/catalog.ts'
import { canPin } from './pinned.ts'
import type { Context } from './scenarios/context.ts'
import { faultScenario } from './scenarios/faults.ts'
import { goaway } from './scenarios/goaway.ts'
import { memory } from './scenarios/memory.ts'
import { coalesced, latency, low, oneRecord, ours } from './scenarios/throughput.ts'
import { buildSink } from './sink/build.ts'
import { makeCertificates } from './sink/certificates.ts'
import { percent } from './table.ts'

process.exitCode = await runBench<Context>({
  part: 'packages/h2push',
  title: 'h2push against its peers',
  quick: '3 short runs of each instead of 5',
  scenarios: [coalesced, oneRecord, latency, low, ours, memory, goaway, faultScenario],
  open: (base, stack) => {
    const sink = buildSink()
    if (!sink.ok) return { skipped: sink.reason }
    base.progress('preparing the peers')
    return { ...base, ...preparePeers(), sinkPath: sink.path, certificates: stack.use(makeCertificates()) }
  },
  head: ({ versions, skipped }) => [
    `Versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    'Loopback: no packet is lost, no path is long, and the peer is a test sink, not APNs, whose speed, record shape and limits are its own.',
    'Ratios between clients hold where the client is the limit; against Apple, streams / round-trip time is.',
    `Client on one core, sink on another${canPin ? '' : ' (NOT PINNED: there is no taskset)'}; medians; runs with more than ${percent(FOREIGN_SHARE_MAX)} foreign CPU time or ${percent(STEAL_SHARE_MAX)} steal are dropped where 3 clean ones remain.`,
    'All send POST /3/device/<64 hex> with topic, push type and priority, and the body {}; node-apn sends no body for that and gets {"v":1}, npm apns2 sends its own {"aps":{}}.',
    'CPU and time are taken after a warm-up; h2load, which needs none, is measured from its start.',
    ...skipped.map((line) => `\nSKIPPED ${line}`),
  ],
})
