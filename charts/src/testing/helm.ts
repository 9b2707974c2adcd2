import { execFileSync, spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findTool } from '../../../scripts/tools/find.ts'
import { type KubeObject, parseObjects } from './objects.ts'

/** Top folder of the repository. */
export const root: string = fileURLToPath(new URL('../../..', import.meta.url))
/** Folder of the chart. */
export const chartDir: string = join(root, 'charts', 'stampede')
/** Release and namespace of all renders. */
export const release = 'stampede'
export const namespace = 'loyalty'

const required = fileURLToPath(new URL('./required.yaml', import.meta.url))
const renderBytesMax = 64 * 1024 * 1024

/** How an installation looks: values files of the chart, one over the other. */
export const installations: Readonly<Record<string, readonly string[]>> = {
  defaults: [],
  small: ['values-small.yaml'],
  large: ['values-large.yaml'],
  'black-friday': ['values-large.yaml', 'values-black-friday.yaml'],
  staging: ['values-small.yaml', 'values-staging.yaml'],
  dev: ['values-dev.yaml'],
}

/** Values files that the chart has. */
export function valuesFiles(): readonly string[] {
  return globSync('values-*.yaml', { cwd: chartDir }).sort()
}

/** helm; undefined, with a line on the console, when it is missing (then a suite skips). Throws in CI. */
export function findHelm(): string | undefined {
  const helm = findTool('helm')
  if (helm !== undefined) return helm
  const line = 'no helm; `npm run tools` builds it where there is Go'
  if (process.env['STAMPEDE_CI'] === '1') throw new Error(line)
  console.log(`LOUD SKIP: ${line}`)
  return undefined
}

/** What a command of helm said. */
export interface HelmResult {
  readonly exitCode: number
  readonly output: string
}

/** Runs helm; never throws. */
export function runHelm(helm: string, args: readonly string[]): HelmResult {
  const { status, stdout, stderr } = spawnSync(helm, args, { encoding: 'utf8', maxBuffer: renderBytesMax })
  return { exitCode: status ?? 1, output: `${stdout}${stderr}` }
}

/** Arguments of `helm template`: an installation and `--set` on top. */
export function templateArgs(files: readonly string[], sets: readonly string[] = []): readonly string[] {
  return [
    'template',
    release,
    chartDir,
    '--namespace',
    namespace,
    ...[required, ...files.map((file) => join(chartDir, file))].flatMap((file) => ['--values', file]),
    ...sets.flatMap((set) => ['--set', set]),
  ]
}

/** Renders an installation; throws with what helm says. */
export function render(helm: string, files: readonly string[], sets: readonly string[] = []): readonly KubeObject[] {
  const text = execFileSync(helm, templateArgs(files, sets), {
    encoding: 'utf8',
    maxBuffer: renderBytesMax,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return parseObjects(text)
}
