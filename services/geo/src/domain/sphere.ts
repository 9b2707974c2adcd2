/** A point in degrees: latitude -90 to 90, longitude -180 to 180. */
export interface Point {
  readonly latitude: number
  readonly longitude: number
}

/** A point on the unit sphere. */
export type UnitVector = readonly [x: number, y: number, z: number]

/** Mean radius of the Earth (IUGG), in metres. */
export const EARTH_RADIUS_METERS = 6_371_008.8

/** Great-circle distance on a sphere of the mean radius, in metres; exact for near and for opposite points. */
export function haversineMeters(from: Point, to: Point): number {
  const fromLatitude = radians(from.latitude)
  const toLatitude = radians(to.latitude)
  const sinLatitude = Math.sin((toLatitude - fromLatitude) / 2)
  const sinLongitude = Math.sin(radians(to.longitude - from.longitude) / 2)
  const chord = sinLatitude ** 2 + Math.cos(fromLatitude) * Math.cos(toLatitude) * sinLongitude ** 2
  // Rounding may carry the sum of opposite points just above one.
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.sqrt(Math.min(1, chord)))
}

/** The point on the unit sphere: straight distances there order like great-circle distances, without trigonometry. */
export function toUnitVector(point: Point): UnitVector {
  const latitude = radians(point.latitude)
  const longitude = radians(point.longitude)
  const ring = Math.cos(latitude)
  return [ring * Math.cos(longitude), ring * Math.sin(longitude), Math.sin(latitude)]
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180
}
