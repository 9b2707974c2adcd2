import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempDir } from './temp-dir.ts'
import { testCertificate } from './x509.ts'

/** A certificate authority and a server certificate for localhost and 127.0.0.1, as files and as text. */
export interface TestTls extends Disposable {
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
  readonly caPem: string
  readonly certPem: string
  readonly keyPem: string
}

/** Makes the files in a temporary folder; disposing removes them. */
export function testTls(): TestTls {
  const dir = tempDir('tls')
  const commonName = 'Stampede test CA'
  const authority = testCertificate({ commonName, authority: true })
  const server = testCertificate({
    commonName: 'localhost',
    hosts: ['localhost', '127.0.0.1'],
    issuer: { ...authority, commonName },
  })
  const write = (file: string, text: string): string => {
    const path = join(dir.path, file)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  return {
    caFile: write('ca.pem', authority.certPem),
    certFile: write('cert.pem', server.certPem),
    keyFile: write('key.pem', server.keyPem),
    caPem: authority.certPem,
    certPem: server.certPem,
    keyPem: server.keyPem,
    [Symbol.dispose]: () => dir[Symbol.dispose](),
  }
}
