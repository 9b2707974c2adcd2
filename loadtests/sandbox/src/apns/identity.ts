import type { TLSSocket } from 'node:tls'
import { oids, readCertificate } from '../crypto/certificate.ts'
import type { ClientIdentity } from './rules.ts'

/** Who is at the other end, by the certificate of the handshake. */
export function identify(socket: TLSSocket): ClientIdentity {
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) return { topic: '', refusal: 'MissingProviderToken' }
  if (!socket.authorized) return { topic: '', refusal: 'BadCertificate' }
  const { subject, extensions } = readCertificate(certificate.raw)
  const topic = subject.get(oids.uid)
  if (!topic) return { topic: '', refusal: 'BadCertificate' }
  if (!extensions.has(oids.apnsProduction)) return { topic, refusal: 'BadCertificateEnvironment' }
  return { topic }
}
