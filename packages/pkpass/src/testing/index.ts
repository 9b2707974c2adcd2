export { createTestAuthority, type IssueRequest, type PassCredentials, type TestAuthority } from './authority.ts'
export { testPng } from './png.ts'
