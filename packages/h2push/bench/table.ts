/** A table in Markdown, its columns padded so that it reads in a terminal too; the first is left-aligned. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join(' | ')} |`
  const rule = `|${widths.map((width, column) => `-${'-'.repeat(width)}${column === 0 ? '-' : ':'}`).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}

/** 1,234,567 as `1.23 M`, 12,345 as `12.3 k`. */
export function short(value: number): string {
  if (value >= 999_500) return `${(value / 1e6).toFixed(2)} M`
  if (value >= 100_000) return `${(value / 1e3).toFixed(0)} k`
  if (value >= 1_000) return `${(value / 1e3).toFixed(1)} k`
  return String(Math.round(value))
}

/** With three digits or so; whole numbers in full. */
export function digits(value: number): string {
  if (Number.isInteger(value)) return String(value)
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** 0.123 as `12.3 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
