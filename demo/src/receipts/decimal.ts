const decimalPattern = /^([+-]?)(\d{1,15})(?:\.(\d{1,9}))?$/

/** An exact decimal: `units / 10^scale`. */
export interface Decimal {
  readonly units: bigint
  readonly scale: number
}

/** Reads `-12.50`; undefined when it is not a plain decimal number. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = decimalPattern.exec(text.trim())
  if (match === null) return undefined
  const [, sign = '', whole = '', fraction = ''] = match
  const units = BigInt(whole + fraction)
  return { units: sign === '-' ? -units : units, scale: fraction.length }
}

/** `a` times `b` in hundredths; undefined when that is not a whole number. */
export function toMinorUnits(a: Decimal, b: Decimal): bigint | undefined {
  const scaled = a.units * b.units * 100n
  const divisor = 10n ** BigInt(a.scale + b.scale)
  return scaled % divisor === 0n ? scaled / divisor : undefined
}

/** The value as a whole number; undefined when it has a fraction or does not fit a safe integer. */
export function toWholeNumber(value: Decimal): number | undefined {
  const divisor = 10n ** BigInt(value.scale)
  if (value.units % divisor !== 0n) return undefined
  const whole = Number(value.units / divisor)
  return Number.isSafeInteger(whole) ? whole : undefined
}
