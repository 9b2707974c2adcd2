import {
  bind,
  CLIENT_CPU,
  type Goal,
  limitGoal,
  makeCertificates,
  markdownTable,
  SINK_CPU,
} from '@stampede/h2push/bench'
import { images, runSubject } from '@stampede/pkpass/bench'
import { startNode } from '@stampede/platform/testing'
import { Template } from '@stampede/proto/passes/v1'
import type { CampaignBenchContext, CampaignReport } from './campaign.ts'
import { buildPhones, type PhonesResult, runPhones } from './phones.ts'
import { Rig } from './rig.ts'

/** Enough that no phone comes twice within the minute that a signed pass is kept. */
const PASSES = 60_000
const SECONDS = 8
const CONNECTIONS = 64
/** A phone's own connection is open for some milliseconds only. */
const VISITORS = 32
const OVERLOAD = 3
const OVERLOAD_SECONDS = 15
/** Signed passes that the peer measures. */
const SIGNED = 12_000

const text = (key: string, label: string, value: string, kind = 'text') => ({
  key,
  label,
  value,
  changeMessage: '',
  kind,
})
const template = Template.fromPartial({
  backgroundColor: 0x14213d,
  foregroundColor: 0xffffff,
  labelColor: 0xf2c14e,
  logoText: 'Bench',
  headerFields: [text('points', 'POINTS', '{points}', 'number')],
  secondaryFields: [text('worth', 'WORTH', '{points_money}'), text('expires', 'EXPIRES', '{next_expiry_date}')],
  backFields: [text('number', 'Card', '{card_number}')],
  images,
  barcodeFormats: ['code128', 'qr'],
})

/** What phones cost: warm lists, 304 and fresh passes, visits on connections of their own, and three times too many. */
export const webScenario = {
  name: 'web',
  async run({ progress }: CampaignBenchContext): Promise<CampaignReport> {
    const phones = buildPhones()
    if (!phones.ok) throw new Error(phones.reason)
    using certificates = makeCertificates()
    const signing = await runSubject(String(CLIENT_CPU), { kind: 'chunks', warmup: 1_000, count: SIGNED })
    await using rig = await Rig.start({ certificates, template, passes: PASSES })
    let first = 0
    const come = async (mode: 'list' | 'same' | 'pass' | 'visit', more: object = {}): Promise<PhonesResult> => {
      progress(mode)
      const { phonesFile, webPort: port } = rig
      const base = { port, phonesFile, mode, connections: CONNECTIONS, seconds: SECONDS, first }
      const result = await runPhones(phones.path, { ...base, ...more })
      first = result.next
      return result
    }
    const list = await come('list', { first: 0 })
    const same = await come('same', { first: 0 })
    const fresh = await come('pass')
    const visit = await come('visit', { connections: VISITORS })
    const published = await rig.metric('capacity_passes_per_second')
    const rssBefore = await rig.metric('process_resident_memory_bytes')
    const rate = OVERLOAD * perSecond(visit)
    const overload = await come('visit', { rate, connections: 2_000, seconds: OVERLOAD_SECONDS })
    const rssAfter = await rig.metric('process_resident_memory_bytes')
    const plain = await plainVisits(certificates.server, rig.phonesFile, phones.path, progress)
    const signedPerSecond = signing.count / signing.cpuSeconds
    const rows = [
      ['list, warm', perSecond(list), list.p99Ms],
      ['304, warm', perSecond(same), same.p99Ms],
      ['fresh pass, warm', perSecond(fresh), fresh.p99Ms],
      ['visit: handshake, list, pass', perSecond(visit), visit.p99Ms],
      ['visit of a node:https server that does nothing', perSecond(plain), plain.p99Ms],
      ['three times too many visits: answered', perSecond(overload), overload.p99Ms],
    ] as const
    const table = markdownTable(
      ['what', 'per second', 'p99 ms'],
      rows.map(([what, rate, p99Ms]) => [what, rate.toFixed(0), p99Ms.toFixed(0)]),
    )
    const shed = `Of the overload ${overload.turnedAway} were turned away, ${overload.broken} cut off, ${overload.impatient} gave up, ${overload.unstarted} found no connection; ${overload.retryAfter} answers with Retry-After.`
    const words = `signing alone: ${signedPerSecond.toFixed(0)} per CPU second; published capacity: ${published}; memory ${mb(rssBefore)} -> ${mb(rssAfter)} MB. ${shed}`
    const goals: Goal[] = [
      limitGoal('list per second', perSecond(list), 'at least', 15_000, ''),
      limitGoal('304 per second', perSecond(same), 'at least', 15_000, ''),
      limitGoal('fresh passes against signing alone', perSecond(fresh) / signedPerSecond, 'at least', 0.8, ''),
      limitGoal('published capacity against visits', published / perSecond(visit), 'at least', 0.85, ''),
      limitGoal('published capacity against visits, above', published / perSecond(visit), 'at most', 1.15, ''),
      limitGoal('answered under overload against visits', perSecond(overload) / perSecond(visit), 'at least', 0.8, ''),
      limitGoal('memory after the overload against before', rssAfter / rssBefore, 'at most', 1.2, ''),
    ]
    const data = { list, same, fresh, visit, plain, overload, published, signedPerSecond, rssBefore, rssAfter }
    return { title: 'Phones, the service on one core', text: `${table}\n\n${words}`, goals, data }
  },
}

function perSecond({ visits, seconds }: PhonesResult): number {
  return visits / seconds
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}

async function plainVisits(
  { cert, key }: { readonly cert: string; readonly key: string },
  phonesFile: string,
  path: string,
  progress: (line: string) => void,
): Promise<PhonesResult> {
  progress('visits of a server that does nothing')
  bind(process.pid, CLIENT_CPU)
  const starting = startNode({
    script: new URL('./plain-server.ts', import.meta.url),
    args: [cert, key, '65000'],
    env: {},
    readyLine: (line) => {
      const port = /^port (\d+)$/.exec(line)?.[1]
      return port === undefined ? undefined : Number(port)
    },
  })
  bind(process.pid, SINK_CPU)
  await using server = await starting
  const run = { port: server.ready, phonesFile, mode: 'visit', connections: VISITORS, seconds: SECONDS } as const
  return await runPhones(path, run)
}
