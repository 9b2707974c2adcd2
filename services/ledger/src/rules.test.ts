import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

/** Rules that must have a test; those that are not built are listed beneath the table of the document. */
const RULES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16].map((number) => `c${number}`)
const MODELS = [1, 2, 3, 4, 5, 6, 7, 8, 17, 18, 19].map((number) => `c21.${number}`)

const row = /^\| (c[\d.]+) [^|]+ \| [^|]+ \| `([^`]+)`: (.+) \|$/

/** Rows of docs/ledger-rules.md; one that cannot be read is an error. */
function rows(): readonly { readonly rule: string; readonly file: string; readonly title: string }[] {
  const lines = readFileSync(new URL('../../../docs/ledger-rules.md', import.meta.url), 'utf8').split('\n')
  return lines
    .filter((line) => line.startsWith('| c'))
    .map((line) => {
      const [, rule = '', file = '', title = ''] = row.exec(line) ?? assert.fail(`no row: ${line}`)
      return { rule, file, title }
    })
}

/** Whether a file has a test, a describe or a case of a table by that title. */
function hasTitle(file: string, title: string): boolean {
  const url = new URL(file, import.meta.url)
  if (!existsSync(url)) return false
  const source = readFileSync(url, 'utf8')
  return [`'${title}'`, `\`${title}\``, `\`${title} (`].some((text) => source.includes(text))
}

test('every rule of the list has the test that the list says', () => {
  const missing = rows().filter(({ file, title }) => !hasTitle(file, title))
  assert.deepEqual(missing, [])
})

test('no rule that is built is left out of the list', () => {
  const listed = new Set(rows().map(({ rule }) => rule))
  assert.deepEqual(
    [...RULES, ...MODELS].filter((rule) => !listed.has(rule)),
    [],
  )
})
