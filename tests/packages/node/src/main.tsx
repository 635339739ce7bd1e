/** Every door of the package, in plain Node. */

import assert from 'node:assert/strict'

import { createCollection } from '@tanstack/db'
import { createGuildhall, fetchState, NotFoundError, roomIn, type State } from '@guildhall/client'
import { logEvents } from '@guildhall/client/debug'
import { GuildhallProvider, useVoice } from '@guildhall/client/react'
import { peopleCollectionOptions } from '@guildhall/client/tanstack-db'
import { fakeGuildhall, guild, person, room } from '@guildhall/client/testing'
import { inputs, StatePayload } from '@guildhall/client/zod'
import { renderToString } from 'react-dom/server'

const house = [guild('1', [room('10', [person('7', { displayName: 'Ana' })])])]
const initial: State = { cursor: 'c', status: { discord: 'live', link: 'up', since: 1 }, guilds: house }

const Who = () => <>{useVoice({ guild: '1', room: '10' })?.map((one) => one.displayName).join() ?? 'not known'}</>
const client = createGuildhall({ url: 'http://guildhall.test/', initial, guild: '1' })
assert.equal(renderToString(<GuildhallProvider client={client}><Who /></GuildhallProvider>), 'Ana')
assert.equal(roomIn(client.view().picture, '10')?.people.size, 1)

assert.deepEqual(StatePayload.parse(JSON.parse(JSON.stringify(initial))), initial)
assert.equal(inputs['rooms.create'].safeParse({ guildId: '1', name: '' }).success, false)

const answer = async () => Response.json({ error: { code: 'not_found', message: 'm' } }, { status: 404 })
const request = new Request('http://app.test/', { headers: { cookie: 'a=b' } })
await assert.rejects(fetchState(request, { url: 'http://guildhall.test/', fetch: answer }), NotFoundError)

const fake = fakeGuildhall({ guilds: house })
const people = createCollection(peopleCollectionOptions({ client: fake.client }))
await people.preload()
const lines: string[] = []
const quiet = logEvents(fake.client, (line) => lines.push(line))
fake.join('10', '8')
quiet()
assert.match(lines.at(-1) ?? '', /Member joined/)
assert.deepEqual([...people.keys()], ['1/7', '1/8'])
await people.cleanup()
assert.equal(fake.readers, 0)
console.log('plain Node: every door works')
