import { crc32 } from 'node:zlib'
import { RequestBlock } from '../request/block.ts'
import type { RequestOptions } from '../request/single.ts'
import { RequestTemplate, type TemplateOptions } from '../request/template.ts'

/** Bytes of the varying part of a test request. */
const VARIABLE_BYTES = 32

/** A template of pushes whose body the servers of this folder check. */
export function pushTemplate(options: Partial<TemplateOptions> = {}): RequestTemplate {
  const body = options.body ?? Buffer.from('{}')
  return new RequestTemplate({
    method: 'POST',
    authority: 'localhost',
    pathPrefix: '/3/device/',
    capture: { name: 'apns-id', bytesMax: 36 },
    ...options,
    body,
    headers: [['apns-topic', 'pass.com.example.loyalty'], ...(options.headers ?? []), bodySum(body)],
  })
}

/** A block of pushes with the numbers from `first` on. */
export function pushBlock(template: RequestTemplate, first: number, count: number): RequestBlock {
  return pushBlockOf(
    template,
    Array.from({ length: count }, (_, index) => first + index),
  )
}

/** A block of pushes with these numbers. */
export function pushBlockOf(template: RequestTemplate, numbers: readonly number[]): RequestBlock {
  const variables = Buffer.alloc(numbers.length * VARIABLE_BYTES)
  for (const [index, number] of numbers.entries()) variables.writeUInt32BE(number, index * VARIABLE_BYTES)
  return new RequestBlock({ template, variables, variableBytes: VARIABLE_BYTES })
}

/** Path of a request of such a block. */
export function pushPath(block: RequestBlock, index: number): string {
  const { template, variables, variableBytes } = block
  const part = Buffer.from(variables.subarray(index * variableBytes, (index + 1) * variableBytes))
  return `${template.pathPrefix}${part.toString('hex')}${template.pathSuffix}`
}

/** A single request with a body that the servers of this folder check. */
export function singleRequest(path: string, body: Uint8Array, options: Partial<RequestOptions> = {}): RequestOptions {
  return { method: 'POST', path, body, ...options, headers: [bodySum(body), ...(options.headers ?? [])] }
}

function bodySum(body: Uint8Array): readonly [string, string] {
  return ['x-body-sum', `${body.length} ${crc32(body)}`]
}
