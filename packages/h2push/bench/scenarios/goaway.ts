import { type Client, place, runClient } from '../run.ts'
import { startSink } from '../sink/sink.ts'
import { markdownTable } from '../table.ts'
import type { Context, Goal, Report, Scenario } from './context.ts'
import { limitGoal } from './goals.ts'

/** No divisor of the window: in lock-step a GOAWAY would fall between two windows, where nothing is in flight. */
const EVERY = 1_777
const CONNECTIONS = 4
const STREAMS = 500
const PUSHES = 20_000
const OUR_PUSHES = 200_000

interface Shape {
  readonly close: 'orderly' | 'abrupt'
  readonly latencyMs: number
}

/** How a client came through: what it said, and what the sink saw. */
interface Passage extends Shape {
  readonly client: string
  readonly pushes: number
  readonly ok: number
  readonly failed: number
  readonly hung: number
  readonly goaways: number
  /** Tokens that the sink never processed; undefined for a client that sends all to one token. */
  readonly lost: number | undefined
  /** Processed, though not reported as accepted: a caller who repeats them pushes twice. */
  readonly failedThoughProcessed: number | undefined
  readonly processedTwice: number | undefined
  readonly repeatedUnknown: number | undefined
}

/** Connections that end by GOAWAY again and again, later streams dropped. */
export const goaway: Scenario = {
  name: 'goaway',
  run: async (context) => {
    const passages: Passage[] = []
    for (const close of ['orderly', 'abrupt'] as const)
      for (const latencyMs of [0, 20])
        for (const client of peersOf(context)) {
          context.progress(`  ${close}, ${latencyMs} ms: ${client.name}`)
          passages.push(await pass(context, client, { close, latencyMs }))
        }
    return report(passages, context)
  },
}

function peersOf({ clients }: Context): readonly Client[] {
  const { ours, h2load, nodeHttp2, nodeApn, apns2, goApns2, pushy } = clients
  return [ours, h2load, nodeHttp2, nodeApn, apns2, goApns2, pushy].filter((client) => client !== undefined)
}

async function pass(context: Context, client: Client, shape: Shape): Promise<Passage> {
  const { sinkPath, certificates, clients, isQuick } = context
  await using sink = await startSink({
    path: sinkPath,
    certificates,
    verify: true,
    latencyMs: shape.latencyMs,
    goaway: { every: EVERY, drop: true, close: shape.close },
  })
  const pushes = client === clients.ours && !isQuick ? OUR_PUSHES : PUSHES
  const setting = { sink, certificates, connections: CONNECTIONS, streams: STREAMS }
  const { ok, failed, hung, repeatedUnknown } = await runClient(client, {
    ...place(setting),
    warmup: CONNECTIONS,
    pushes,
  })
  const { goaways, distinct = 0, processedTwice } = await sink.stats()
  const seen = { client: client.name, ...shape, pushes, ok, failed, hung, goaways, repeatedUnknown }
  if (client === clients.h2load)
    return { ...seen, lost: undefined, failedThoughProcessed: undefined, processedTwice: undefined }
  const processed = distinct - CONNECTIONS
  return { ...seen, lost: pushes - processed, failedThoughProcessed: processed - ok, processedTwice }
}

function report(passages: readonly Passage[], context: Context): Report {
  const head = [
    'client',
    'close',
    'latency',
    'pushes',
    'GOAWAYs',
    'reported ok',
    'failed',
    'hung',
    'never processed',
    'failed but processed',
    'processed twice',
    'unknown, repeated',
  ]
  const cells = passages.map((passage) => [
    passage.client,
    passage.close,
    `${passage.latencyMs} ms`,
    ...[
      passage.pushes,
      passage.goaways,
      passage.ok,
      passage.failed,
      passage.hung,
      passage.lost,
      passage.failedThoughProcessed,
      passage.processedTwice,
      passage.repeatedUnknown,
    ].map((count) => count?.toLocaleString('en') ?? ''),
  ])
  const notes = [
    `${CONNECTIONS} connections, ${STREAMS} in flight on each (npm apns2: its pool re-tuned to that), a GOAWAY after every ${EVERY.toLocaleString('en')} requests of a connection, later streams dropped.`,
    'Abrupt: TCP reset right behind the GOAWAY; what was in flight has an unknown outcome. Ours repeats it and counts it apart; at most that many can be processed twice.',
  ]
  return {
    title: 'GOAWAY',
    text: `${markdownTable(head, cells)}\n\n${notes.join('\n')}`,
    goals: passages.filter(({ client }) => client === context.clients.ours.name).flatMap(goalsOf),
    data: passages,
  }
}

function goalsOf(passage: Passage): readonly Goal[] {
  const { close, latencyMs, pushes, ok, goaways, lost = 0, processedTwice = 0, repeatedUnknown = 0 } = passage
  const name = `GOAWAY, ${close} close, ${latencyMs} ms`
  // An orderly close leaves no doubt; a reset leaves what was in flight on its connection.
  const unknownMax = close === 'orderly' ? 0 : goaways * STREAMS
  return [
    limitGoal(`${name}: lost or not reported`, Math.max(lost, pushes - ok), 'at most', 0, ''),
    limitGoal(`${name}: unknown, repeated`, repeatedUnknown, 'at most', unknownMax, ''),
    limitGoal(`${name}: processed twice`, processedTwice, 'at most', repeatedUnknown, ''),
  ]
}
