import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { drawChart } from './svg.ts'

const line = (points: readonly (readonly [number, number])[]) => [{ name: 'a', color: '#000', points }]

function ticksOf(svg: string): readonly string[] {
  return [...svg.matchAll(/text-anchor="end">([^<]*)</g)].map(([, text = '']) => text)
}

describe('a plot', () => {
  it('has round steps that hold the highest value', () => {
    const svg = drawChart({
      title: 'rate',
      unit: '/s',
      series: line([
        [0, 3],
        [10, 42],
      ]),
    })
    assert.deepEqual(ticksOf(svg), ['0', '10', '20', '30', '40', '50 /s'])
    assert.match(svg, /points="64\.0,[\d.]+ 844\.0,[\d.]+"/)
  })

  it('may have powers of ten', () => {
    const svg = drawChart({
      title: 'latency',
      unit: 'ms',
      isLog: true,
      series: line([
        [0, 8],
        [1, 900],
      ]),
    })
    assert.deepEqual(ticksOf(svg), ['1', '10', '100', '1,000 ms'])
  })

  it('draws nothing that is no number, whatever there is', () => {
    for (const points of [[], [[0, 0]], [[5, 1e12]]] as const)
      assert.doesNotMatch(drawChart({ title: '<x>', unit: '', series: line(points) }), /NaN|Infinity|<x>/)
  })
})
