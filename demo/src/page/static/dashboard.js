// Figures of the brand, out of analytics.
import { count, money } from './api.js'
import { drawDays, drawGrid, drawLatencies, drawSeconds } from './charts.js'

const find = (id) => document.getElementById(id)

// The published complete grid: rows are recency 5 to 1, columns frequency 1 to 5.
const grid = {
  5: ['New', 'Potential', 'Potential', 'Champions', 'Champions'],
  4: ['Promising', 'Potential', 'Potential', 'Loyal', 'Loyal'],
  3: ['Falling asleep', 'Falling asleep', 'Attention', 'Loyal', 'Loyal'],
  2: ['Hibernating', 'Hibernating', 'At risk', 'At risk', 'Cannot lose'],
  1: ['Hibernating', 'Hibernating', 'At risk', 'At risk', 'Cannot lose'],
}

function percent(share) {
  return share === undefined ? '–' : `${(share * 100).toFixed(1)} %`
}

function tile(value, label) {
  const made = document.createElement('div')
  const strong = document.createElement('b')
  strong.textContent = value
  const text = document.createElement('span')
  text.textContent = label
  made.append(strong, text)
  return made
}

function showKpis(kpis) {
  find('kpis').replaceChildren(
    tile(count(kpis.members), 'members'),
    tile(count(kpis.cardsInstalled), 'cards on phones'),
    tile(money(kpis.revenueMinor, kpis.currency, true), 'revenue, net of returns'),
    tile(
      kpis.averageReceiptMinor === undefined ? '–' : money(kpis.averageReceiptMinor, kpis.currency),
      'average receipt',
    ),
    tile(percent(kpis.repeatRate), 'buy again'),
    tile(count(kpis.pointsOutstanding), 'points outstanding'),
  )
}

function showSegments(segments) {
  const most = Math.max(1, ...segments.map(({ members }) => Number(members ?? 0)))
  const rows = segments.flatMap(({ segment, members, churning }) => {
    const name = document.createElement('span')
    name.textContent = segment.replaceAll('_', ' ')
    const bar = document.createElement('i')
    bar.style.width = `${(100 * Number(members ?? 0)) / most}%`
    const silent = document.createElement('u')
    silent.style.width = `${(100 * Number(churning ?? 0)) / Math.max(1, Number(members ?? 0))}%`
    bar.append(silent)
    bar.title = `${count(churning)} of ${count(members)} go silent`
    const number = document.createElement('span')
    number.className = 'n'
    number.textContent = count(members)
    return [name, bar, number]
  })
  const list = document.createElement('div')
  list.className = 'bars'
  list.append(...rows)
  find('segments').replaceChildren(list)
}

function showFacts(report, story) {
  const share =
    Number(report.accepted ?? 0) === 0 ? undefined : Number(report.fetchedWithin60s ?? 0) / Number(report.accepted)
  const facts = [
    ['accepted', count(report.accepted)],
    ['failed', count(report.failed)],
    ['fetched in 60 s', percent(share)],
    ['losses', story.losses === undefined ? '–' : count(story.losses)],
  ]
  find('campaign-facts').replaceChildren(
    ...facts.map(([term, value]) => {
      const pair = document.createElement('div')
      const name = document.createElement('dt')
      name.textContent = term
      const text = document.createElement('dd')
      text.textContent = value
      pair.append(name, text)
      return pair
    }),
  )
}

async function showCampaign(api, story) {
  const { campaigns = [] } = await api.read('campaigns', 'campaigns?pageSize=1')
  const [campaign] = campaigns
  if (campaign === undefined) return
  find('campaign-name').textContent = `${campaign.name}, ${campaign.status}`
  const report = await api.read('analytics', `campaigns/${campaign.campaignId}/report`)
  drawSeconds(find('campaign'), [
    { label: 'accepted by APNs per s', values: (report.acceptedPerSecond ?? []).map(Number), color: '#3d6bd8' },
    { label: 'fetched by phones per s', values: (report.fetchedPerSecond ?? []).map(Number), color: '#2f9e77' },
  ])
  showFacts(report, campaign.campaignId === story.campaignId ? story : {})
}

/** Draws everything; gives the segments for the composer. */
export async function showBoard(api, session, story) {
  const [kpis, { segments = [], cells = [] }, { days = [] }] = await Promise.all([
    api.read('analytics', 'kpis'),
    api.read('analytics', 'segments'),
    api.read('analytics', 'series/daily?days=400'),
  ])
  showKpis(kpis)
  drawDays(
    find('revenue'),
    days.map(({ date, revenueMinor }) => ({ date, value: Number(revenueMinor ?? 0) })),
    (value) => money(value, session.currency, true),
  )
  drawGrid(find('grid'), cells, (r, f) => grid[r][f - 1], count)
  showSegments(segments)
  drawLatencies(find('latency'), story.latencies)
  await showCampaign(api, story)
  return segments.map(({ segment }) => segment)
}
