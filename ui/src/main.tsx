import { createGuildhall } from '@guildhall/client'
import { GuildhallProvider } from '@guildhall/client/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import { inviteOf, loginOutcome, navigationOf } from './address'
import './design/base.css'
import { App } from './page/app'
import './page/page.css'
import { showing } from './shown'
import { chosenLanguage, languageOf, spoken } from './words/language'
import { SpeechProvider } from './words/speech'

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
const navigation = navigationOf(window)

/** Where Discord's own client has its rooms, as the server tells whoever is signed in. */
const askDiscordUrl = async (): Promise<string | null> => {
  const answer = await fetch(new URL('api/me', root), { cache: 'no-store' }).catch(() => null)
  if (answer === null || !answer.ok) return null
  const { discordUrl } = (await answer.json()) as { readonly discordUrl?: string }
  return discordUrl ?? null
}

const place = document.getElementById('root')
if (place === null) throw new Error('index.html has no element "root"')
const page = createRoot(place)
const first = await spoken(languageOf(chosenLanguage(), navigator.languages))
page.render(
  <StrictMode>
    <SpeechProvider first={first}>
      <GuildhallProvider client={client}>
        <App
          shown={shown}
          navigation={navigation}
          signInUrl={client.signInUrl(location.pathname + search, invite ?? undefined)}
          invite={invite}
          outcome={outcome}
          askDiscordUrl={askDiscordUrl}
        />
      </GuildhallProvider>
    </SpeechProvider>
  </StrictMode>,
)
