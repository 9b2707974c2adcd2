import { type Binding, bind } from '@stampede/platform'
import { PassesServiceService } from '@stampede/proto/passes/v1'
import type { Context } from '../context.ts'
import { getBrandStatus } from './get-brand-status.ts'
import { getCard } from './get-card.ts'
import { getChannelLink } from './get-channel-link.ts'
import { getPass } from './get-pass.ts'
import { getPassContent } from './get-pass-content.ts'
import { getTemplate } from './get-template.ts'
import { getTemplateRules } from './get-template-rules.ts'
import { lintTemplate } from './lint-template.ts'
import { listPasses } from './list-passes.ts'
import { listTemplates } from './list-templates.ts'
import { messageCards } from './message-cards.ts'
import { previewTemplate } from './preview-template.ts'
import { publishTemplate } from './publish-template.ts'
import { putChannelLink } from './put-channel-link.ts'
import { putTemplate } from './put-template.ts'
import { putTemplateRules } from './put-template-rules.ts'
import { upsertPass } from './upsert-pass.ts'
import { upsertPasses } from './upsert-passes.ts'

/** The service's RPCs. */
export function passesBinding(context: Context): Binding {
  return bind(PassesServiceService, {
    putTemplate: (request) => putTemplate(context, request),
    getTemplate: (request) => getTemplate(context, request),
    getPass: (request) => getPass(context, request),
    listPasses: (request) => listPasses(context, request),
    getPassContent: (request) => getPassContent(context, request),
    listTemplates: (request) => listTemplates(context, request),
    publishTemplate: (request) => publishTemplate(context, request),
    lintTemplate: (request) => lintTemplate(context, request),
    previewTemplate: (request) => previewTemplate(context, request),
    putTemplateRules: (request) => putTemplateRules(context, request),
    getTemplateRules: (request) => getTemplateRules(context, request),
    upsertPass: (request) => upsertPass(context, request),
    upsertPasses: (requests) => upsertPasses(context, requests),
    getCard: (request) => getCard(context, request),
    messageCards: (request) => messageCards(context, request),
    putChannelLink: (request) => putChannelLink(context, request),
    getChannelLink: (request) => getChannelLink(context, request),
    getBrandStatus: (request) => getBrandStatus(context, request),
  })
}
