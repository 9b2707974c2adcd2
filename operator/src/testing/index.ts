export { findKubePrograms, type KubePrograms, type KubeServer, startKubeServer } from './kube-server.ts'
