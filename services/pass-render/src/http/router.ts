import type { IncomingMessage } from 'node:http'
import type { Context } from '../context.ts'
import type { Answer } from './answer.ts'
import { visitChannel } from './channel-links.ts'
import { getLogo } from './designs.ts'
import { postGoogleCallback, robots } from './google-callback.ts'
import { installPage } from './install-page.ts'
import { postLog } from './logs.ts'
import { getPass, install } from './passes.ts'
import { deleteRegistration, listUpdated, postRegistration } from './registrations.ts'
import { pathParts } from './request.ts'

/** Name of an endpoint in metrics: a bounded set. */
export type Endpoint = 'registration' | 'list' | 'pass' | 'log' | 'install' | 'channel' | 'google' | 'logo' | 'other'

/** What a path leads to. */
export interface Route {
  readonly endpoint: Endpoint
  /** By method; any other method is answered 405. */
  readonly methods: Readonly<Record<string, (context: Context, request: IncomingMessage) => Promise<Answer>>>
}

/** Finds the endpoint of a path; undefined when there is none. */
export function route(url: string): Route | undefined {
  const parts = pathParts(url)
  if (parts === undefined) return undefined
  return parts[0] === 'v1' ? protocolRoute(parts.slice(1)) : ownRoute(parts)
}

// There is no `personalize`: it belongs to passes with a personalization.json, and ours are of known members. 404.
function protocolRoute(parts: readonly string[]): Route | undefined {
  const [first, second = '', third, fourth = '', fifth] = parts
  if (first === 'log' && parts.length === 1) return { endpoint: 'log', methods: { POST: postLog } }
  if (first === 'passes' && parts.length === 3) {
    const get = (context: Context, request: IncomingMessage) => getPass(context, request, second, third ?? '')
    return { endpoint: 'pass', methods: { GET: get, HEAD: get } }
  }
  if (first !== 'devices' || third !== 'registrations') return undefined
  const path = { deviceLibraryId: second, passTypeId: fourth }
  if (parts.length === 4) {
    return { endpoint: 'list', methods: { GET: (context, request) => listUpdated(context, request, path) } }
  }
  if (parts.length !== 5 || fifth === undefined) return undefined
  const full = { ...path, serial: fifth }
  return {
    endpoint: 'registration',
    methods: {
      POST: (context, request) => postRegistration(context, request, full),
      DELETE: (context, request) => deleteRegistration(context, request, full),
    },
  }
}

function ownRoute(parts: readonly string[]): Route | undefined {
  const [first, second = '', third = '', fourth = '', fifth] = parts
  if (first === 'i' && parts.length === 2) {
    const get = (context: Context, request: IncomingMessage) => install(context, request, second)
    return { endpoint: 'install', methods: { GET: get, HEAD: get } }
  }
  if (first === 'add' && parts.length === 2) {
    const get = (context: Context, request: IncomingMessage) => installPage(context, request, second)
    return { endpoint: 'install', methods: { GET: get } }
  }
  if (first === 'c' && parts.length === 3) {
    const get = (context: Context, request: IncomingMessage) => visitChannel(context, request, second, third)
    return { endpoint: 'channel', methods: { GET: get } }
  }
  if (first === 'google' && second === 'callback' && parts.length === 3) {
    const post = (context: Context, request: IncomingMessage) => postGoogleCallback(context, request, third)
    return { endpoint: 'google', methods: { POST: post } }
  }
  if (first === 'robots.txt' && parts.length === 1) {
    return { endpoint: 'other', methods: { GET: async () => robots() } }
  }
  if (first === 'designs' && parts.length === 5 && fifth === 'logo.png') {
    const get = (context: Context) => getLogo(context, second, third, fourth)
    return { endpoint: 'logo', methods: { GET: get, HEAD: get } }
  }
  return undefined
}
