import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isRole, rolePermissions } from './roles.ts'
import { methods } from './rpc/descriptors.ts'

const declared = new Set([...methods.values()].map(({ permission }) => permission))
const granted = new Set(Object.values(rolePermissions).flatMap((permissions) => [...permissions]))

describe('roles', () => {
  it('grant every permission that the protos declare, to one role at least', () => {
    assert.ok(declared.size > 20)
    assert.deepEqual(
      [...declared].filter((permission) => !granted.has(permission)),
      [],
    )
  })

  it('name no permission that the protos do not know', () => {
    assert.deepEqual(
      [...granted].filter((permission) => !declared.has(permission)),
      [],
    )
  })

  it('give the keys of members to services alone', () => {
    const holders = Object.entries(rolePermissions).filter(([, has]) => has.has('enrollment.memberkeys.read'))
    assert.deepEqual(
      holders.map(([role]) => role),
      ['service'],
    )
  })

  it('let only the operator make brands', () => {
    const holders = Object.entries(rolePermissions).filter(([, has]) => has.has('enrollment.brands.write'))
    assert.deepEqual(
      holders.map(([role]) => role),
      ['admin'],
    )
  })

  it('are the six of the table', () => {
    assert.ok(isRole('till'))
    for (const text of ['', 'root', 'constructor']) assert.equal(isRole(text), false, text)
  })
})
