/** The picture once, for servers that render. */

import { after, ANSWER_WITHIN_MS } from './browser.js'
import type { GuildhallOptions } from './client.js'
import { answerOf } from './commands/answer.js'
import { UnauthorizedError } from './commands/errors.js'
import type { State } from './wire.js'

/**
 * The picture for a request to your own server, by its cookie and nothing else: it is that person's.
 * Null where nobody is signed in; throws where it is not known, after 10 s at the latest.
 */
export const fetchState = async (
  request: Request | { readonly headers: Headers },
  options: Pick<GuildhallOptions, 'url' | 'guild' | 'fetch'>,
): Promise<State | null> => {
  const root = rootOf(options.url, undefined)
  const url = new URL('api/state', root)
  if (options.guild) url.searchParams.set('guild', options.guild)
  const cookie = request.headers.get('cookie') ?? ''
  const init: RequestInit = { headers: { cookie }, redirect: 'error', cache: 'no-store' }
  try {
    return (await answerOf(options.fetch ?? fetch, url, init, { after }, ANSWER_WITHIN_MS)) as State
  } catch (error) {
    if (error instanceof UnauthorizedError) return null
    throw error
  }
}

/** Where `api/` and `auth/` lie. */
export const rootOf = (url: string | URL, base: string | undefined): URL => {
  const root = new URL(url, base)
  if (!root.pathname.endsWith('/')) root.pathname += '/'
  root.search = root.hash = ''
  return root
}
