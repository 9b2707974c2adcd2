import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runningServers, serversFile } from './running-servers.ts'
import { tempDir } from './testing/index.ts'

test('the servers of a live run are taken, those of a killed one are not', async () => {
  using folder = tempDir('run')
  const run = join(folder.path, 'run')
  mkdirSync(run)
  const servers = { postgresUrl: 'postgres://127.0.0.1:1/x', natsUrl: 'nats://127.0.0.1:2' }
  writeFileSync(serversFile(folder.path), JSON.stringify(servers))
  assert.equal(runningServers(folder.path), undefined, 'without a pid')
  const args = ['-e', 'process.stdin.resume()', 'demo/src/main.ts']
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit'] })
  try {
    await once(child, 'spawn')
    writeFileSync(join(run, 'pid'), String(child.pid))
    assert.deepEqual(runningServers(folder.path), servers)
    rmSync(serversFile(folder.path))
    assert.throws(() => runningServers(folder.path), /is starting or stopping/)
    writeFileSync(serversFile(folder.path), JSON.stringify(servers))
  } finally {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  assert.equal(runningServers(folder.path), undefined, 'after the kill')
})
