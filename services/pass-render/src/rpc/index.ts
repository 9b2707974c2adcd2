import { type Binding, bind, StampedeError } from '@stampede/platform'
import { PassesServiceService } from '@stampede/proto/passes/v1'
import type { Context } from '../context.ts'
import { getPass } from './get-pass.ts'
import { getPassContent } from './get-pass-content.ts'
import { getTemplate } from './get-template.ts'
import { listPasses } from './list-passes.ts'
import { putTemplate } from './put-template.ts'

/** The service's RPCs. */
export function passesBinding(context: Context): Binding {
  return bind(PassesServiceService, {
    putTemplate: (request) => putTemplate(context, request),
    getTemplate: (request) => getTemplate(context, request),
    getPass: (request) => getPass(context, request),
    listPasses: (request) => listPasses(context, request),
    getPassContent: (request) => getPassContent(context, request),
    listTemplates: notYet,
    publishTemplate: notYet,
    lintTemplate: notYet,
    previewTemplate: notYet,
    putTemplateRules: notYet,
    getTemplateRules: notYet,
    upsertPass: notYet,
    upsertPasses: notYet,
    getCard: notYet,
    messageCards: notYet,
    putChannelLink: notYet,
    getChannelLink: notYet,
    getBrandStatus: notYet,
  })
}

function notYet(): never {
  throw new StampedeError('INTERNAL', 'not there yet')
}
