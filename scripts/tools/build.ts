// npm run tools: makes the programs that some suites run and npm cannot bring, each once, into .stampede/tools.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findGo, findTool, isProgram, toolsFolder } from './find.ts'
import { type Recipe, recipes } from './recipes.ts'

const folder = toolsFolder()

function stampOf({ tool }: Recipe): string {
  return join(folder, `${tool}.version`)
}

/** Where a program of the wanted version is: anywhere in PATH, or made by us earlier. */
function present(recipe: Recipe): string | undefined {
  const path = findTool(recipe.tool)
  if (path !== join(folder, recipe.tool)) return path
  const stamp = stampOf(recipe)
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === recipe.version ? path : undefined
}

async function make(recipe: Recipe): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const work = mkdtempSync(join(folder, '.build-'))
  try {
    await recipe.make(work)
    chmodSync(join(work, recipe.tool), 0o755)
    // Renamed into place: whoever runs it at this moment keeps the old file.
    renameSync(join(work, recipe.tool), join(folder, recipe.tool))
    writeFileSync(stampOf(recipe), recipe.version)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Whether the box has what a recipe needs. */
function isPossible({ needs }: Recipe): boolean {
  if (needs === 'Go') return findGo() !== undefined
  return (process.env['PATH'] ?? '').split(':').some((path) => isProgram(join(path, 'apt-get')))
}

async function provide(recipe: Recipe): Promise<boolean> {
  const { tool, version, needs } = recipe
  const path = present(recipe)
  if (path !== undefined) {
    console.log(`ok     ${tool}: ${path}`)
    return true
  }
  if (!isPossible(recipe)) {
    console.log(`absent ${tool}: there is no ${needs} to make it with; put ${tool} into PATH or ${folder}`)
    return false
  }
  const startedAt = performance.now()
  try {
    await make(recipe)
    console.log(`made   ${tool} ${version} (${((performance.now() - startedAt) / 1000).toFixed(0)} s)`)
    return true
  } catch (error) {
    console.log(`FAIL   ${tool}: ${error instanceof Error ? error.message : String(error)}`)
    return false
  }
}

let allThere = true
for (const recipe of recipes) allThere = (await provide(recipe)) && allThere
if (!allThere) console.log('without these programs the suites that need them are skipped, loudly')
process.exitCode = allThere ? 0 : 1
