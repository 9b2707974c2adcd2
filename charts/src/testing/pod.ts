import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { get } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { type NodeProcess, startNode } from '@stampede/platform/testing'
import type { SecretObject } from '../secrets.ts'
import type { Image } from './image.ts'
import { type Container, type KubeObject, ofKind, workloadsOf } from './objects.ts'

/** What is run: an image, as the rendered objects and the Secrets say. */
export interface Pod {
  readonly objects: readonly KubeObject[]
  readonly component: string
  readonly image: Image
  readonly secrets: readonly SecretObject[]
  /** Variables on top. */
  readonly more?: Readonly<Record<string, string>>
}

/** Runs the migrations of a component as the Job does; gives what it prints. Throws when it fails. */
export function runMigrations(pod: Pod): string {
  const { args, ...container } = containerOf(pod, 'Job')
  const env = environmentOf({ args, ...container }, {}, pod)
  return execFileSync(pod.image.node, args, { ...asUser(pod.image), env, encoding: 'utf8' })
}

/** Starts a component as its Deployment does; ready when it says so, with its HTTP port. */
export function startPod(pod: Pod): Promise<NodeProcess<number>> {
  const container = containerOf(pod, 'Deployment')
  const [script = '', ...args] = container.args
  const shared = ofKind(pod.objects, 'ConfigMap').find(({ metadata }) => metadata.name === 'stampede-config')?.data
  return startNode({
    script: pathToFileURL(join(pod.image.app, script)),
    args,
    env: { ...environmentOf(container, shared ?? {}, pod), ...pod.more },
    node: pod.image.node,
    as: asUser(pod.image),
    readyLine: (line) => {
      const port = /^stampede: .*HTTP (\d+)\) ready$/.exec(line)?.[1]
      return port === undefined ? undefined : Number(port)
    },
  })
}

/** Asks one of its pages. */
export function readPage(port: number, path: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path }, (answer) => {
      text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), reject)
    }).on('error', reject)
  })
}

function asUser({ app, user }: Image): { readonly cwd: string; readonly uid?: number; readonly gid?: number } {
  return { cwd: app, ...user }
}

function containerOf({ objects, component }: Pod, kind: 'Deployment' | 'Job'): Container {
  const containers = workloadsOf(objects)
    .filter((workload) => workload.kind === kind)
    .flatMap(({ spec }) => spec.template.spec.containers)
  const found = containers.find(({ name }) => name === component)
  assert.ok(found !== undefined, `no ${kind} of ${component}`)
  return found
}

/** The environment as a pod has it; ports are free ones, and nothing listens beyond this machine. */
function environmentOf(
  { env = [] }: Container,
  shared: Readonly<Record<string, string>>,
  { secrets, image }: Pod,
): Record<string, string> {
  const own = env.map(({ name, value, valueFrom }) => {
    const { name: secret, key } = valueFrom?.secretKeyRef ?? { name: '', key: '' }
    const given = value ?? secrets.find(({ metadata }) => metadata.name === secret)?.stringData[key]
    assert.ok(given !== undefined, `${name} comes from ${secret}/${key}`)
    return [name, name.endsWith('_PORT') ? '0' : given.replace(/^\/etc\/stampede/, image.files)]
  })
  return { ...shared, ...Object.fromEntries(own), STAMPEDE_LISTEN_HOST: '127.0.0.1', NODE_ENV: 'production' }
}
