import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { goldenText } from './golden.ts'
import { chartDir, findHelm, installations, render, root, runHelm, valuesFiles } from './testing/helm.ts'

const helm = findHelm()

describe('the chart through helm', { skip: helm === undefined }, () => {
  const program = helm ?? ''

  test('helm lints it, with each values file', () => {
    for (const files of [[], ...valuesFiles().map((file) => ['--values', join(chartDir, file)])]) {
      const { exitCode, output } = runHelm(program, ['lint', '--strict', chartDir, ...files])
      assert.equal(exitCode, 0, output)
    }
  })

  test('every values file is part of an installation that is tested', () => {
    assert.deepEqual([...new Set(Object.values(installations).flat())].sort(), valuesFiles())
  })

  for (const [name, files] of Object.entries(installations)) {
    test(`${name} renders as it is kept; npm run write -w charts writes it anew`, () => {
      const kept = readFileSync(join(root, 'charts', 'golden', `${name}.yaml`), 'utf8')
      assert.equal(goldenText(render(program, files)), kept)
    })
  }

  test('the notes say where phones come to', () => {
    const args = [
      'install',
      'stampede',
      chartDir,
      '--dry-run=client',
      '--set',
      'passRender.webUrl=https://p.example.com',
    ]
    const { exitCode, output } = runHelm(program, args)
    assert.equal(exitCode, 0, output)
    assert.match(output, /Phones come to https:\/\/p\.example\.com/)
  })
})
