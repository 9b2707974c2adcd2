// RFM segments: their names and colours, the grid and the bars.
import { count } from './api.js'
import { frame, make } from './svg.js'

const [best, growing, slipping, leaving, asleep] = ['#0f7b6c', '#2f62d0', '#d99a1c', '#cc4b24', '#64708c']

/** What the page calls each segment, and its colour. */
export const segmentsByKey = {
  champions: { name: 'Champions', color: best },
  loyal: { name: 'Loyal', color: best },
  potential_loyalist: { name: 'Potential', color: growing },
  new: { name: 'New', color: growing },
  promising: { name: 'Promising', color: growing },
  need_attention: { name: 'Attention', color: slipping },
  about_to_sleep: { name: 'About to sleep', color: slipping },
  at_risk: { name: 'At risk', color: leaving },
  cannot_lose: { name: 'Cannot lose', color: leaving },
  hibernating: { name: 'Hibernating', color: asleep },
  prospects: { name: 'Prospects', color: asleep },
}

// The published complete grid: rows are recency 5 to 1, columns frequency 1 to 5.
const gone = ['hibernating', 'hibernating', 'at_risk', 'at_risk', 'cannot_lose']
const grid = {
  5: ['new', 'potential_loyalist', 'potential_loyalist', 'champions', 'champions'],
  4: ['promising', 'potential_loyalist', 'potential_loyalist', 'loyal', 'loyal'],
  3: ['about_to_sleep', 'about_to_sleep', 'need_attention', 'loyal', 'loyal'],
  2: gone,
  1: gone,
}
const scores = [1, 2, 3, 4, 5]

/** The 5 x 5 grid of recency (up) and frequency (right); `mark` is the cell of the member that is shown. */
export function drawGrid(target, cells, mark) {
  const [width, height, left, bottom] = [460, 268, 24, 20]
  const size = { width: (width - left) / 5, height: (height - bottom) / 5 }
  const most = Math.max(1, ...cells.map(({ members }) => Number(members)))
  const svg = frame(width, height, 'Members by recency, up, and frequency, to the right')
  for (const r of scores) {
    const y = (5 - r) * size.height
    svg.append(make('text', { x: 2, y: y + size.height / 2 + 4 }, `R${r}`))
    for (const f of scores) {
      const members = Number(cells.find((cell) => cell.r === r && cell.f === f)?.members ?? 0)
      const isMarked = mark?.r === r && mark?.f === f
      const segment = segmentsByKey[grid[r][f - 1]]
      svg.append(cellOf({ x: left + (f - 1) * size.width, y, ...size }, segment, members, most, isMarked))
    }
  }
  for (const f of scores)
    svg.append(make('text', { x: left + (f - 0.5) * size.width, y: height - 4, 'text-anchor': 'middle' }, `F${f}`))
  target.replaceChildren(svg)
}

function cellOf({ x, y, width, height }, { name, color }, members, most, isMarked) {
  const [fill, ink] = tint(color, members === 0 ? 0.07 : 0.16 + 0.84 * Math.sqrt(members / most))
  const box = { x: x + 1.5, y: y + 1.5, width: width - 3, height: height - 3, rx: 7, fill }
  const middle = { x: x + width / 2, 'text-anchor': 'middle' }
  return make(
    'g',
    {},
    make('rect', { ...box, ...(isMarked && { stroke: '#14213d', 'stroke-width': 3 }) }),
    make('text', { ...middle, y: y + height / 2 + 1, class: 'members', style: `fill:${ink}` }, count(members)),
    make('text', { ...middle, y: y + height / 2 + 15, class: 'cell', style: `fill:${ink}` }, name),
  )
}

const dark = '#101a33'

/** A colour thinned with white, and the ink that reads better on it. */
function tint(color, share) {
  const mixed = [1, 3, 5].map((at) => 255 + (Number.parseInt(color.slice(at, at + 2), 16) - 255) * share)
  const luminance = (channels) => {
    const [r, g, b] = channels.map((c) => (c / 255 <= 0.04045 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const ground = luminance(mixed)
  const isLight = (ground + 0.05) / (luminance([16, 26, 51]) + 0.05) > 1.05 / (ground + 0.05)
  return [`rgb(${mixed.map(Math.round).join(' ')})`, isLight ? dark : '#fff']
}

/** Segments as bars, largest first, with the part that goes silent. */
export function drawSegments(target, segments) {
  const most = Math.max(1, ...segments.map(({ members }) => Number(members ?? 0)))
  const list = document.createElement('ul')
  list.className = 'bars'
  for (const { segment, members = 0, churning = 0 } of segments) {
    const { name, color } = segmentsByKey[segment] ?? { name: segment, color: asleep }
    const row = document.createElement('li')
    const track = document.createElement('span')
    const bar = document.createElement('i')
    track.className = 'track'
    bar.style.cssText = `width:${(100 * Number(members)) / most}%;background-color:${color}`
    const silent = document.createElement('u')
    silent.style.width = `${(100 * Number(churning)) / Math.max(1, Number(members))}%`
    bar.append(silent)
    track.append(bar)
    row.title = `${count(churning)} of ${count(members)} go silent`
    row.append(name, track, Object.assign(document.createElement('b'), { textContent: count(members) }))
    list.append(row)
  }
  target.replaceChildren(list)
}
