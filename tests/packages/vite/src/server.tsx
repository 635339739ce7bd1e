import { fakeGuildhall, guild, person, room } from '@guildhall/client/testing'
import { renderToString } from 'react-dom/server'

import { App } from './app'

const { client } = fakeGuildhall({ guilds: [guild('1', [room('10', [person('7', { displayName: 'Ana' })])])] })
const html = renderToString(<App client={client} />)
if (!html.includes('<p>Ana</p>')) throw new Error(`nobody is there: ${html}`)
console.log('Vite: built, and rendered by a server')
