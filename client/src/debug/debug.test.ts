import { describe, expect, it } from 'vitest'

import { idle, joined, left, renamed } from '../events.testing.js'
import { fakeGuildhall, guild, person, room } from '../testing/index.js'
import type { GuildEvent } from '../wire.js'
import { logEvents } from './index.js'

const house = () => [
  guild('1', [room('10', [person('7', { displayName: 'Ana' })], { name: 'Lounge' }), room('11', [], { name: 'Den' })], { name: 'Hall' }),
]
const stamp = { guildId: '1', ts: 5 }

const logged = (guilds = house()) => {
  const fake = fakeGuildhall({ guilds })
  const lines: string[] = []
  const stop = logEvents(fake.client, (line) => lines.push(line))
  return { fake, lines, stop, take: () => lines.splice(0) }
}

describe('the lines of a client', () => {
  it('say what becomes of the stream, and why where it is not as planned', () => {
    const fake = fakeGuildhall()
    const lines: string[] = []
    logEvents(fake.client, (line) => lines.push(line))
    fake.snapshot(house())
    fake.phase('stale', 'broken')
    fake.phase('catching-up', 'broken')
    fake.phase('live', 'resumed')
    fake.status({ discord: 'down' })
    fake.phase('signed-out', 'session_revoked')
    fake.client.close()
    expect(lines).toEqual([
      '[Discord Events] Connecting to SSE stream...',
      '[Discord Events] SSE connection established',
      '[Discord Events] SSE connection lost (broken)',
      '[Discord Events] Connecting to SSE stream... (broken)',
      '[Discord Events] SSE connection established',
      '[Discord Events] SSE connection lost (discord_down)',
      '[Discord Events] Signed out (session_revoked)',
      '[Discord Events] SSE stream closed (closed)',
    ])
  })

  it('name who comes, changes and goes, and nobody whom a snapshot brings', () => {
    const { fake, take } = logged()
    expect(take()).toEqual(['[Discord Events] SSE connection established'])
    fake.join('10', { userId: '8', displayName: 'Ben' })
    fake.update('8', { selfMute: true })
    fake.move('8', '11')
    fake.leave('8')
    fake.snapshot(house())
    fake.tell(left('1', '10', '99'))
    expect(take()).toEqual([
      '[VoiceChannelMembers] Member joined: Ben',
      '[VoiceChannelMembers] Member updated: Ben',
      '[VoiceChannelMembers] Member left: Ben',
      '[VoiceChannelMembers] Member joined: Ben',
      '[VoiceChannelMembers] Member left: Ben',
      '[VoiceChannelMembers] Member left: 99',
    ])
  })

  it('name rooms and guilds, also those that are gone', () => {
    const { fake, take } = logged()
    take()
    const { members: _members, ...info } = room('12', [], { name: 'Attic' })
    const events: readonly GuildEvent[] = [
      { name: 'room.created', data: { ...stamp, ...info } },
      renamed('1', '12', 'Loft'),
      idle('1', '12', 9),
      idle('1', '12', null),
      { name: 'room.deleted', data: { ...stamp, channelId: '12' } },
      { name: 'room.hidden', data: { ...stamp, channelId: '11' } },
      { name: 'room.shown', data: { ...stamp, ...room('11', [], { name: 'Den' }) } },
      { name: 'guild.unavailable', data: stamp },
      { name: 'guild.available', data: stamp },
      { name: 'guild.updated', data: { ...stamp, name: 'House', icon: null } },
      { name: 'guild.removed', data: stamp },
    ]
    for (const event of events) fake.tell(event)
    expect(take().map((line) => line.replace('[Discord Events] ', ''))).toEqual([
      'Room created: Attic', 'Room updated: Loft', 'Room unused: Loft', 'Room in use: Loft', 'Room deleted: Loft', 'Room hidden: Den',
      'Room shown: Den', 'Guild unavailable: Hall', 'Guild available: Hall', 'Guild updated: House', 'Guild removed: House',
    ])
  })

  it('end when they are no longer wanted, and leave no reader', () => {
    const { fake, stop, take } = logged()
    expect(fake.readers).toBeGreaterThan(0)
    stop()
    take()
    fake.tell(joined('1', '10', '8'))
    fake.phase('stale', 'broken')
    expect(take()).toEqual([])
    expect(fake.readers).toBe(0)
  })
})
