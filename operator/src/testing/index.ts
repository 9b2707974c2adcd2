export { namespace, startCluster, type TestCluster } from './cluster.ts'
export { findKubePrograms, type KubePrograms, type KubeServer, startKubeServer } from './kube-server.ts'
