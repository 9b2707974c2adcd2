import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EARTH_RADIUS_METERS, haversineMeters, type Point, toUnitVector } from './sphere.ts'

const point = fc.record({
  latitude: fc.double({ min: -90, max: 90, noNaN: true }),
  longitude: fc.double({ min: -180, max: 180, noNaN: true }),
})

function angleMeters(from: Point, to: Point): number {
  const [ax, ay, az] = toUnitVector(from)
  const [bx, by, bz] = toUnitVector(to)
  return (
    EARTH_RADIUS_METERS *
    Math.atan2(Math.hypot(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx), ax * bx + ay * by + az * bz)
  )
}

test('known distances: a degree, a quarter, half the Earth, and over the date line', () => {
  const degree = (EARTH_RADIUS_METERS * Math.PI) / 180
  const near = (actual: number, expected: number) =>
    assert.ok(Math.abs(actual - expected) < 1e-3, `${actual} ${expected}`)
  near(haversineMeters({ latitude: 0, longitude: 0 }, { latitude: 1, longitude: 0 }), degree)
  near(haversineMeters({ latitude: 0, longitude: 0 }, { latitude: 90, longitude: 55 }), degree * 90)
  near(haversineMeters({ latitude: 0, longitude: 0 }, { latitude: 0, longitude: 180 }), degree * 180)
  near(haversineMeters({ latitude: 0, longitude: 179.5 }, { latitude: 0, longitude: -179.5 }), degree)
})

test('London to Paris is about 343.5 km', () => {
  const metres = haversineMeters({ latitude: 51.5074, longitude: -0.1278 }, { latitude: 48.8566, longitude: 2.3522 })
  assert.ok(Math.abs(metres - 343_556) < 500, String(metres))
})

test('it agrees with the angle between vectors, is symmetric and never more than half the circumference', () => {
  fc.assert(
    fc.property(point, point, (from, to) => {
      const metres = haversineMeters(from, to)
      assert.ok(Math.abs(metres - angleMeters(from, to)) < 0.5)
      assert.ok(Math.abs(metres - haversineMeters(to, from)) < 1e-6)
      assert.ok(metres >= 0 && metres <= EARTH_RADIUS_METERS * Math.PI + 1e-6)
      assert.equal(haversineMeters(from, from), 0)
    }),
  )
})
