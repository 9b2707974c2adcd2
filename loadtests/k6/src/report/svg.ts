/** A line of a plot. */
export interface Series {
  readonly name: string
  readonly color: string
  /** Seconds and values, in the order of time. */
  readonly points: readonly (readonly [x: number, y: number])[]
}

/** A plot over time. */
export interface Chart {
  readonly title: string
  readonly unit: string
  readonly series: readonly Series[]
  /** Whether the values are drawn on a logarithmic scale. */
  readonly isLog?: boolean
}

const width = 860
const height = 240
const margin = { left: 64, right: 16, top: 12, bottom: 28 } as const
const gridLines = 5

/** Text that may stand in HTML and SVG. */
export function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** Draws a plot as one SVG element that needs nothing from outside. */
export function drawChart({ title, unit, series, isLog = false }: Chart): string {
  const points = series.flatMap((line) => line.points)
  const lastX = Math.max(1, ...points.map(([x]) => x))
  const values = points.map(([, y]) => y)
  const scale = isLog ? logScale(values) : linearScale(values)
  const x = (second: number): number =>
    margin.left + (Math.max(0, second) / lastX) * (width - margin.left - margin.right)
  const y = (value: number): number =>
    height - margin.bottom - scale.place(value) * (height - margin.top - margin.bottom)
  const grid = scale.ticks.map(
    (tick) =>
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${fixed(y(tick))}" y2="${fixed(y(tick))}" class="grid"/>` +
      `<text x="${margin.left - 6}" y="${fixed(y(tick) + 4)}" text-anchor="end">${short(tick)}${tick === scale.ticks.at(-1) ? ` ${unit}` : ''}</text>`,
  )
  const times = Array.from({ length: gridLines + 1 }, (_, at) => (lastX * at) / gridLines).map(
    (second) => `<text x="${fixed(x(second))}" y="${height - 8}" text-anchor="middle">${Math.round(second)} s</text>`,
  )
  const lines = series.map(
    (line) =>
      `<polyline fill="none" stroke="${line.color}" points="${line.points.map(([px, py]) => `${fixed(x(px))},${fixed(y(py))}`).join(' ')}"/>`,
  )
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeMarkup(title)}">${[...grid, ...times, ...lines].join('')}</svg>`
}

interface Scale {
  readonly ticks: readonly number[]
  /** 0 at the bottom, 1 at the top. */
  readonly place: (value: number) => number
}

function linearScale(values: readonly number[]): Scale {
  const step = roundStep(maxOf(values) / gridLines)
  const top = Math.max(step, Math.ceil(maxOf(values) / step) * step)
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, at) => at * step)
  return { ticks, place: (value) => value / top }
}

function logScale(values: readonly number[]): Scale {
  const low = Math.floor(Math.log10(Math.max(1, minOf(values))))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(2, maxOf(values)))))
  const ticks = Array.from({ length: high - low + 1 }, (_, at) => 10 ** (low + at))
  return { ticks, place: (value) => Math.max(0, (Math.log10(Math.max(value, 1e-9)) - low) / (high - low)) }
}

/** 1, 2 or 5 times a power of ten, not below the value. */
function roundStep(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const [step = 10] = [1, 2, 5].filter((candidate) => candidate * power >= value)
  return step * power
}

// Not by spreading: there may be more values than a call may have arguments.
function maxOf(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0)
}

function minOf(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
}

function fixed(value: number): string {
  return value.toFixed(1)
}

function short(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 2 })
}
