import { createGuildhall } from '@guildhall/client'
import { GuildhallProvider } from '@guildhall/client/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import { inviteOf, loginOutcome, roomOf } from './address'
import { App } from './page/app'
import './page/page.css'
import './page/rooms.css'
import { showing } from './shown'

// The page's root, whatever prefix it is served under: this module is one folder
// below it, in `src/` while developing and in `assets/` when built.
const here = import.meta.url
const root = new URL('..', here)

const client = createGuildhall({ url: root })
const shown = showing(client, (run) => void requestAnimationFrame(run))

// Told once: neither a reload nor the next sign-in, which comes back to this address, repeats it.
const { outcome, search } = loginOutcome(location.search)
if (outcome !== null) history.replaceState(history.state, '', location.pathname + search + location.hash)

const invite = inviteOf(location.pathname, search)

/** A reload opens the same room. */
const onRoom = (channelId: string | null) => {
  const url = new URL(location.href)
  if (channelId === null) url.searchParams.delete('room')
  else url.searchParams.set('room', channelId)
  if (url.href !== location.href) history.replaceState(history.state, '', url)
}

const place = document.getElementById('root')
if (place === null) throw new Error('index.html has no element "root"')
createRoot(place).render(
  <StrictMode>
    <GuildhallProvider client={client}>
      <App
        shown={shown}
        signInUrl={client.signInUrl(location.pathname + search, invite ?? undefined)}
        invite={invite}
        room={roomOf(search)}
        onRoom={onRoom}
        outcome={outcome}
      />
    </GuildhallProvider>
  </StrictMode>,
)
