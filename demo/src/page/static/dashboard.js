// Figures of the brand, out of analytics.
import { count, money } from './api.js'
import { drawDays, drawLatencies, drawReach } from './charts.js'
import { drawGrid, drawSegments } from './segments.js'

const find = (id) => document.getElementById(id)
const drawn = new Map()

/** Draws only what changed, so that a pointer or a reader is not disturbed. */
function refresh(id, data, draw) {
  const key = JSON.stringify(data)
  if (drawn.get(id) === key) return
  drawn.set(id, key)
  draw(find(id), data)
}

/** Instead of an empty plot: what it waits for. */
function awaits(text) {
  return (target) => {
    target.replaceChildren(Object.assign(document.createElement('p'), { className: 'empty', textContent: text }))
  }
}

function percent(share) {
  return share === undefined || Number.isNaN(share) ? '–' : `${(share * 100).toFixed(1)} %`
}

/** Pairs of a term and its value as entries of a description list. */
function showPairs(target, pairs) {
  const entries = pairs.map(([term, value]) => {
    const pair = document.createElement('div')
    const name = Object.assign(document.createElement('dt'), { textContent: term })
    pair.append(name, Object.assign(document.createElement('dd'), { textContent: value }))
    return pair
  })
  target.replaceChildren(...entries)
}

function kpiPairs(kpis = {}) {
  const { currency, averageReceiptMinor } = kpis
  const known = (value, format) => (value === undefined ? '–' : format(value))
  return [
    ['members', known(kpis.members, count)],
    ['cards on phones', known(kpis.cardsInstalled, count)],
    ['revenue, net', known(kpis.revenueMinor, (minor) => money(minor, currency, true))],
    ['average receipt', known(averageReceiptMinor, (minor) => money(minor, currency))],
    ['bought again', percent(kpis.repeatRate)],
    ['points outstanding', known(kpis.pointsOutstanding, count)],
  ]
}

function campaignPairs({ accepted, failed, duplicates, fetchedWithin60s }, { pushesPerSecond, losses } = {}) {
  return [
    ['accepted', count(accepted)],
    ['failed', count(failed)],
    ['duplicates', count(duplicates)],
    ['fetched in 60 s', percent(Number(fetchedWithin60s ?? 0) / Number(accepted ?? 0))],
    ['pushes per second', pushesPerSecond === undefined ? '–' : count(Math.round(pushesPerSecond))],
    ['losses', losses === undefined ? '–' : count(losses)],
  ]
}

async function showCampaign(api, story) {
  const { campaigns: [campaign] = [] } = (await tryRead(api, 'campaigns', 'campaigns?pageSize=1')) ?? {}
  const report = campaign && (await tryRead(api, 'analytics', `campaigns/${campaign.campaignId}/report`))
  const { acceptedPerSecond = [], fetchedPerSecond = [] } = report ?? {}
  find('campaign-name').textContent = campaign ? `Campaign “${campaign.name}”` : 'Campaign'
  const series = [
    { label: 'accepted by APNs', values: acceptedPerSecond.map(Number), color: '#3d6bd8' },
    { label: 'fetched by phones', values: fetchedPerSecond.map(Number), color: '#0f9a72' },
  ]
  const isSent = series.some(({ values }) => values.length > 0)
  refresh('campaign', series, isSent ? drawReach : awaits('comes with the first push'))
  const own = campaign?.campaignId === story.campaignId ? story : undefined
  refresh('campaign-facts', campaignPairs(report ?? {}, own), showPairs)
}

function showLatencies({ latencies }) {
  const receipts = latencies[0]?.receipts ?? 0
  refresh('latency', latencies, receipts > 0 ? drawLatencies : awaits('comes with receipts before the phones’ eyes'))
  find('latency-note').textContent =
    receipts === 0 ? '' : `milliseconds; ${count(receipts)} receipts, 15 a second, to sandbox phones`
}

/** undefined while a service cannot answer: it is restarted and asked again. */
function tryRead(api, service, path) {
  return api.read(service, path).catch(() => undefined)
}

/** Draws everything; gives the segments, empty while there is no snapshot. */
export async function showBoard(api, currency, story, mark) {
  const [kpis, snapshot, series] = await Promise.all([
    tryRead(api, 'analytics', 'kpis'),
    tryRead(api, 'analytics', 'segments'),
    tryRead(api, 'analytics', 'series/daily?days=400'),
  ])
  const { segments = [], cells = [] } = snapshot ?? {}
  const days = (series?.days ?? []).map(({ date, revenueMinor }) => ({ date, value: Number(revenueMinor ?? 0) }))
  refresh('kpis', kpiPairs(kpis), showPairs)
  const asMoney = (minor) => money(minor, currency, true)
  const drawRevenue = (target) => drawDays(target, days, asMoney)
  refresh('revenue', days, days.length > 0 ? drawRevenue : awaits('comes with the first receipts'))
  refresh('grid', [cells, mark], (target) => drawGrid(target, cells, mark))
  refresh('segments', segments, segments.length > 0 ? drawSegments : awaits('come with the first scores'))
  showLatencies(story)
  await showCampaign(api, story)
  return segments.map(({ segment }) => segment)
}
