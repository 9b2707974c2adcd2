import type { Client } from '../run.ts'
import { short } from '../table.ts'
import type { Context, Goal, Report, Scenario } from './context.ts'
import { limitGoal, ratioGoal } from './goals.ts'
import { measureRows, type Row, type RowResult, rowsTable } from './rows.ts'

const LATENCY_MS = 20

/** Responses share full TLS records: what a busy server does. */
export const coalesced: Scenario = {
  name: 'coalesced',
  run: async (context) => {
    const { clients } = context
    const results = await measureRows(context, { shape: 'coalesced' }, [
      ...bulkRows(context),
      row(clients.oursWithoutTable, 4, 1000),
    ])
    const at = (peer: Client | undefined, atLeast: number): readonly Goal[] =>
      ratioGoal(results, clients.ours, peer, atLeast)
    const goals = [
      ...at(clients.h2load, 2),
      ...at(clients.nodeHttp2, 40),
      ...at(clients.nodeApn, 60),
      ...at(clients.apns2, 120),
      ...at(clients.goApns2, 40),
      ...at(clients.pushy, 8),
      limitGoal('CPU per push', find(results, clients.ours).cpuMicros, 'at most', 1.6, ' us'),
    ]
    return report('Responses coalesced into full TLS records', results, goals)
  },
}

/** Each response has a TLS record of its own: the worst case for a client. */
export const oneRecord: Scenario = {
  name: 'one-record',
  run: async (context) => {
    const { clients } = context
    const results = await measureRows(context, { shape: 'record' }, [
      ...bulkRows(context),
      row(clients.oursInWorkers, 4, 1000),
    ])
    const at = (peer: Client | undefined, atLeast: number): readonly Goal[] =>
      ratioGoal(results, clients.ours, peer, atLeast)
    const goals = [
      ...at(clients.h2load, 0.9),
      ...at(clients.nodeHttp2, 12),
      ...at(clients.nodeApn, 20),
      ...at(clients.pushy, 1.5),
      limitGoal('CPU per push', find(results, clients.ours).cpuMicros, 'at most', 6, ' us'),
    ]
    return report('One TLS record per response', results, goals)
  },
}

/** Answers come after 20 ms, as over a long distance. */
export const latency: Scenario = {
  name: 'latency',
  run: async (context) => {
    const { ours, h2load, nodeHttp2 } = context.clients
    const rows = [ours, h2load, nodeHttp2].flatMap((client) => (client === undefined ? [] : [row(client, 8, 1000)]))
    const results = await measureRows(context, { latencyMs: LATENCY_MS }, rows)
    const possible = (8 * 1000) / (LATENCY_MS / 1000)
    const share = (find(results, ours).pushesPerSecond / possible) * 100
    const goals = [limitGoal(`share of streams / latency (${short(possible)}/s)`, share, 'at least', 80, ' %')]
    return report(`${LATENCY_MS} ms from request to answer`, results, goals)
  },
}

/** Few requests in flight: the cost of a turn, not of a push. */
export const low: Scenario = {
  name: 'low',
  run: async (context) => {
    const { ours, h2load, nodeHttp2 } = context.clients
    const rows = [ours, h2load, nodeHttp2].flatMap((client) =>
      client === undefined ? [] : [row(client, 1, 100), row(client, 1, 1000)],
    )
    const results = await measureRows(context, {}, rows)
    const narrow = results.filter(({ streams }) => streams === 100)
    return report('One connection', results, ratioGoal(narrow, ours, h2load, 1))
  },
}

/** Ours in two further situations: rejected pushes, and a GOAWAY on each connection after every 50,000. */
export const ours: Scenario = {
  name: 'ours',
  run: async (context) => {
    const rows = [row(context.clients.ours, 4, 1000)]
    const undisturbed = await measureRows(context, {}, rows)
    const gone = await measureRows(context, { gonePermille: 10 }, rows)
    const goaway = await measureRows(context, { goaway: { every: 50_000, drop: true, close: 'orderly' } }, rows)
    const named = (results: readonly RowResult[], name: string): readonly RowResult[] =>
      results.map((result) => ({ ...result, client: { ...result.client, name } }))
    const results = [
      ...named(undisturbed, 'undisturbed'),
      ...named(gone, '1 % answered 410 with a body'),
      ...named(goaway, 'GOAWAY every 50,000'),
    ]
    const [plain, , disturbed] = results
    const share = ((disturbed?.pushesPerSecond ?? 0) / (plain?.pushesPerSecond ?? 1)) * 100
    const goals = [limitGoal('throughput with a GOAWAY every 50,000, of undisturbed', share, 'at least', 50, ' %')]
    return report('Ours, disturbed', results, goals)
  },
}

function bulkRows({ clients }: Context): readonly Row[] {
  const { h2load, nodeHttp2, nodeApn, apns2, goApns2, goHttp2, pushy } = clients
  const rows = [clients.ours, h2load, nodeHttp2, nodeApn, goApns2, goHttp2, pushy].flatMap((client) =>
    client === undefined ? [] : [row(client, 4, 1000)],
  )
  // As shipped it opens 32 connections and puts one request on each.
  return apns2 === undefined ? rows : [...rows, row(apns2, 32, 1)]
}

function row(client: Client, connections: number, streams: number): Row {
  return { client, connections, streams }
}

function find(results: readonly RowResult[], client: Client): RowResult {
  const found = results.find((result) => result.client === client)
  if (found === undefined) throw new Error(`${client.name} was not measured`)
  return found
}

function report(title: string, results: readonly RowResult[], goals: readonly Goal[]): Report {
  return { title, text: rowsTable(results), goals, data: results }
}
