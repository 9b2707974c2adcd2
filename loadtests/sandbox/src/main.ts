import { startSandbox } from './sandbox.ts'

function portOf(name: string): number {
  const text = process.env[name] ?? '0'
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`${name}: not a port: ${text}`)
  return port
}

function rateOf(name: string): number | undefined {
  const text = process.env[name]
  if (text === undefined) return undefined
  const rate = Number(text)
  if (!Number.isInteger(rate) || rate < 1) throw new RangeError(`${name}: not a rate: ${text}`)
  return rate
}

function listOf(name: string): readonly string[] | undefined {
  const text = process.env[name]
  return text === undefined || text === '' ? undefined : text.split(',')
}

const dir = process.env['STAMPEDE_SANDBOX_DIR']
if (!dir) throw new RangeError('STAMPEDE_SANDBOX_DIR: is missing')
const googleRps = rateOf('STAMPEDE_SANDBOX_GOOGLE_PER_SECOND')

const sandbox = await startSandbox({
  dir,
  listenHost: process.env['STAMPEDE_SANDBOX_LISTEN_HOST'] || undefined,
  hosts: listOf('STAMPEDE_SANDBOX_HOSTS'),
  controlPort: portOf('STAMPEDE_SANDBOX_CONTROL_PORT'),
  apnsPort: portOf('STAMPEDE_SANDBOX_APNS_PORT'),
  googlePort: portOf('STAMPEDE_SANDBOX_GOOGLE_PORT'),
  appStorePort: portOf('STAMPEDE_SANDBOX_APPSTORE_PORT'),
  ...(googleRps !== undefined && { faults: { google: { googleRps } } }),
})
const { controlPort, apnsPort, googlePort, appStorePort } = sandbox
console.log(JSON.stringify({ controlPort, apnsPort, googlePort, appStorePort }))

let stopping = false
async function stop(): Promise<void> {
  if (stopping) return
  stopping = true
  await sandbox[Symbol.asyncDispose]()
  // The channel to a parent would keep the process.
  if (process.connected) process.disconnect()
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop())
// A parent that is gone, however it ended, leaves no sandbox behind.
if (process.connected) process.once('disconnect', () => void stop())
