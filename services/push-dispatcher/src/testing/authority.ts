import { type TestCertificate, testCertificate } from '@stampede/platform/testing'

/** An authority for tests, and what it issues. */
export interface TestAuthority {
  readonly caPem: string
  /** A certificate for a server on 127.0.0.1. */
  server(): TestCertificate
  /** A client certificate with that common name. */
  client(name: string): TestCertificate
}

/** Makes an authority. */
export function testAuthority(commonName = 'Test Authority'): TestAuthority {
  const issuer = { ...testCertificate({ commonName, authority: true }), commonName }
  return {
    caPem: issuer.certPem,
    server: () => testCertificate({ commonName: '127.0.0.1', hosts: ['127.0.0.1'], issuer }),
    client: (name) => testCertificate({ commonName: name, issuer }),
  }
}
