// Plots over time.
import { frame, make, ticksTo } from './svg.js'

const line = '#e6e9f1'

/** Days as bars, with the mean of seven days as a line. `format` writes a value. */
export function drawDays(target, days, format) {
  const [width, height, left, bottom] = [1000, 172, 46, 20]
  const ticks = ticksTo(Math.max(0, ...days.map(({ value }) => value)), 4)
  const top = ticks.at(-1)
  const step = (width - left) / Math.max(1, days.length)
  const x = (index) => left + index * step
  const y = (value) => 6 + (height - bottom - 6) * (1 - Math.max(0, value) / top)
  const means = days.map((_, index) => {
    const week = days.slice(Math.max(0, index - 6), index + 1)
    return week.reduce((sum, { value }) => sum + value, 0) / week.length
  })
  const last = days.at(-1)
  const svg = frame(
    width,
    height,
    last ? `Revenue per day until ${last.date}; lately ${format(means.at(-1))} a day` : 'No revenue yet',
  )
  for (const value of ticks) {
    svg.append(make('line', { x1: left, x2: width, y1: y(value), y2: y(value), stroke: line }))
    svg.append(make('text', { x: left - 8, y: y(value) + 4, 'text-anchor': 'end' }, format(value)))
  }
  days.forEach(({ date, value }, index) => {
    const bar = { x: x(index) + step * 0.12, y: y(value), width: step * 0.76, height: y(0) - y(value), rx: step * 0.3 }
    svg.append(make('rect', { ...bar, fill: '#a9bdf0' }, make('title', {}, `${date}: ${format(value)}`)))
  })
  for (const [index, name] of monthsOf(days)) svg.append(make('text', { x: x(index), y: height - 3 }, name))
  const points = means.map((value, index) => `${x(index) + step / 2},${y(value)}`).join(' ')
  svg.append(make('polyline', { points, class: 'mean' }))
  target.replaceChildren(svg)
  // A narrow screen shows a part: the newest days.
  target.scrollLeft = target.scrollWidth
}

function monthsOf(days) {
  const starts = days.flatMap(({ date }, index) => (date.endsWith('-01') ? [[index, date]] : []))
  const wide = starts.filter(([index]) => index < days.length - 12)
  return wide.map(([index, date]) => [index, new Date(date).toLocaleDateString('en-GB', { month: 'short' })])
}

/** How many were reached since the first second, a line for each series of counts per second. */
export function drawReach(target, series) {
  const [width, height, left, bottom] = [480, 150, 42, 20]
  const sums = series.map(({ values }) => runningSums(values))
  const seconds = Math.max(1, ...sums.map((list) => list.length - 1))
  const ticks = ticksTo(Math.max(0, ...sums.map((list) => list.at(-1))), 3)
  const x = (second) => left + (second * (width - left - 8)) / seconds
  const y = (value) => 8 + (height - bottom - 8) * (1 - value / ticks.at(-1))
  const ends = series.map(({ label }, order) => `${label}: ${sums[order].at(-1)}`).join(', ')
  const svg = frame(width, height, `${ends}, after ${seconds} s`)
  for (const value of ticks) {
    svg.append(make('line', { x1: left, x2: width - 8, y1: y(value), y2: y(value), stroke: line }))
    svg.append(make('text', { x: left - 8, y: y(value) + 4, 'text-anchor': 'end' }, value.toLocaleString('en-GB')))
  }
  series.forEach(({ color }, order) => {
    const list = sums[order]
    const all = Array.from({ length: seconds + 1 }, (_, second) => list[second] ?? list.at(-1))
    const points = all.map((value, second) => `${x(second)},${y(value)}`).join(' ')
    svg.append(
      make('polygon', { points: `${x(0)},${y(0)} ${points} ${x(seconds)},${y(0)}`, fill: color, opacity: 0.12 }),
    )
    svg.append(
      make('polyline', { points, fill: 'none', stroke: color, 'stroke-width': 2.5, 'stroke-linejoin': 'round' }),
    )
  })
  svg.append(make('text', { x: left, y: height - 3 }, 'first push'))
  svg.append(make('text', { x: width - 8, y: height - 3, 'text-anchor': 'end' }, `${seconds} s later`))
  target.replaceChildren(svg)
}

function runningSums(values) {
  let sum = 0
  return [
    0,
    ...values.map((value) => {
      sum += value
      return sum
    }),
  ]
}

/** Rows with p50, p95 and p99 as dots on one scale of milliseconds. */
export function drawLatencies(target, rows) {
  const [width, left, right, step] = [480, 92, 14, 58]
  const height = rows.length * step + 26
  const ticks = ticksTo(Math.max(0, ...rows.map(({ p99 }) => p99 ?? 0)), 4)
  const x = (value) => left + ((width - left - right) * value) / ticks.at(-1)
  const said = rows.map(({ label, p50, p99 }) => `${label}: p50 ${Math.round(p50)} ms, p99 ${Math.round(p99)} ms`)
  const svg = frame(width, height, said.join('; '))
  for (const value of ticks) {
    svg.append(make('line', { x1: x(value), x2: x(value), y1: 4, y2: height - 20, stroke: line }))
    svg.append(make('text', { x: x(value), y: height - 4, 'text-anchor': 'middle' }, `${value}`))
  }
  rows.forEach(({ label, ...values }, index) => {
    const y = index * step + 36
    svg.append(make('text', { x: 0, y: y + 4, class: 'strong' }, label))
    if (values.p50 === undefined) return
    svg.append(make('line', { x1: x(values.p50), x2: x(values.p99), y1: y, y2: y, class: 'span' }))
    for (const name of ['p99', 'p95', 'p50'])
      svg.append(make('circle', { cx: x(values[name]), cy: y, r: 5.5, class: name }))
    svg.append(...valuesAbove(values, x, y - 11))
  })
  target.replaceChildren(svg)
}

const between = 30

/** Texts over the dots; the middle one only where it has room. */
function valuesAbove({ p50, p95, p99 }, x, y) {
  const shown = [p50]
  if (x(p99) - x(p50) > between) shown.push(p99)
  if (x(p95) - x(p50) > between && x(p99) - x(p95) > between) shown.push(p95)
  return shown.map((value) => make('text', { x: x(value), y, 'text-anchor': 'middle' }, `${Math.round(value)}`))
}
