/** The picture once, for servers that render. */

import { asking } from './browser.js'
import type { GuildhallOptions } from './client.js'
import { errorOf } from './commands/errors.js'
import type { State } from './wire.js'

/** The picture for a request to your own server, by its cookie; null where nobody is signed in. */
export const fetchState = async (
  request: Request | { readonly headers: Headers },
  options: Pick<GuildhallOptions, 'url' | 'guild' | 'apiToken'> & { readonly fetch?: typeof fetch },
): Promise<State | null> => {
  const root = rootOf(options.url, undefined)
  const url = new URL('api/state', root)
  if (options.guild !== undefined) url.searchParams.set('guild', options.guild)
  const cookie = request.headers.get('cookie')
  const ask = asking(options, { fetch: options.fetch ?? fetch })
  const answer = await ask(url, { headers: cookie === null ? {} : { cookie }, redirect: 'error' })
  if (answer.status === 401) return null
  const body: unknown = await answer.json().catch(() => null)
  if (!answer.ok) throw errorOf(answer.status, body)
  return body as State
}

/** Where `api/` and `auth/` lie. */
export const rootOf = (url: string | URL, base: string | undefined): URL => {
  const root = new URL(url, base)
  if (!root.pathname.endsWith('/')) root.pathname += '/'
  root.search = root.hash = ''
  return root
}
