// node loadtests/sandbox/src/make-secrets.ts FOLDER HOST...: what a sandbox in a cluster needs beforehand, as files for
// Secrets: its certificate authority (FOLDER/authority), and a certificate under it for the web service of passes at
// the hosts (FOLDER/web), which the sandbox's phones trust.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAuthority } from './authority.ts'

const [folder, ...hosts] = process.argv.slice(2)
if (folder === undefined || hosts.length === 0) {
  console.error('make-secrets: FOLDER and at least one HOST are required')
  process.exitCode = 2
} else {
  const { certPem, keyPem } = createAuthority(join(folder, 'authority')).issueServerCertificate(hosts)
  const web = join(folder, 'web')
  mkdirSync(web, { recursive: true, mode: 0o700 })
  writeFileSync(join(web, 'tls.crt'), certPem)
  writeFileSync(join(web, 'tls.key'), keyPem, { mode: 0o600 })
  console.log(`${join(folder, 'authority')} and ${web} are written`)
}
