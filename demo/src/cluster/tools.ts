import { lookForKubePrograms } from '@stampede/operator/testing'

/** Programs that the story of rotation needs are not there; one clear line. */
export class MissingToolsError extends Error {
  override readonly name = 'MissingToolsError'
}

/** Throws MissingToolsError without kube-apiserver and etcd. */
export function demandKubePrograms(): void {
  if (lookForKubePrograms() !== undefined) return
  throw new MissingToolsError(
    'this story needs kube-apiserver and etcd: `npm run tools` builds them where Go is installed',
  )
}
