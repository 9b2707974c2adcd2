import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseOptions, UsageError } from './options.ts'

describe('the command line', () => {
  it('has defaults for everything but the scenario', () => {
    assert.deepEqual(parseOptions(['soak'], '/here'), {
      scenario: 'soak',
      scale: 0.005,
      durationSeconds: 1_800,
      dataDir: '/here/.stampede',
      against: undefined,
      slack: 1,
      thresholds: {},
      report: undefined,
    })
  })

  it('takes several thresholds, also of one metric', () => {
    const flags = ['call_duration{kind:earn}=p(99)<50', 'call_duration{kind:earn}=p(95)<20.5', 'wrong_answers=count==0']
    const options = parseOptions(['till-day', ...flags.flatMap((flag) => ['--threshold', flag])], '/here')
    assert.ok(options !== 'help')
    assert.deepEqual(options.thresholds, {
      'call_duration{kind:earn}': ['p(99)<50', 'p(95)<20.5'],
      wrong_answers: ['count==0'],
    })
  })

  const wrong: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [[], /"" is no scenario; one of till-day/],
    [['cyber-monday'], /"cyber-monday" is no scenario/],
    [['soak', 'spike'], /one scenario at a time/],
    [['soak', '--scale', '0'], /--scale is a number from 0.00005 to 10, not "0"/],
    [['soak', '--duration', ''], /--duration is a number from 5/],
    [['soak', '--threshold', 'p99<5'], /--threshold is METRIC=EXPRESSION/],
    [['soak', '--fast'], /--fast/],
  ]
  for (const [args, says] of wrong) {
    it(`names what is wrong in "${args.join(' ')}"`, () => {
      assert.throws(
        () => parseOptions(args, '/here'),
        (error) => error instanceof UsageError && says.test(error.message),
      )
    })
  }
})
