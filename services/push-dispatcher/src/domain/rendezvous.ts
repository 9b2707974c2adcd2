/** FNV-1a, 32 bits: start value and multiplier. */
const FNV_OFFSET = 0x811c_9dc5
const FNV_PRIME = 0x0100_0193

/**
 * Orders replicas by their claim on a key, the strongest first (rendezvous hashing: the highest hash of key and replica
 * wins). Everybody who knows the same replicas gets the same order, whatever the order they are given in; without one
 * of them the others keep theirs. So only the keys of a replica that comes or goes change hands.
 */
export function rankReplicas(key: string, replicas: readonly string[]): readonly string[] {
  const keyHash = hashOf(key)
  const claims = replicas.map((replica) => ({ replica, claim: mixed(keyHash ^ hashOf(replica)) }))
  claims.sort((a, b) => b.claim - a.claim || (a.replica < b.replica ? -1 : 1))
  return claims.map(({ replica }) => replica)
}

/** FNV-1a over UTF-16 units, mixed: alike texts get hashes that have nothing in common. */
function hashOf(text: string): number {
  let hash = FNV_OFFSET
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), FNV_PRIME)
  return mixed(hash)
}

/** The finalizer of MurmurHash3: each bit of the input turns over half of the output's. */
function mixed(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
