/** The core alone, where nothing of a browser is typed: TanStack DB, beside it, needs those types itself. */

import { createGuildhall, fetchState, type Guildhall } from '@guildhall/client'

const client: Guildhall<true> = createGuildhall({ url: 'http://guildhall.test/', guild: '1', credentials: 'include', apiToken: undefined, initial: null })
client.close()
export const state = (request: Request) => fetchState(request, { url: 'http://guildhall.test/', guild: undefined })
