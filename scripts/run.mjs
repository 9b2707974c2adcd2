// Entry of every npm command. Runs on the Node that the box has (20 or later, no packages needed),
// installs what is missing, and hands over to the pinned Node.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const installStamp = join(root, 'node_modules', '.stampede-installed')
const protoStamp = join(root, 'proto', 'gen', '.stamp')

const commands = {
  start: ['demo/src/main.ts'],
  test: ['scripts/test.ts'],
  check: ['scripts/check.ts'],
  verify: ['loadtests/verify/src/main.ts'],
  load: ['scripts/load.ts'],
  service: ['scripts/service.ts'],
  migrate: ['scripts/migrate.ts'],
  bench: ['scripts/bench.ts'],
  drill: ['scripts/drill.ts'],
  tools: ['scripts/tools/build.ts'],
  'dead-letters': ['scripts/dead-letters.ts'],
  generate: ['scripts/generate.mjs'],
}

function digest(files) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(join(root, file))).update('\0')
  return hash.digest('hex')
}

function isStampedWith(stamp, value) {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === value
}

function run(command, args, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', env })
    const forward = (signal) => child.kill(signal)
    // A terminal sends Ctrl-C to the whole group, so the child has it already: only wait for it.
    const wait = () => undefined
    process.on('SIGINT', wait).on('SIGTERM', forward).on('SIGHUP', forward)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      process.off('SIGINT', wait).off('SIGTERM', forward).off('SIGHUP', forward)
      resolve(code ?? 128 + (constants.signals[signal] ?? 0))
    })
  })
}

async function install() {
  const wanted = digest(['package-lock.json', '.npmrc'])
  if (isStampedWith(installStamp, wanted)) return
  console.log('stampede: installing packages (the first time takes about a minute)')
  const startedAt = Date.now()
  const ticker = setInterval(() => {
    console.log(`stampede: still installing, ${Math.round((Date.now() - startedAt) / 1000)} s`)
  }, 10_000)
  // Not `npm ci`: it refuses a lock file without the optional packages of every other platform, and a
  // mirror may not carry those. The versions are those of the lock file all the same.
  const code = await run('npm', ['install', '--no-save', '--include=dev', '--loglevel=error', '--no-progress'])
  clearInterval(ticker)
  if (code !== 0) throw new Error(`npm install ended with code ${code}; its own lines above say why`)
  writeFileSync(installStamp, wanted)
  console.log(`stampede: packages installed in ${Math.round((Date.now() - startedAt) / 1000)} s`)
}

/** The pinned Node (an npm package per platform), or the box's own when that is as new. */
function findNode() {
  const require = createRequire(join(root, 'package.json'))
  const arm = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node'
  try {
    return join(dirname(require.resolve(`${arm}-${process.platform}-${process.arch}/package.json`)), 'bin', 'node')
  } catch {
    if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
    throw new Error(`no pinned Node for ${process.platform}-${process.arch}: install Node 24 and run this again`)
  }
}

async function generate(node, env) {
  const protos = readdirSync(join(root, 'proto'), { recursive: true })
    .map((file) => join('proto', file))
    .filter((file) => /\.(proto|yaml)$/.test(file) && !file.includes('gen/'))
    .sort()
  const wanted = digest([...protos, 'scripts/generate.mjs', 'package-lock.json'])
  if (isStampedWith(protoStamp, wanted)) return
  const code = await run(node, ['scripts/generate.mjs'], env)
  if (code !== 0) throw new Error('the protocol did not generate; the lines above say why')
  writeFileSync(protoStamp, wanted)
}

async function main() {
  const [name, ...args] = process.argv.slice(2)
  const command = commands[name]
  if (command === undefined) {
    console.error(`stampede: unknown command ${name ?? ''}; one of ${Object.keys(commands).join(', ')}`)
    return 2
  }
  if (Number(process.versions.node.split('.')[0]) < 20) {
    console.error(`stampede: Node ${process.versions.node} is too old to bootstrap; Node 20 or later is needed`)
    return 2
  }
  await install()
  const node = findNode()
  const env = {
    ...process.env,
    PATH: [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
  }
  if (name !== 'generate') await generate(node, env)
  return run(node, [...command, ...args], env)
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error) => {
    console.error(`stampede: ${error.message}`)
    process.exitCode = 1
  },
)
