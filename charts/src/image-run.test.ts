import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { startNode, testNats, testPostgres } from '@stampede/platform/testing'
import { makeSecrets, type SecretObject } from './secrets.ts'
import { findHelm, installations, render, root } from './testing/helm.ts'
import { buildImage, type Image } from './testing/image.ts'
import { type Container, ofKind, workloadsOf } from './testing/objects.ts'

const helm = findHelm()
/** Those with a native module, and with the most of their own; under STAMPEDE_FULL=1 all that need no ClickHouse. */
const tried =
  process.env['STAMPEDE_FULL'] === '1'
    ? ['enrollment', 'ledger', 'pass-render', 'geo', 'campaigns', 'push-dispatcher']
    : ['ledger', 'pass-render']

/** What Secrets hold, by `<name>/<key>`. */
function contentOf(secrets: readonly SecretObject[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    secrets.flatMap(({ metadata, stringData }) =>
      Object.entries(stringData).map(([key, value]) => [`${metadata.name}/${key}`, value]),
    ),
  )
}

/** The environment as a pod has it; ports are free ones, and nothing listens beyond this machine. */
function environmentOf(
  { env = [] }: Container,
  shared: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, string>>,
  image: Image,
): Record<string, string> {
  const own = env.map(({ name, value, valueFrom }) => {
    const { name: secret, key } = valueFrom?.secretKeyRef ?? { name: '', key: '' }
    const given = value ?? secrets[`${secret}/${key}`]
    assert.ok(given !== undefined, `${name} comes from ${secret}/${key}`)
    return [name, name.endsWith('_PORT') ? '0' : given.replace(/^\/etc\/stampede/, image.files)]
  })
  return { ...shared, ...Object.fromEntries(own), STAMPEDE_LISTEN_HOST: '127.0.0.1', NODE_ENV: 'production' }
}

async function read(port: number, path: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path }, (answer) => {
      text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), reject)
    }).on('error', reject)
  })
}

describe('an image runs with what the chart tells it, as a user without rights', { skip: helm === undefined }, () => {
  const objects = helm === undefined ? [] : render(helm, installations['small'] ?? [])
  const containers = workloadsOf(objects).flatMap(({ kind, spec }) =>
    spec.template.spec.containers.map((container) => ({ kind, container })),
  )
  const shared = ofKind(objects, 'ConfigMap').find(({ metadata }) => metadata.name === 'stampede-config')?.data ?? {}

  for (const component of tried) {
    test(component, async () => {
      await using postgres = await testPostgres()
      await using nats = await testNats()
      using image = buildImage(component)
      const addresses = { postgres: postgres.url, nats: nats.url, clickhouse: 'http://127.0.0.1:8123' }
      const secrets = contentOf(makeSecrets({ ...addresses, sandboxHosts: ['localhost'] }))
      mkdirSync(join(image.files, 'web'))
      for (const file of ['tls.crt', 'tls.key'])
        writeFileSync(join(image.files, 'web', file), secrets[`stampede-web-tls/${file}`] ?? '', { mode: 0o644 })
      const listed = globSync('**', { cwd: image.app }).length
      const as = { cwd: image.app, ...image.user }

      const job = containers.find(({ kind, container }) => kind === 'Job' && container.name === component)
      if (job !== undefined) {
        const env = environmentOf(job.container, {}, secrets, image)
        const told = execFileSync(image.node, job.container.args, { ...as, env, encoding: 'utf8' })
        assert.match(told, /migrate: schema [a-z_]+ is up to date/)
      }

      const pod = containers.find(({ kind, container }) => kind === 'Deployment' && container.name === component)
      assert.ok(pod !== undefined)
      const [script = '', ...args] = pod.container.args
      const service = await startNode({
        script: pathToFileURL(join(image.app, script)),
        args,
        env: environmentOf(pod.container, shared, secrets, image),
        node: image.node,
        as,
        readyLine: (line) => /^stampede: .*HTTP (\d+)\) ready$/.exec(line)?.[1],
      })
      const port = Number(service.ready)
      for (const path of ['/live', '/ready']) assert.equal((await read(port, path)).status, 200)
      assert.match((await read(port, '/metrics')).body, new RegExp(`^stampede_${component.replaceAll('-', '_')}_`, 'm'))
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
