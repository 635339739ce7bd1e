/** What the app's server asks Guildhall for, in the name of whoever asks the app. */

import { fetchState } from '@guildhall/client'
import { answers, inputs } from '@guildhall/client/zod'
import { createServerFn } from '@tanstack/react-start'
import { getRequest } from '@tanstack/react-start/server'

const url = () => process.env['GUILDHALL_URL'] ?? 'http://localhost:3000'

/** The picture, for the first rendering; null: nobody is signed in. */
export const readState = createServerFn().handler(() => fetchState(getRequest(), { url: url() }))

/** Makes a room, as the browser could by itself: a place for what your app does before and after. */
export const createRoom = createServerFn({ method: 'POST' })
  .validator(inputs['rooms.create'])
  .handler(async ({ data }) => {
    const { headers } = getRequest()
    const answer = await fetch(new URL('/api/rpc/createRoom', url()), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        // Guildhall judges the browser's own request: who it is, and from which page it comes.
        cookie: headers.get('cookie') ?? '',
        origin: headers.get('origin') ?? '',
      },
      body: JSON.stringify(data),
    })
    const body = await answer.json()
    return answer.ok ? { room: answers['rooms.create'].parse(body) } : { refused: String(body.error?.message) }
  })
