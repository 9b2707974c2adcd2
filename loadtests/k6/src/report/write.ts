import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chartsOf } from './charts.ts'
import type { Facts } from './facts.ts'
import { drawChart, escapeMarkup } from './svg.ts'
import { type Part, partsOf } from './tables.ts'

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:2rem auto;padding:0 1rem;color:#1c2733}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;font-size:13px}
td,th{padding:2px 12px 2px 0;text-align:left;border-bottom:1px solid #e3e8ec}td{font-variant-numeric:tabular-nums}
svg{width:100%;font:11px system-ui,sans-serif;fill:#5a6b7a}polyline{stroke-width:1.5}.grid{stroke:#e3e8ec}
.key{display:inline-block;margin-right:1rem;font-size:13px}.key i{display:inline-block;width:14px;height:3px;margin-right:5px;vertical-align:middle}
.bad{color:#b3261e;font-weight:600}`

/** Writes report.html and report.md into a folder and gives their paths. */
export function writeReport(facts: Facts, folder: string): { readonly html: string; readonly markdown: string } {
  mkdirSync(folder, { recursive: true })
  const files = { html: join(folder, 'report.html'), markdown: join(folder, 'report.md') }
  writeFileSync(files.html, htmlOf(facts))
  writeFileSync(files.markdown, markdownOf(facts))
  return files
}

function titleOf({ options }: Facts): string {
  return `Load: ${options.scenario} at scale ${options.scale}`
}

function htmlOf(facts: Facts): string {
  const [verdict, ...rest] = partsOf(facts)
  const charts = chartsOf(facts).map((chart) => {
    const keys = chart.series.map(
      ({ name, color }) => `<span class="key"><i style="background:${color}"></i>${escapeMarkup(name)}</span>`,
    )
    return `<h2>${escapeMarkup(chart.title)}</h2>${drawChart(chart)}<p>${keys.join('')}</p>`
  })
  const title = escapeMarkup(titleOf(facts))
  const body = [verdict === undefined ? '' : htmlPart(verdict), ...charts, ...rest.map(htmlPart)].join('\n')
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title><style>${style}</style></head><body><h1>${title}</h1>\n${body}\n</body></html>\n`
}

function htmlPart(part: Part): string {
  const isBad = (text: string): boolean => /^(BROKEN|WRONG|CROSSED)/.test(text)
  const mark = (text: string): string =>
    isBad(text) ? `<span class="bad">${escapeMarkup(text)}</span>` : escapeMarkup(text)
  const heading = `<h2>${escapeMarkup(part.title)}</h2>`
  if ('lines' in part) return `${heading}<ul>${part.lines.map((line) => `<li>${mark(line)}</li>`).join('')}</ul>`
  const rows = part.rows.map((row, at) => {
    const cell = at === 0 ? 'th' : 'td'
    return `<tr>${row.map((text) => `<${cell}>${mark(text)}</${cell}>`).join('')}</tr>`
  })
  return `${heading}<table>${rows.join('')}</table>`
}

function markdownOf(facts: Facts): string {
  return `# ${titleOf(facts)}\n\n${partsOf(facts).map(markdownPart).join('\n')}`
}

function markdownPart(part: Part): string {
  const heading = `## ${part.title}\n\n`
  const text = (value: string): string =>
    value
      .replaceAll('|', '\\|')
      .replace(/<(?=[a-z/!])/gi, '\\<')
      .replaceAll('\n', ' ')
  if ('lines' in part) return `${heading}${part.lines.map((line) => `- ${text(line)}\n`).join('')}`
  const [head = [], ...rows] = part.rows
  const line = (cells: readonly string[]): string => `| ${cells.map(text).join(' | ')} |\n`
  return `${heading}${line(head)}${line(head.map(() => '---'))}${rows.map(line).join('')}`
}
