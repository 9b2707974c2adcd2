import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tempDir } from '@stampede/platform/testing'
import { runningServer } from './running-server.ts'

test('the server of a live run is taken, that of a killed one is not', async () => {
  using folder = tempDir('run')
  const run = join(folder.path, 'run')
  mkdirSync(run)
  const postgresUrl = 'postgres://127.0.0.1:1/x'
  writeFileSync(join(run, 'servers.json'), JSON.stringify({ postgresUrl }))
  assert.equal(runningServer(folder.path), undefined, 'without a pid')
  const args = ['-e', 'process.stdin.resume()', 'demo/src/main.ts']
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit'] })
  try {
    await once(child, 'spawn')
    writeFileSync(join(run, 'pid'), String(child.pid))
    assert.equal(runningServer(folder.path), postgresUrl)
    rmSync(join(run, 'servers.json'))
    assert.throws(() => runningServer(folder.path), /is starting or stopping/)
    writeFileSync(join(run, 'servers.json'), JSON.stringify({ postgresUrl }))
  } finally {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  assert.equal(runningServer(folder.path), undefined, 'after the kill')
})
