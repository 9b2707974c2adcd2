// Peer: h2load (nghttp2), wrapped so that it reports like the others: the time is its own, CPU is the kernel's count of
// the whole process. It sends every push to one token.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClientResult, PUSH_BODY, pushHeaders, readLoad, tokenAt } from './load.ts'

const samplePeriodMs = 20
const load = readLoad()
const folder = mkdtempSync(join(tmpdir(), 'h2push-h2load-'))
const body = join(folder, 'body')
writeFileSync(body, PUSH_BODY)
const headers = Object.entries(pushHeaders).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
const args = ['-n', load.pushes, '-c', load.connections, '-m', load.streams, '-t', 1, '-d', body, ...headers]
const url = `https://localhost:${load.port}/3/device/${tokenAt(0)}`
// `times` of the shell prints the CPU time of what it waited for.
const shell = spawn('sh', ['-c', '"$0" "$@" & wait $!; times', 'h2load', ...args.map(String), url])
let output = ''
let rssMb = 0
shell.stdout.setEncoding('utf8').on('data', (part: string) => {
  output += part
})
const sampler = setInterval(() => {
  rssMb = Math.max(rssMb, childRssMb(shell.pid ?? 0))
}, samplePeriodMs)
shell.once('close', () => {
  clearInterval(sampler)
  rmSync(folder, { recursive: true })
  console.log(JSON.stringify(parse()))
})

/** VmHWM of the first child; 0 while there is none. */
function childRssMb(parent: number): number {
  try {
    const child = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ')[0]
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

function parse(): ClientResult {
  const finished = /finished in ([\d.]+)(us|ms|s)/.exec(output)
  const ok = Number(/(\d+) succeeded/.exec(output)?.[1] ?? 0)
  const children = output.trim().split('\n').at(-1) ?? ''
  const times = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(([, m, s]) => Number(m) * 60 + Number(s))
  if (finished === null || times.length !== 2) throw new Error(`h2load said: ${output}`)
  const unit = { us: 1e6, ms: 1e3, s: 1 }[finished[2] as 'us' | 'ms' | 's']
  const cpuSeconds = times.reduce((sum, seconds) => sum + seconds, 0)
  const counts = { ok, failed: load.pushes - ok, hung: 0 }
  return { pushes: load.pushes, seconds: Number(finished[1]) / unit, cpuSeconds, rssMb, ...counts }
}
