import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readOwner } from './pid-file.ts'
import { tempDir } from './testing/index.ts'

const program = 'shop/src/main.ts'

test('the owner is the process of the file while it lives, and nobody afterwards', async () => {
  using dir = tempDir('pid')
  const file = join(dir.path, 'pid')
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()', program], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  try {
    await once(child, 'spawn')
    writeFileSync(file, String(child.pid))
    assert.equal(readOwner(file, program), child.pid)
  } finally {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  assert.equal(readOwner(file, program), undefined)
})

test('a number that now belongs to another program is no owner', { skip: !existsSync('/proc/self/cmdline') }, () => {
  using dir = tempDir('pid')
  const file = join(dir.path, 'pid')
  writeFileSync(file, String(process.pid))
  assert.equal(readOwner(file, program), undefined)
})

test('no file, and a file without a number, name nobody', () => {
  using dir = tempDir('pid')
  const file = join(dir.path, 'pid')
  assert.equal(readOwner(file, program), undefined)
  for (const text of ['', '-1', '0', 'x', '1.5']) {
    writeFileSync(file, text)
    assert.equal(readOwner(file, program), undefined, text)
  }
})
