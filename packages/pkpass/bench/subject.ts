// The process that is measured: does one kind of work so many times and prints a SubjectResult. Run by run.ts.
import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { buildPass, buildPassChunks, createSigner } from '../src/index.ts'
import type { PassCredentials } from '../src/testing/index.ts'
import type { SubjectJob, SubjectResult } from './run.ts'
import { identity, images, makeCredentials, memberPass, prepared } from './sample.ts'

/** Passes that are on their way at once, as with a server's bounded queue. */
const IN_FLIGHT = 32
/** How often memory is looked at, in passes. */
const RSS_EVERY = 500
const MICROS_PER_SECOND = 1e6
const BYTES_PER_MB = 1e6
/** What a signature covers: the attributes of a manifest. */
const ATTRIBUTE_BYTES = 107

/** Does one unit; resolves with the bytes made. */
type Work = (index: number) => Promise<number>

async function prepare(kind: SubjectJob['kind'], now: Date): Promise<Work> {
  const credentials = await makeCredentials(now)
  const signer = await createSigner({ ...credentials, ...identity }, now)
  switch (kind) {
    case 'chunks':
      return async (index) => bytesOf(await buildPassChunks({ pass: memberPass(index), assets: prepared }, signer, now))
    case 'whole':
      return async (index) => (await buildPass({ pass: memberPass(index), assets: prepared }, signer, now)).length
    case 'signature':
      return async (index) => (await signer.sign(Buffer.alloc(500, index), now)).length
    case 'rsa': {
      const signBytes = promisify<string, Uint8Array, KeyObject, Buffer>(sign)
      const [key, bytes] = [createPrivateKey(credentials.keyPem), Buffer.alloc(ATTRIBUTE_BYTES, 1)]
      return async () => (await signBytes('sha256', bytes, key)).length
    }
    case 'passkit':
      return await preparePasskit(credentials)
  }
}

function bytesOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0)
}

/** Loaded only where it is measured: its modules would weigh on our memory. */
async function preparePasskit({ certPem, wwdrPem, keyPem }: PassCredentials): Promise<Work> {
  const { PKPass } = await import('passkit-generator')
  const certificates = { signerCert: certPem, wwdr: wwdrPem, signerKey: keyPem }
  return async (index) => {
    const pass = Buffer.from(JSON.stringify(memberPass(index)))
    return new PKPass({ ...images, 'pass.json': pass }, certificates).getAsBuffer().length
  }
}

/** Runs `work` for the indices from `first` on; returns the bytes of the last unit. */
async function repeat(work: Work, first: number, count: number, done: (index: number) => void): Promise<number> {
  let next = first
  let bytes = 0
  const worker = async (): Promise<void> => {
    while (next < first + count) {
      const index = next++
      bytes = await work(index)
      done(index - first + 1)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  return bytes
}

async function main(job: SubjectJob): Promise<SubjectResult> {
  const work = await prepare(job.kind, new Date())
  await repeat(work, 0, job.warmup, () => undefined)
  const rssMb: number[] = []
  let highestRss = 0
  const before = process.cpuUsage()
  const startedAtMs = performance.now()
  const bytes = await repeat(work, job.warmup, job.count, (done) => {
    if (job.window === undefined || done % RSS_EVERY !== 0) return
    highestRss = Math.max(highestRss, process.memoryUsage.rss())
    if (done % job.window !== 0) return
    rssMb.push(highestRss / BYTES_PER_MB)
    highestRss = 0
  })
  const seconds = (performance.now() - startedAtMs) / 1_000
  const cpu = process.cpuUsage(before)
  const cpuSeconds = (cpu.user + cpu.system) / MICROS_PER_SECOND
  return { count: job.count, seconds, cpuSeconds, bytes, rssMb: [...rssMb, process.memoryUsage.rss() / BYTES_PER_MB] }
}

console.log(JSON.stringify(await main(JSON.parse(process.argv[2] ?? '') as SubjectJob)))
