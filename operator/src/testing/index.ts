export { namespace, startCluster, type TestCluster } from './cluster.ts'
export {
  findKubePrograms,
  type KubePrograms,
  type KubeServer,
  lookForKubePrograms,
  startKubeServer,
} from './kube-server.ts'
