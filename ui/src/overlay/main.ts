// The page that an overlay link opens: one room on transparent ground, for stream software. Without React, since
// it is in memory beside a game.

import { createGuildhall } from '@guildhall/client'

import { follow } from './follow'
import './overlay.css'

// The page's root, whatever prefix it is served under: this module is one folder below it.
const here = import.meta.url
const root = new URL('../', here)

const token = new URLSearchParams(location.search).get('overlay') ?? ''

const place = document.getElementById('overlay')
if (place === null) throw new Error('overlay.html has no element "overlay"')

follow(place, {
  // As a header, so that no proxy on the way has the secret in its log a second time, with each stream.
  open: () => createGuildhall({ url: root, apiToken: token, transport: 'fetch' }),
  after: (ms, run) => void setTimeout(run, ms),
})
