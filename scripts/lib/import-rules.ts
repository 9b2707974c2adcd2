import { posix } from 'node:path'

/** A source file, its path relative to the root of the repository with forward slashes. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** A rule that a file breaks. */
export interface Violation {
  readonly rule: string
  readonly path: string
  /** What breaks it: a specifier, a count of lines. */
  readonly what: string
}

/** Lines of one file at most. */
export const linesMax = 500

/** Lists what breaks the rules of the map: who may import whom, how long a file may be, who reads the environment. */
export function findViolations(files: readonly SourceFile[]): readonly Violation[] {
  const workspaces = new Set(files.map(({ path }) => workspaceOf(path)))
  const byName = new Map([...workspaces].map((workspace) => [posix.basename(workspace), workspace]))
  return files.flatMap((file) => [
    ...importViolations(file, byName),
    ...sizeViolations(file),
    ...environmentViolations(file),
  ])
}

interface Import {
  /** Path of the importing file. */
  readonly from: string
  readonly specifier: string
  /** Workspace that the specifier leads to; undefined when it is none of ours. */
  readonly target: string | undefined
}

/** Rules about one import; each answers what is wrong, or undefined. */
const importRules: readonly ((one: Import) => string | undefined)[] = [
  noUpwardImport,
  noServiceToService,
  noDeepImport,
  noImpureDomain,
  noKernelWithKnowledge,
]

function importViolations({ path, text }: SourceFile, byName: ReadonlyMap<string, string>): readonly Violation[] {
  return specifiersOf(text).flatMap((specifier) => {
    const one = { from: path, specifier, target: targetOf(path, specifier, byName) }
    return importRules.flatMap((judge) => {
      const rule = judge(one)
      return rule === undefined ? [] : [{ rule, path, what: specifier }]
    })
  })
}

/** `from '…'`, `import '…'`, `import('…')`: static, for side effects, dynamic, of types. Comments do not count. */
function specifiersOf(text: string): readonly string[] {
  const code = text.replaceAll(/^\s*(\/\/|\*|\/\*\*).*$/gm, '')
  const found = code.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])([^'"\n]+)\1/g)
  return [...found].map(([, , specifier = '']) => specifier)
}

/** Folder of a workspace: `services/ledger`, `proto`, `demo`; scripts count as one. */
function workspaceOf(path: string): string {
  const [top = '', second = ''] = path.split('/')
  return ['packages', 'services', 'loadtests'].includes(top) ? `${top}/${second}` : top
}

function targetOf(from: string, specifier: string, byName: ReadonlyMap<string, string>): string | undefined {
  if (specifier.startsWith('.')) return workspaceOf(posix.join(posix.dirname(from), specifier))
  const name = /^@stampede\/([^/]+)/.exec(specifier)?.[1]
  return name === undefined ? undefined : byName.get(name)
}

function noUpwardImport({ from, target }: Import): string | undefined {
  const isUpward = from.startsWith('packages/') && /^(services\/|loadtests\/|operator$|demo$)/.test(target ?? '')
  return isUpward ? 'packages import no service, no operator, no demo and no load test' : undefined
}

function noServiceToService({ from, target }: Import): string | undefined {
  const isPeer = /^(services\/|operator$)/.test(target ?? '')
  const isOther = from.startsWith('services/') && isPeer && target !== workspaceOf(from)
  return isOther ? 'services do not import each other' : undefined
}

/** The one module of scripts/ that test kits share: where the programs of `npm run tools` are. */
const toolsFinder = 'scripts/tools/find.ts'

function noDeepImport({ from, specifier, target }: Import): string | undefined {
  if (specifier.startsWith('.') && posix.join(posix.dirname(from), specifier) === toolsFinder) return undefined
  const isDeep = specifier.startsWith('.')
    ? target !== workspaceOf(from)
    : /^@stampede\/[^/]+\/(src|gen)(\/|$)/.test(specifier)
  return isDeep ? 'another workspace is imported by its exports' : undefined
}

/** Modules that compute and reach nothing outside. */
const pureModules: ReadonlySet<string> = new Set([
  'assert',
  'assert/strict',
  'buffer',
  'crypto',
  'path/posix',
  'test',
  'util',
  'zlib',
])
const outwardPackage = /^(pg|chdb|pino|prom-client|@nats-io\/.*|@clickhouse\/.*|@grpc\/.*|@opentelemetry\/.*)$/

function noImpureDomain({ from, specifier }: Import): string | undefined {
  const domain = /^(services\/[^/]+|operator)\/src\/domain\//.exec(from)?.[0]
  if (domain === undefined || from.endsWith('.test.ts')) return undefined
  const rule = 'domain/ is pure: no store, no rpc, no http, no jobs, no input or output'
  if (specifier.startsWith('node:')) return pureModules.has(specifier.slice('node:'.length)) ? undefined : rule
  if (!specifier.startsWith('.')) return outwardPackage.test(specifier) ? rule : undefined
  const target = posix.join(posix.dirname(from), specifier).slice(domain.length - 'domain/'.length)
  return /^(store|rpc|http|jobs)(\/|\.ts$)/.test(target) ? rule : undefined
}

function noKernelWithKnowledge({ from, specifier }: Import): string | undefined {
  const isKernel = from.startsWith('operator/src/kernel/') && !from.endsWith('.test.ts')
  if (!isKernel || !specifier.startsWith('.') || /^\.\/[^/]+$/.test(specifier)) return undefined
  return "the operator's kernel knows nothing of what it is used for"
}

function sizeViolations({ path, text }: SourceFile): readonly Violation[] {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  return lines > linesMax ? [{ rule: `a file has at most ${linesMax} lines`, path, what: `${lines} lines` }] : []
}

/** Whoever is configured by flags and the shell, the platform's configuration, and tests. */
const environmentReaders: readonly RegExp[] = [
  /^(scripts|demo|loadtests|charts)\//,
  /^packages\/platform\/src\/(platform-)?config\.ts$/,
  // Its runServices is the main of every process: it hands the environment to the services.
  /^packages\/platform\/src\/service\.ts$/,
  /^packages\/platform\/src\/embedded\//,
  /^(services\/[^/]+|operator)\/src\/config\.ts$/,
  /\/testing\//,
  /\.test\.ts$/,
]

function environmentViolations({ path, text }: SourceFile): readonly Violation[] {
  if (!/\bprocess\s*(\?\.|\.)\s*env\b|\bprocess\[['"]env['"]\]|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/.test(text))
    return []
  if (environmentReaders.some((reader) => reader.test(path))) return []
  return [{ rule: 'only config.ts reads the environment', path, what: 'process.env' }]
}
