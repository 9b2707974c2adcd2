import type { BenchContext, Report, Scenario } from '@stampede/h2push/bench'
import { digits, markdownTable, short } from '@stampede/h2push/bench'
import {
  connectNats,
  createClient,
  createLogger,
  ensureStreams,
  freePort,
  readPlatformConfig,
} from '@stampede/platform'
import { platformEnv, startNode, testKeys, testNats } from '@stampede/platform/testing'
import { LedgerServiceService } from '@stampede/proto/ledger/v1'
import { closedLoop, type LoadResult } from './load.ts'
import { BRANDS, benchBrand, brandName, newReceipts, startRig } from './rig.ts'

const CALLERS = 256
/** HTTP/2 connections of the callers. */
const CONNECTIONS = 4
/** Receipts of one batch call, and calls under way. */
const [BATCH, BATCH_CALLERS] = [250, 8]
const seconds = { full: 10, quick: 5 }
const script = new URL('../../../scripts/service.ts', import.meta.url)

/** The service as a process of its own, with TLS, access, relay and JetStream. */
export const grpcScenario: Scenario = {
  name: 'grpc',
  async run(context: BenchContext): Promise<Report> {
    await using rig = await startRig()
    await using server = await testNats()
    const logger = createLogger('bench', 'silent')
    await using nats = await connectNats({ url: server.url, name: 'bench', logger })
    await ensureStreams(nats)
    const bucket = await nats.kv('brands')
    for (let index = 0; index < BRANDS; index++) {
      await bucket.put(brandName(index), JSON.stringify(benchBrand(brandName(index))))
    }
    const keys = testKeys()
    const grpcPort = await freePort()
    const extra = { STAMPEDE_LEDGER_GRPC_PORT: String(grpcPort), STAMPEDE_LOG_LEVEL: 'error' }
    const env = platformEnv({ postgres: rig, nats: server, keys, extra })
    const readyLine = (line: string) => (/^stampede: ledger .* ready$/.test(line) ? true : undefined)
    await using _service = await startNode({ script, args: ['ledger'], env, readyLine })
    const settings = { address: `127.0.0.1:${grpcPort}`, apiKey: keys.rootKey, platform: readPlatformConfig(env) }
    await using stack = new AsyncDisposableStack()
    const clients = Array.from({ length: CONNECTIONS }, () => stack.use(createClient(LedgerServiceService, settings)))
    const span = context.isQuick ? seconds.quick : seconds.full
    context.progress('  one receipt per call')
    const receipt = newReceipts('grpc', BRANDS)
    const single = await closedLoop({
      callers: CALLERS,
      warmupSeconds: 2,
      seconds: span,
      call: async (index) => void (await clients[index % CONNECTIONS]?.postReceipt(receipt(index))),
    })
    context.progress('  batches')
    const batch = newReceipts('batch', 1)
    const batches = await closedLoop({
      callers: BATCH_CALLERS,
      warmupSeconds: 2,
      seconds: span,
      call: async (index) => {
        const items = Array.from({ length: BATCH }, (_, offset) => ({
          item: { $case: 'sale' as const, value: batch(index * BATCH + offset) },
        }))
        await clients[index % CONNECTIONS]?.postReceiptBatch({ brand: brandName(0), items })
      },
    })
    return report(single, { ...batches, perSecond: batches.perSecond * BATCH })
  },
}

function report(single: LoadResult, batches: LoadResult): Report {
  const row = (name: string, result: LoadResult) => [
    name,
    short(result.perSecond),
    digits(result.p50Ms),
    digits(result.p99Ms),
  ]
  const rows = [
    row(`one per call, ${CALLERS} callers`, single),
    row(`${BATCH} per call, ${BATCH_CALLERS} callers`, batches),
  ]
  return {
    title: 'Through gRPC, end to end',
    text: `${markdownTable(['call', 'receipts/s', 'p50 ms', 'p99 ms'], rows)}\n\nThe service is a process of its own; its events are relayed to JetStream meanwhile. The callers share the cores.`,
    goals: [],
    data: { single, batches },
  }
}
