import type { DescField, DescMessage, DescMethod, DescService } from '@bufbuild/protobuf'

/** Field numbers of descriptor.proto by which source locations are addressed. */
const FILE_MESSAGE = 4
const FILE_SERVICE = 6
const MESSAGE_FIELD = 2
const MESSAGE_NESTED = 3
const SERVICE_METHOD = 2

type Described = DescField | DescMessage | DescMethod | DescService

const cache = new WeakMap<object, ReadonlyMap<string, string>>()

/** The comment above a message, field, service or method in its proto; empty if there is none. */
export function commentOf(desc: Described): string {
  const file = desc.kind === 'rpc' || desc.kind === 'field' ? desc.parent.file : desc.file
  let comments = cache.get(file)
  if (comments === undefined) {
    const locations = file.proto.sourceCodeInfo?.location ?? []
    comments = new Map(locations.map(({ path, leadingComments }) => [path.join('.'), tidy(leadingComments)]))
    cache.set(file, comments)
  }
  return comments.get(pathOf(desc).join('.')) ?? ''
}

function tidy(comment: string): string {
  return comment.replace(/\s+/g, ' ').trim()
}

function pathOf(desc: Described): number[] {
  switch (desc.kind) {
    case 'service':
      return [FILE_SERVICE, desc.file.proto.service.indexOf(desc.proto)]
    case 'rpc':
      return [...pathOf(desc.parent), SERVICE_METHOD, desc.parent.proto.method.indexOf(desc.proto)]
    case 'field':
      return [...pathOf(desc.parent), MESSAGE_FIELD, desc.parent.proto.field.indexOf(desc.proto)]
    case 'message':
      return desc.parent
        ? [...pathOf(desc.parent), MESSAGE_NESTED, desc.parent.proto.nestedType.indexOf(desc.proto)]
        : [FILE_MESSAGE, desc.file.proto.messageType.indexOf(desc.proto)]
  }
}
