import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { findHelm, installations, render } from './testing/helm.ts'
import { type Container, componentOf, type KubeObject, type Labels, ofKind, workloadsOf } from './testing/objects.ts'

interface Peer {
  readonly podSelector?: { readonly matchLabels?: Labels }
  readonly namespaceSelector?: object
  readonly ipBlock?: { readonly cidr: string }
}

interface Rule {
  readonly from?: readonly Peer[]
  readonly to?: readonly Peer[]
  readonly ports: readonly { readonly port: number | string }[]
}

const helm = findHelm()

/** Policies and workloads of an installation, by component. */
class Network {
  readonly #objects: readonly KubeObject[]

  constructor(objects: readonly KubeObject[]) {
    this.#objects = objects
  }

  rules(component: string, direction: 'ingress' | 'egress'): readonly Rule[] {
    const policies = ofKind(this.#objects, 'NetworkPolicy').filter((policy) => componentOf(policy) === component)
    return policies.flatMap(({ spec }) => (spec?.[direction] ?? []) as readonly Rule[])
  }

  /** Components of the release that may come in by a port. */
  callersOf(component: string, port: string): readonly string[] {
    const rules = this.rules(component, 'ingress').filter(({ ports }) => ports.some((one) => one.port === port))
    return rules.flatMap(({ from = [] }) => from.flatMap(componentsOf)).sort()
  }

  /** Components of the release that it may call by a port. */
  calleesOf(component: string, port: number): readonly string[] {
    const rules = this.rules(component, 'egress').filter(({ ports }) => ports.some((one) => one.port === port))
    return rules.flatMap(({ to = [] }) => to.flatMap(componentsOf)).sort()
  }

  portsOut(component: string): ReadonlySet<number | string> {
    return new Set(this.rules(component, 'egress').flatMap(({ ports }) => ports.map(({ port }) => port)))
  }

  containers(): readonly Container[] {
    const deployments = workloadsOf(this.#objects).filter(({ kind }) => kind === 'Deployment')
    return deployments.flatMap(({ spec }) => spec.template.spec.containers)
  }
}

function componentsOf({ podSelector }: Peer): readonly string[] {
  const component = podSelector?.matchLabels?.['app.kubernetes.io/component']
  return component === undefined ? [] : [component]
}

for (const [name, files] of Object.entries(installations)) {
  describe(`NetworkPolicies of ${name}`, { skip: helm === undefined }, () => {
    const network = new Network(helm === undefined ? [] : render(helm, files))
    const isSandbox = network.containers().some((container) => container.name === 'sandbox')
    const has = ({ env = [] }: Container, variable: string): boolean => env.some((one) => one.name === variable)

    test('let everybody to the engines that they have the address of, and to no other', () => {
      for (const container of network.containers()) {
        const ports = network.portsOut(container.name)
        assert.equal(ports.has(5432), has(container, 'STAMPEDE_POSTGRES_URL'), container.name)
        assert.equal(ports.has(4222), has(container, 'STAMPEDE_NATS_URL'), container.name)
        assert.equal(
          ports.has(8443) || ports.has(8123),
          has(container, 'STAMPEDE_CLICKHOUSE_URL') || container.name === 'sandbox',
        )
        assert.ok(ports.has(53), 'names are resolved')
      }
    })

    test('let those call each other who have the address, at both ends', () => {
      const wanted = network
        .containers()
        .flatMap(({ name: caller, env = [] }) =>
          env
            .filter((variable) => variable.name.endsWith('_ADDRESS'))
            .map(({ value = '' }) => [caller, /^stampede-(.+)-pods\./.exec(value)?.[1] ?? value] as const),
        )
      assert.equal(wanted.length, 3)
      for (const [caller, callee] of wanted) {
        assert.ok(network.calleesOf(caller, 9090).includes(callee), `${caller} may not leave for ${callee}`)
        assert.ok(network.callersOf(callee, 'grpc').includes(caller), `${callee} does not let ${caller} in`)
      }
      const allowed = network.containers().flatMap(({ name: callee }) => network.callersOf(callee, 'grpc'))
      assert.equal(allowed.length, wanted.length)
    })

    test('let push-dispatcher to Apple, or with a sandbox to that alone', () => {
      const ports = network.portsOut('push-dispatcher')
      assert.equal(ports.has(443), !isSandbox)
      const blocks = network
        .rules('push-dispatcher', 'egress')
        .flatMap(({ to = [] }) => to.map(({ ipBlock }) => ipBlock))
      assert.equal(
        blocks.some((block) => block?.cidr === '17.0.0.0/8'),
        !isSandbox,
      )
      assert.deepEqual(network.calleesOf('push-dispatcher', 2197), isSandbox ? ['sandbox'] : [])
    })

    test('let phones in, and the sandbox with them where there is one', () => {
      const rules = network.rules('pass-render', 'ingress').filter(({ ports }) => ports[0]?.port === 'web')
      const peers = rules.flatMap(({ from = [] }) => from)
      assert.ok(peers.some(({ ipBlock }) => ipBlock?.cidr === '0.0.0.0/0'))
      assert.equal(peers.flatMap(componentsOf).includes('sandbox'), isSandbox)
      assert.equal(network.calleesOf('sandbox', 8443).includes('pass-render'), isSandbox)
    })
  })
}
