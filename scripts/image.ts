// node scripts/image.ts COMPONENT OUT: lays out what the image of a component holds (see the Dockerfile).
import { layOut } from './lib/image.ts'
import { root } from './lib/suites.ts'

const [component, out] = process.argv.slice(2)
if (component === undefined || out === undefined) {
  console.error('image: COMPONENT and OUT are required, such as: node scripts/image.ts ledger /image')
  process.exitCode = 2
} else {
  layOut(root, component, out)
}
