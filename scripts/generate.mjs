// Generates TypeScript and a descriptor set from proto/, and refuses an RPC that declares no
// permission or no HTTP mapping. Runs on the pinned Node; everything goes to proto/gen.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname } from 'node:path'
import { createFileRegistry, fromBinary, getOption } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'

const protoDir = new URL('../proto/', import.meta.url)
const genDir = new URL('gen/', protoDir)

const descriptorModule = `import { readFileSync } from 'node:fs'

/** Serialized google.protobuf.FileDescriptorSet of all files, with comments and options. */
export const descriptorSet: Uint8Array = readFileSync(new URL('./descriptors.binpb', import.meta.url))
`

function buf(...args) {
  const bin = new URL('../node_modules/@bufbuild/buf/bin/buf', import.meta.url).pathname
  const plugins = new URL('../node_modules/.bin', import.meta.url).pathname
  const env = { ...process.env, PATH: [dirname(process.execPath), plugins, process.env.PATH].join(delimiter) }
  const run = spawnSync(process.execPath, [bin, ...args], { cwd: protoDir, encoding: 'utf8', env })
  if (run.status === 0) return
  throw new Error(`buf ${args[0]} failed:\n${run.stdout}${run.stderr}${run.error ?? ''}`)
}

/** Every RPC without a permission or an HTTP mapping, as one line each. */
export function findUndeclaredRpcs(descriptorSetBytes) {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSetBytes))
  const permission = registry.getExtension('stampede.options.v1.permission')
  const http = registry.getExtension('google.api.http')
  const problems = []
  for (const type of registry) {
    if (type.kind !== 'service' || !type.typeName.startsWith('stampede.')) continue
    for (const method of type.methods) {
      const name = `${type.typeName}/${method.name}`
      const declared = getOption(method, permission)
      if (!/^[a-z]+\.[a-z]+\.(read|write)$/.test(declared))
        problems.push(`${name}: no permission (stampede.options.v1.permission)`)
      // JSON over HTTP has no stream of requests.
      const takesStream = method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming'
      if (!takesStream && getOption(method, http).pattern.case === undefined)
        problems.push(`${name}: no HTTP mapping (google.api.http)`)
    }
  }
  return problems
}

function generate() {
  rmSync(genDir, { recursive: true, force: true })
  mkdirSync(genDir, { recursive: true })
  buf('lint')
  buf('generate')
  buf('build', '--as-file-descriptor-set', '-o', 'gen/descriptors.binpb')
  const problems = findUndeclaredRpcs(readFileSync(new URL('descriptors.binpb', genDir)))
  if (problems.length > 0) throw new Error(problems.join('\n'))
  writeFileSync(new URL('descriptors.ts', genDir), descriptorModule)
}

if (import.meta.main) generate()
