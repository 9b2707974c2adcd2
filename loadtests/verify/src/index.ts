export { describeFinding, type Finding } from './findings.ts'
export { verify } from './verify.ts'
