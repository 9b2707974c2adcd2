import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { until } from '@stampede/platform/testing'
import { readRules } from './alerts.ts'
import { boards } from './dashboards/index.ts'
import { seriesOf } from './queries/catalogue.ts'
import { findProgram } from './testing/promtool.ts'
import { startWatchedPlatform, type WatchedPlatform } from './testing/watched-platform.ts'

const prometheus = findProgram('prometheus')
/** The operator needs an API server: its figures are not those of a single machine. */
const watchable = boards.filter(({ uid }) => uid !== 'operator')

describe('a platform that runs, watched by Prometheus', { skip: prometheus === undefined }, () => {
  let watched: WatchedPlatform

  before(async () => {
    assert.ok(prometheus)
    watched = await startWatchedPlatform(prometheus)
  })
  after(() => watched?.[Symbol.asyncDispose]())

  test('prints exactly the metrics that queries are checked against', async () => {
    for (const service of watched.services) {
      const text = await watched.metricsOf(service)
      const printed = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', type]) =>
        type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
      )
      assert.deepEqual(printed.sort(), [...seriesOf(service).keys()].sort(), service)
    }
  })

  test('fills every panel that is not for trouble', async () => {
    for (const { uid, rows } of watchable)
      for (const { title, queries, emptyWhenWell = false } of rows.flatMap(({ panels }) => panels)) {
        const texts = Object.values(queries).map((expr) =>
          expr.replaceAll('$__rate_interval', '5m').replaceAll('$brand', 'demo'),
        )
        const isFilled = async () => {
          const answers = await Promise.all(texts.map((text) => watched.ask(text)))
          return emptyWhenWell || answers.some((series) => series.length > 0)
        }
        // The last purchases may not have been scraped yet.
        await until(`${uid}: ${title} shows something`, isFilled)
      }
  })

  test('raises no alarm', async () => {
    await until(
      'the rules are evaluated',
      async () => (await watched.ask('stampede:call_errors:ratio_rate5m or up')).length > 0,
    )
    for (const { alert, expr, file } of readRules())
      if (alert !== undefined && file !== 'operator.yaml') assert.deepEqual(await watched.ask(expr), [], alert)
  })
})
