import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOptions, UsageError } from './options.ts'

test('defaults tell the story with 2,000 members', () => {
  const options = parseOptions([])
  assert.ok(options !== 'help')
  assert.deepEqual([options.members, options.demo, options.exit, options.live], [2000, true, false, 200])
})

const wrong: readonly (readonly [readonly string[], RegExp])[] = [
  [['--members', '0'], /--members is a whole number from 1/],
  [['--members', '2e3'], /--members is a whole number/],
  [['--bogus'], /bogus/],
  [['--story', 'romance'], /black-friday or rotation/],
  [['--time-zone', 'Mars/Base'], /IANA zone/],
  [['--currency', 'pounds'], /ISO 4217/],
  [['--layout', 'fixed'], /name it by --receipts/],
  [['--receipts', 'x.csv', '--layout', 'wide'], /csv or fixed/],
]

for (const [args, message] of wrong) {
  test(`${args.join(' ')} is refused in one line`, () => {
    assert.throws(
      () => parseOptions(args),
      (error) => error instanceof UsageError && message.test(error.message),
    )
  })
}
