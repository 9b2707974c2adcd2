import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildModule, versionFlags } from './kubernetes.ts'

const published = `module k8s.io/kubernetes

go 1.26.0

godebug default=go1.26

require (
	github.com/google/uuid v1.6.0
	go.etcd.io/etcd/client/v3 v3.6.8
	go.etcd.io/etcd/server/v3 v3.6.8 // indirect
	k8s.io/api v0.0.0
)

replace (
	k8s.io/api => ./staging/src/k8s.io/api
	k8s.io/apiserver => ./staging/src/k8s.io/apiserver
)
`

test("the published go.mod becomes one that takes Kubernetes' libraries from the proxy", () => {
  assert.equal(
    buildModule(published),
    `module stampede.dev/tools
go 1.26.0
godebug default=go1.26
require k8s.io/kubernetes v1.36.3
require go.etcd.io/etcd/server/v3 v3.6.8
replace k8s.io/api => k8s.io/api v0.36.3
replace k8s.io/apiserver => k8s.io/apiserver v0.36.3
`,
  )
})

test('a go.mod in which a part is missing is refused, by the name of the part', () => {
  const without = (text: string): string => published.replaceAll(text, '')
  assert.throws(() => buildModule(without('go.etcd.io/etcd/server/v3 v3.6.8')), /etcd\\\.io/)
  assert.throws(() => buildModule(without('./staging/')), /staging/)
  assert.throws(() => buildModule(without('godebug default=go1.26')), /godebug/)
})

test('the server is linked with its version', () => {
  assert.equal(
    versionFlags(),
    '-X k8s.io/component-base/version.gitVersion=v1.36.3 -X k8s.io/component-base/version.gitMajor=1 ' +
      '-X k8s.io/component-base/version.gitMinor=36',
  )
})
