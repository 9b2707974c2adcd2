/** Lines and tables of the story on the terminal. */
export interface Teller {
  /** A heading of the story. */
  chapter(title: string): void
  line(text: string): void
  /** A table with aligned columns; the first row is the head. */
  table(rows: readonly (readonly string[])[]): void
  /** A progress line, rewritten in place on a terminal and printed now and then elsewhere. */
  progress(label: string, done: number, total: number, extra?: string): void
  /** Ends the progress line. */
  progressEnd(): void
}

const barWidth = 28
const plainEveryMs = 5_000

/** Tells to a stream. */
export function createTeller(output: NodeJS.WriteStream): Teller {
  let chapters = 0
  let plainAt = 0
  let open = false
  const closeProgress = (): void => {
    if (open) output.write('\n')
    open = false
  }
  const write = (text: string): void => {
    closeProgress()
    output.write(`${text}\n`)
  }
  return {
    chapter: (title) => {
      chapters += 1
      write(`\n${chapters}. ${title}`)
    },
    line: (text) => write(`   ${text}`),
    table: (rows) => {
      for (const row of alignColumns(rows)) write(`   ${row}`)
    },
    progress: (label, done, total, extra = '') => {
      const share = total === 0 ? 1 : Math.min(1, done / total)
      const bar = '█'.repeat(Math.round(share * barWidth)).padEnd(barWidth, '░')
      const text = `   ${label} ${bar} ${count(done)}/${count(total)} ${extra}`
      if (output.isTTY) {
        output.write(`\r\x1b[K${text.slice(0, output.columns - 1)}`)
        open = true
        return
      }
      if (Date.now() - plainAt < plainEveryMs) return
      plainAt = Date.now()
      output.write(`${text}\n`)
    },
    progressEnd: () => {
      closeProgress()
      plainAt = 0
    },
  }
}

function alignColumns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows.reduce<readonly number[]>(
    (known, row) => row.map((cell, column) => Math.max(known[column] ?? 0, cell.length)),
    [],
  )
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('   '),
  )
  const rule = '─'.repeat(widths.reduce((sum, width) => sum + width + 3, -3))
  return [lines[0] ?? '', rule, ...lines.slice(1)]
}

/** 12345 as `12,345`. */
export function count(value: number | bigint): string {
  return value.toLocaleString('en-GB')
}

/** Minor units as money, such as `£12.30`. */
export function money(minor: bigint, currency: string): string {
  const format = new Intl.NumberFormat('en-GB', { style: 'currency', currency })
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2
  const scale = 10n ** BigInt(digits)
  const whole = minor / scale
  const fraction = (minor < 0n ? -minor : minor) % scale
  // Intl formats the whole part exactly from a bigint; the fraction is put in as text.
  const sample = format.formatToParts(whole)
  const text = sample
    .map((part) => (part.type === 'fraction' ? fraction.toString().padStart(digits, '0') : part.value))
    .join('')
  return minor < 0n && whole === 0n ? `-${text}` : text
}

/** The value below which `share` of the sorted values lie (nearest rank); undefined without values. */
export function percentile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]
}
