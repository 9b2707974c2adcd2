// Small plots as SVG.

const ns = 'http://www.w3.org/2000/svg'

function make(name, attributes = {}, text) {
  const node = document.createElementNS(ns, name)
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  if (text !== undefined) node.textContent = text
  return node
}

function frame(width, height) {
  return make('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img' })
}

/** Days as bars, with the mean of seven days as a line. `format` writes a value. */
export function drawDays(target, days, format) {
  const [width, height, left, bottom] = [1000, 190, 52, 20]
  const svg = frame(width, height)
  const top = Math.max(1, ...days.map(({ value }) => value))
  const x = (index) => left + (index * (width - left)) / Math.max(1, days.length)
  const y = (value) => (height - bottom) * (1 - value / top) + 4
  for (const share of [0.25, 0.5, 0.75, 1]) {
    svg.append(make('line', { x1: left, x2: width, y1: y(top * share), y2: y(top * share), stroke: '#e9ecf3' }))
    svg.append(make('text', { x: left - 8, y: y(top * share) + 4, 'text-anchor': 'end' }, format(top * share)))
  }
  const barWidth = Math.max(1, (width - left) / Math.max(1, days.length) - 0.8)
  let month = ''
  days.forEach(({ date, value }, index) => {
    const bar = make('rect', {
      x: x(index),
      y: y(Math.max(0, value)),
      width: barWidth,
      height: Math.max(0, height - bottom + 4 - y(Math.max(0, value))),
      fill: '#3d6bd8',
      opacity: 0.34,
    })
    bar.append(make('title', {}, `${date}: ${format(value)}`))
    svg.append(bar)
    if (date.slice(0, 7) !== month) {
      month = date.slice(0, 7)
      const name = new Date(`${month}-01T00:00:00Z`).toLocaleDateString('en-GB', { month: 'short', timeZone: 'UTC' })
      if (x(index) < width - 24) svg.append(make('text', { x: x(index), y: height - 2 }, name))
    }
  })
  const mean = days.map((_, index) => {
    const week = days.slice(Math.max(0, index - 6), index + 1)
    return week.reduce((sum, { value }) => sum + value, 0) / week.length
  })
  const points = mean.map((value, index) => `${x(index) + barWidth / 2},${y(value)}`).join(' ')
  svg.append(
    make('polyline', { points, fill: 'none', stroke: '#e07a2f', 'stroke-width': 2.5, 'stroke-linejoin': 'round' }),
  )
  target.replaceChildren(svg)
}

/** The 5 x 5 grid of recency (up) and frequency (right); `nameOf` gives a cell's segment. */
export function drawGrid(target, cells, nameOf, countOf) {
  const [width, height, left, bottom] = [460, 262, 26, 22]
  const svg = frame(width, height)
  const cellWidth = (width - left) / 5
  const cellHeight = (height - bottom) / 5
  const top = Math.max(1, ...cells.map(({ members }) => Number(members)))
  for (let r = 5; r >= 1; r -= 1) {
    for (let f = 1; f <= 5; f += 1) {
      const members = Number(cells.find((cell) => cell.r === r && cell.f === f)?.members ?? 0)
      const [x, y] = [left + (f - 1) * cellWidth, (5 - r) * cellHeight]
      const strength = 0.06 + 0.94 * Math.sqrt(members / top)
      svg.append(
        make('rect', {
          x: x + 1.5,
          y: y + 1.5,
          width: cellWidth - 3,
          height: cellHeight - 3,
          rx: 7,
          fill: '#e07a2f',
          opacity: strength,
        }),
      )
      const ink = strength > 0.55 ? '#fff' : '#16203a'
      svg.append(
        make(
          'text',
          {
            x: x + cellWidth / 2,
            y: y + cellHeight / 2,
            'text-anchor': 'middle',
            style: `fill:${ink};font-size:15px;font-weight:600`,
          },
          countOf(members),
        ),
      )
      svg.append(
        make(
          'text',
          {
            x: x + cellWidth / 2,
            y: y + cellHeight / 2 + 14,
            'text-anchor': 'middle',
            style: `fill:${ink};font-size:9.5px;opacity:.85`,
          },
          nameOf(r, f),
        ),
      )
    }
    svg.append(make('text', { x: 4, y: (5 - r) * cellHeight + cellHeight / 2 + 4 }, `R${r}`))
  }
  for (let f = 1; f <= 5; f += 1)
    svg.append(make('text', { x: left + (f - 0.5) * cellWidth, y: height - 6, 'text-anchor': 'middle' }, `F${f}`))
  target.replaceChildren(svg)
}

/** Two series per second as areas. */
export function drawSeconds(target, series) {
  const [width, height, left, bottom] = [480, 150, 44, 20]
  const svg = frame(width, height)
  const length = Math.max(2, ...series.map(({ values }) => values.length))
  const top = Math.max(1, ...series.flatMap(({ values }) => values))
  const x = (index) => left + (index * (width - left - 6)) / (length - 1)
  const y = (value) => 6 + (height - bottom - 6) * (1 - value / top)
  for (const share of [0, 0.5, 1]) {
    svg.append(make('line', { x1: left, x2: width, y1: y(top * share), y2: y(top * share), stroke: '#e9ecf3' }))
    svg.append(
      make(
        'text',
        { x: left - 6, y: y(top * share) + 4, 'text-anchor': 'end' },
        Math.round(top * share).toLocaleString('en-GB'),
      ),
    )
  }
  series.forEach(({ label, values, color }, order) => {
    const points = Array.from({ length }, (_, index) => `${x(index)},${y(values[index] ?? 0)}`).join(' ')
    svg.append(
      make('polygon', { points: `${x(0)},${y(0)} ${points} ${x(length - 1)},${y(0)}`, fill: color, opacity: 0.14 }),
    )
    svg.append(make('polyline', { points, fill: 'none', stroke: color, 'stroke-width': 2 }))
    svg.append(make('rect', { x: width - 150, y: 4 + order * 15, width: 10, height: 10, rx: 3, fill: color }))
    svg.append(make('text', { x: width - 135, y: 13 + order * 15 }, label))
  })
  svg.append(
    make('text', { x: left, y: height - 4 }, '0 s'),
    make('text', { x: width, y: height - 4, 'text-anchor': 'end' }, `${length - 1} s`),
  )
  target.replaceChildren(svg)
}

/** Rows with p50, p95 and p99 as dots on one scale. */
export function drawLatencies(target, rows) {
  const [width, left, step] = [480, 96, 34]
  const height = rows.length * step + 18
  const svg = frame(width, height)
  const top = Math.max(1, ...rows.map(({ p99 }) => p99 ?? 0)) * 1.08
  const x = (value) => left + ((width - left - 40) * value) / top
  rows.forEach(({ label, p50, p95, p99 }, index) => {
    const y = index * step + 20
    svg.append(make('text', { x: 0, y: y + 4, style: 'fill:#16203a' }, label))
    svg.append(make('line', { x1: left, x2: width - 40, y1: y, y2: y, stroke: '#e9ecf3' }))
    if (p50 === undefined) return
    svg.append(
      make('line', {
        x1: x(p50),
        x2: x(p99),
        y1: y,
        y2: y,
        stroke: '#3d6bd8',
        'stroke-width': 6,
        'stroke-linecap': 'round',
        opacity: 0.3,
      }),
    )
    for (const [value, color] of [
      [p50, '#2f9e77'],
      [p95, '#e8a92b'],
      [p99, '#e07a2f'],
    ])
      svg.append(make('circle', { cx: x(value), cy: y, r: 5, fill: color }))
    svg.append(make('text', { x: x(p50), y: y - 9, 'text-anchor': 'middle' }, Math.round(p50)))
    svg.append(make('text', { x: x(p99) + 9, y: y + 4 }, `${Math.round(p99)} ms`))
  })
  target.replaceChildren(svg)
}
