/** What compiles and what does not: `npm run typecheck` runs these, nothing else does. */

import { describe, expectTypeOf, it } from 'vitest'

import { createGuildhall, type Guildhall, type GuildhallError, type LiveStatus, type Person, type Room } from './index.js'
import {
  useCommand,
  useDiscordEventStream,
  useGuildhall,
  useGuildhallEvent,
  useLiveStatus,
  useMember,
  useRoom,
  useRooms,
  useSuspenseVoice,
  useVoice,
  useVoiceChannelMembers,
  useVoiceChannelMembersFromSSE,
} from './react/index.js'

/** Never called: only its types matter. */
const compiles = (_code: () => unknown) => {}

describe('the types of commands', () => {
  it('let the guild be left out only where the client names one', () => {
    const [ofOne, ofAll] = [createGuildhall({ url: 'http://a.test', guild: '1' }), createGuildhall({ url: 'http://a.test' })]
    compiles(() => ofOne.rooms.create({ name: 'Den' }))
    compiles(() => ofOne.run('guilds.ensureMember', {}))
    compiles(() => ofAll.rooms.create({ name: 'Den', guildId: '1' }))
    // @ts-expect-error no guild is named
    compiles(() => ofAll.rooms.create({ name: 'Den' }))
    // @ts-expect-error no guild is named
    compiles(() => ofAll.run('rooms.create', { name: 'Den' }))
    // @ts-expect-error whether this one names a guild is not known
    compiles((some: Guildhall) => some.rooms.create({ name: 'Den' }))
    // @ts-expect-error nor of that of a provider
    compiles(() => useGuildhall().run('rooms.create', { name: 'Den' }))
    expectTypeOf(ofOne).toExtend<Guildhall>()
    expectTypeOf(ofAll).toExtend<Guildhall>()
    // @ts-expect-error it may be undefined
    compiles((options: { url: string; guild: string | undefined }) => createGuildhall(options).rooms.create({ name: 'Den' }))
  })

  it('know each field, and each answer', () => {
    const client = createGuildhall({ url: 'http://a.test' })
    // @ts-expect-error an unknown field
    compiles(() => client.rooms.create({ name: 'Den', guildID: '1' }))
    // @ts-expect-error a snowflake is no number: it does not fit a double
    compiles(() => client.rooms.lock({ channelId: 5, locked: true }))
    // @ts-expect-error there is no such command
    compiles(() => client.rooms.paint({ channelId: '5' }))
    compiles(() => client.rooms.create({ name: 'Den', guildId: '1', limit: undefined }))
    const answers = async () => {
      const { outcome, settled, channelId } = await client.rooms.create({ name: 'Den', guildId: '1' })
      expectTypeOf(outcome).toEqualTypeOf<'done' | 'queued' | 'waiting'>()
      expectTypeOf(settled).toEqualTypeOf<Promise<void>>()
      expectTypeOf(channelId).toExtend<string | undefined>()
      const question = await client.rooms.exists({ channelId: '5' })
      expectTypeOf(question).not.toHaveProperty('settled')
      expectTypeOf(question.exists).toEqualTypeOf<boolean>()
    }
    compiles(answers)
  })
})

describe('the types of events', () => {
  it('are each event\'s own', () => {
    const client: Guildhall = createGuildhall({ url: 'http://a.test' })
    compiles(() => client.on('voice.joined', (one) => expectTypeOf(one.displayName).toEqualTypeOf<string>()))
    compiles(() => client.on('voice.left', (one) => expectTypeOf(one.channelId).toEqualTypeOf<null>()))
    compiles(() => client.on('room.idle', (room) => expectTypeOf(room.deletesAt).toEqualTypeOf<number | null>()))
    // @ts-expect-error a snapshot is no event: it is in the picture
    compiles(() => client.on('snapshot', () => {}))
    // @ts-expect-error there is no such event
    compiles(() => client.on('voice.shouted', () => {}))
  })
})

describe('the types of hooks', () => {
  it('say what may be not known', () => {
    compiles(() => expectTypeOf(useVoice({ guild: '1' })).toEqualTypeOf<readonly Person[] | undefined>())
    compiles(() => expectTypeOf(useVoice({ guild: '1', select: (all) => all.length })).toEqualTypeOf<number | undefined>())
    compiles(() => expectTypeOf(useSuspenseVoice({ guild: '1' })).toEqualTypeOf<readonly Person[] | undefined>())
    compiles(() => expectTypeOf(useRoom('10')).toEqualTypeOf<Room | undefined>())
    compiles(() => expectTypeOf(useRooms('1')).toEqualTypeOf<readonly Room[] | undefined>())
    compiles(() => expectTypeOf(useMember('1', '7')).toEqualTypeOf<Person | null | undefined>())
    compiles(() => expectTypeOf(useLiveStatus()).toEqualTypeOf<LiveStatus>())
    compiles(() => expectTypeOf(useVoiceChannelMembers('10')).toEqualTypeOf<readonly Person[]>())
    expectTypeOf(useVoiceChannelMembersFromSSE).toEqualTypeOf(useVoiceChannelMembers)
    // @ts-expect-error which guild?
    compiles(() => useVoice({ room: '10' }))
    compiles(() => useVoice({ guild: '1', select: (all) => all.length, equal: (a, b) => a > b }))
    // @ts-expect-error what is compared is what is selected
    compiles(() => useVoice({ guild: '1', select: (all) => all.length, equal: (a: string, b: string) => a === b }))
  })

  it('are those of commands and events', () => {
    compiles(() => {
      const { run, pending, error } = useCommand('rooms.lock')
      expectTypeOf(pending).toEqualTypeOf<boolean>()
      expectTypeOf(error).toEqualTypeOf<GuildhallError | null>()
      return run({ channelId: '10', locked: true })
    })
    // @ts-expect-error a field is missing
    compiles(() => useCommand('rooms.lock').run({ channelId: '10' }))
    // @ts-expect-error there is no such command
    compiles(() => useCommand('rooms.paint'))
    compiles(() => useGuildhallEvent('room.created', ({ name }) => expectTypeOf(name).toEqualTypeOf<string>()))
    compiles(() => useDiscordEventStream({ onVoiceJoined: ({ userId }) => expectTypeOf(userId).toEqualTypeOf<string>() }))
    // @ts-expect-error there is no such event
    compiles(() => useDiscordEventStream({ onVoiceShouted: () => {} }))
  })
})
