export { createTestAuthority, type PassCredentials, type TestAuthority } from './authority.ts'
export { testPng } from './png.ts'
