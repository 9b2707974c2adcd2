import assert from 'node:assert/strict'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { testNats, testPostgres } from '@stampede/platform/testing'
import { makeSecrets } from './secrets.ts'
import { findHelm, installations, render, root } from './testing/helm.ts'
import { buildImage } from './testing/image.ts'
import { readPage, runMigrations, startPod } from './testing/pod.ts'

const helm = findHelm()
/** The one with a native module, and the one with the most of its own; in full all that need no ClickHouse. */
const tried =
  process.env['STAMPEDE_FULL'] === '1'
    ? ['enrollment', 'ledger', 'pass-render', 'geo', 'campaigns', 'push-dispatcher']
    : ['ledger', 'pass-render']

describe('an image runs with what the chart tells it, as a user without rights', { skip: helm === undefined }, () => {
  const objects = helm === undefined ? [] : render(helm, installations['small'] ?? [])

  for (const component of tried) {
    test(component, async () => {
      await using postgres = await testPostgres()
      await using nats = await testNats()
      using image = buildImage(component)
      const engines = { postgres: postgres.url, nats: nats.url, clickhouse: 'http://127.0.0.1:8123' }
      const secrets = makeSecrets({ ...engines, sandboxHosts: ['localhost'] })
      const web = secrets.find(({ metadata }) => metadata.name === 'stampede-web-tls')?.stringData ?? {}
      mkdirSync(join(image.files, 'web'))
      for (const [file, pem] of Object.entries(web)) writeFileSync(join(image.files, 'web', file), pem, { mode: 0o644 })
      const listed = globSync('**', { cwd: image.app }).length
      const pod = { objects, component, image, secrets }

      if (component !== 'push-dispatcher') assert.match(runMigrations(pod), /migrate: schema [a-z_]+ is up to date/)
      await using service = await startPod(pod)
      for (const path of ['/live', '/ready']) assert.equal((await readPage(service.ready, path)).status, 200)
      const own = new RegExp(`^stampede_${component.replaceAll('-', '_')}_`, 'm')
      assert.match((await readPage(service.ready, '/metrics')).body, own)
      assert.equal(await service.end('SIGTERM'), 0)
      assert.equal(globSync('**', { cwd: image.app }).length, listed, 'it wrote into its image')
    })
  }
})

test('the image is built by the commands that the Dockerfile has', () => {
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
  assert.match(dockerfile, /^RUN node scripts\/image\.ts "\$\{SERVICE:\?is required\}" \/image$/m)
  assert.match(dockerfile, /^RUN .*npm install --no-save --no-progress --omit=dev$/m)
})
