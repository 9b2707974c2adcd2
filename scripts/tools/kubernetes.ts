/** Release that the operator and the chart are tested against. */
export const kubernetesVersion = '1.36.3'

const module = 'k8s.io/kubernetes'
const etcdModule = 'go.etcd.io/etcd/server/v3'

/** The module as Go's proxy knows it. */
export const kubernetesModule = `${module}@v${kubernetesVersion}`

/**
 * A go.mod that builds kube-apiserver, and the etcd that it was released with, out of the module proxy. Kubernetes
 * takes its libraries from folders of its own repository (`replace k8s.io/api => ./staging/...`), which no published
 * module holds; each is published by itself as v0.<minor>.<patch>. Throws when the published go.mod has no such lines.
 */
export function buildModule(publishedGoMod: string): string {
  const line = (pattern: RegExp): string => {
    const found = pattern.exec(publishedGoMod)?.[0].trim()
    if (found === undefined) throw new Error(`the go.mod of ${kubernetesModule} has no ${pattern.source}`)
    return found
  }
  line(/^\s*k8s\.io\/\S+ => \.\/staging\//m)
  const libraries = [...publishedGoMod.matchAll(/^\s*(k8s\.io\/\S+) => \.\/staging\//gm)].map(([, name]) => name)
  const libraryVersion = `v0.${kubernetesVersion.slice(2)}`
  return [
    'module stampede.dev/tools',
    line(/^go \S+$/m),
    line(/^godebug default=\S+$/m),
    `require ${module} v${kubernetesVersion}`,
    `require ${line(new RegExp(`^\\s*${etcdModule.replaceAll('.', '\\.')} v\\S+`, 'm'))}`,
    ...libraries.map((name) => `replace ${name} => ${name} ${libraryVersion}`),
    '',
  ].join('\n')
}

/** Packages of the programs. */
export const kubernetesPackages = { etcd: etcdModule, 'kube-apiserver': `${module}/cmd/kube-apiserver` } as const

/** Linker flags: without its version a server tells clients that it is v0.0.0. */
export function versionFlags(): string {
  const [major, minor] = kubernetesVersion.split('.')
  const values = { gitVersion: `v${kubernetesVersion}`, gitMajor: major, gitMinor: minor }
  return Object.entries(values)
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ')
}
