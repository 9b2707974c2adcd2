import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '@stampede/platform'

const defaults = {
  postgres: 7432,
  nats: 7422,
  page: 7400,
  enrollmentGrpc: 7410,
  enrollmentHttp: 7510,
  ledgerGrpc: 7411,
  ledgerHttp: 7511,
  passRenderGrpc: 7412,
  passRenderHttp: 7512,
  passRenderWeb: 7443,
  geoGrpc: 7413,
  geoHttp: 7513,
  campaignsGrpc: 7414,
  campaignsHttp: 7514,
  dispatcherHttp: 7515,
  analyticsGrpc: 7416,
  analyticsHttp: 7516,
  sandboxControl: 7520,
  apns: 7521,
  google: 7522,
  appStore: 7523,
  operatorHttp: 7524,
} as const

/** TCP ports on 127.0.0.1 of one run. */
export type Ports = Readonly<Record<keyof typeof defaults, number>>

/** How long the processes of a killed run may take to end by themselves. */
const leftoverMs = 15_000
const pollMs = 200

/**
 * Chooses ports: those of the last run of this directory (installed passes name one), else the
 * defaults; a taken one is stepped around.
 */
export async function choosePorts(runFolder: string, say: (line: string) => void): Promise<Ports> {
  const file = join(runFolder, 'ports.json')
  const last = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Ports>) : {}
  const chosen: Partial<Record<keyof Ports, number>> = {}
  const taken = new Set<number>()
  await untilLeftoversEnd(last)
  for (const name of Object.keys(defaults) as (keyof Ports)[]) {
    let port = await freePort(last[name] ?? defaults[name])
    while (taken.has(port)) port = await freePort()
    taken.add(port)
    chosen[name] = port
  }
  const ports = chosen as Ports
  if (last.passRenderWeb !== undefined && last.passRenderWeb !== ports.passRenderWeb) {
    say(`port ${last.passRenderWeb} is taken: the cards on phones name it and get nothing new until it is free again`)
  }
  writeFileSync(file, `${JSON.stringify(ports, null, 2)}\n`)
  return ports
}

/** Waits for the ports of the last run, but for those of the database servers, which are stopped when they are started again. */
async function untilLeftoversEnd({ postgres: _, nats: __, ...services }: Partial<Ports>): Promise<void> {
  const deadline = Date.now() + leftoverMs
  for (const port of Object.values(services)) {
    while (Date.now() < deadline && (await freePort(port)) !== port) await delay(pollMs)
  }
}
