import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

/** Rules that must have a test; what is not built of them is listed at the end of the document. */
const RULES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16].map((number) => `c${number}`)
const MODELS = Array.from({ length: 19 }, (_, index) => `c21.${index + 1}`)

const heading = /^## (c[\d.]+) /
const line = /^- .+ — `([^`]+)`: (.+)$/

interface Listed {
  readonly rule: string
  readonly file: string
  readonly title: string
}

/** What docs/ledger-rules.md lists below its rules; a line that cannot be read is an error. */
function listed(): readonly Listed[] {
  const text = readFileSync(new URL('../../../docs/ledger-rules.md', import.meta.url), 'utf8')
  return text
    .split(/^(?=## )/m)
    .filter((section) => heading.test(section))
    .flatMap((section) => {
      const [, rule = ''] = heading.exec(section) ?? []
      const lines = section.split('\n').filter((one) => one.startsWith('- '))
      return lines.map((one) => {
        const [, file = '', title = ''] = line.exec(one) ?? assert.fail(`no line of a rule: ${one}`)
        return { rule, file, title }
      })
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
  const missing = listed().filter(({ file, title }) => !hasTitle(file, title))
  assert.deepEqual(missing, [])
})

test('no rule that is built is left out of the list', () => {
  const rules = new Set(listed().map(({ rule }) => rule))
  assert.deepEqual(
    [...RULES, ...MODELS].filter((rule) => !rules.has(rule)),
    [],
  )
})
