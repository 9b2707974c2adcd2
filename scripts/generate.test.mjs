import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findUndeclaredRpcs } from './generate.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'stampede-proto-'))
after(() => rmSync(folder, { recursive: true }))

const permission = 'option (stampede.options.v1.permission) = "stray.things.read";'
const http = 'option (google.api.http) = {get: "/v1/things"};'

function compile(...options) {
  for (const part of ['google', 'stampede/options']) {
    cpSync(join(root, 'proto', part), join(folder, part), { recursive: true })
  }
  mkdirSync(join(folder, 'stampede/stray/v1'), { recursive: true })
  writeFileSync(
    join(folder, 'stampede/stray/v1/stray.proto'),
    `syntax = "proto3";
package stampede.stray.v1;
import "google/api/annotations.proto";
import "stampede/options/v1/options.proto";
service StrayService { rpc GetThing(GetThingRequest) returns (GetThingResponse) { ${options.join('\n')} } }
message GetThingRequest {}
message GetThingResponse {}
`,
  )
  const buf = join(root, 'node_modules/@bufbuild/buf/bin/buf')
  execFileSync(process.execPath, [buf, 'build', '--as-file-descriptor-set', '-o', 'set.binpb'], { cwd: folder })
  return findUndeclaredRpcs(readFileSync(join(folder, 'set.binpb')))
}

test('an RPC with a permission and an HTTP mapping builds', () => {
  assert.deepEqual(compile(permission, http), [])
})

test('an RPC without a permission does not build', () => {
  assert.deepEqual(compile(http), [
    'stampede.stray.v1.StrayService/GetThing: no permission (stampede.options.v1.permission)',
  ])
})

test('an RPC without an HTTP mapping does not build', () => {
  assert.deepEqual(compile(permission), ['stampede.stray.v1.StrayService/GetThing: no HTTP mapping (google.api.http)'])
})
