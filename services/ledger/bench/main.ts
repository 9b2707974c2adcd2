import { runBench } from '@stampede/h2push/bench'
import { grpcScenario } from './grpc.ts'
import { holdsScenario } from './holds.ts'
import { receiptsScenario } from './receipts.ts'
import { tpcbScenario } from './tpcb.ts'
import { volumeScenario } from './volume.ts'

process.exitCode = await runBench({
  part: 'services/ledger',
  title: 'The ledger',
  quick: 'shorter runs',
  scenarios: [receiptsScenario, holdsScenario, grpcScenario, tpcbScenario, volumeScenario],
  open: (base) => base,
  head: () => [
    'PostgreSQL is embedded, its commits are flushed to disk. Callers, ledger and PostgreSQL share all cores.',
  ],
})
