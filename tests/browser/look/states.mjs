/** The states in which the page is looked at: how each comes about on a fake server. */

import { evening, hostile, ids, manyRooms, nobody, noGuilds, noRooms, sixty } from './worlds.mjs'

const live = '[data-connection="live"]'

/**
 * `world`: what the server has; `path`: what is opened; `waits`: what is there when it is so. `before` is
 * done to the server, `act` with the page. `stranger`: nobody is signed in. `pictured`: in the documentation;
 * `hostile`: looked at in the narrowest window too; `big`: looked at once by what is slow.
 */
export const states = {
  landing: { world: evening, stranger: true, waits: '[data-notice=landing]', pictured: true },
  lobby: { world: evening, waits: live, pictured: true },
  sixty: { world: sixty, waits: live, pictured: true },
  empty: { world: nobody, waits: live, pictured: true },
  simulated: {
    world: evening,
    before: (server) => (server.discordUrl = 'http://127.0.0.1:4000'),
    waits: `${live} [data-notice=simulated]`,
  },
  'no-rooms': { world: noRooms, waits: live },
  'no-guild': { world: noGuilds, waits: '[data-notice=no-guild]' },
  loading: { world: evening, before: (server) => (server.answersStreams = 0), waits: '[aria-busy=true]', pictured: true },
  error: {
    world: evening,
    before: (server) => (server.answersStreams = 503),
    waits: '[data-notice=no-answer]',
    pictured: true,
  },
  refused: { world: evening, before: (server) => (server.answersStreams = 400), waits: '[data-notice=refused]' },
  stale: {
    world: evening,
    act: async (page, server) => {
      await page.locator(live).waitFor()
      await server.kill()
      await page.locator('[data-connection=reconnecting]', { hasText: 'does not answer' }).waitFor()
    },
    waits: '[data-connection=reconnecting]',
    pictured: true,
  },
  outage: {
    world: () => evening().map((guild) => ({ ...guild, available: false })),
    waits: `${live} [data-available=false]`,
  },
  resuming: {
    world: evening,
    act: async (page, server) => {
      await page.locator(live).waitFor()
      server.say('status', { discord: 'resuming', link: 'up', since: Date.UTC(2026, 10, 27, 20, 7) })
    },
    waits: '[data-discord=resuming]',
  },
  room: { world: evening, path: `?room=${ids.hearth}`, waits: '[data-open=true]', pictured: true },
  'room-locked': { world: evening, path: `?room=${ids.locked}`, waits: '[data-open=true]' },
  'room-of-ones-own': {
    world: evening,
    path: `?room=${ids.den}`,
    before: (server) => (server.inviteUrl = `https://guildhall.example/join?invite=${'0123456789abcdef'.repeat(7).slice(0, 110)}`),
    act: async (page) => {
      await page.locator('[data-action=invite]').click()
      await page.locator('.qr').waitFor()
    },
    waits: '.said:not(:empty)',
    pictured: true,
  },
  'room-gone': { world: evening, path: '?room=1', waits: '[data-notice=room-gone]' },
  'new-room': {
    world: evening,
    act: (page) => page.locator('[data-action=new-room]').click(),
    waits: '[data-dialog=new-room]',
  },
  'person-tools': {
    world: evening,
    path: `?room=${ids.den}`,
    act: (page) => page.locator('[data-action=person-tools]').first().click(),
    waits: '[data-dialog=person-tools]',
  },
  dropout: {
    world: evening,
    path: `?room=${ids.hearth}`,
    act: async (page, server) => {
      await page.locator('[data-open=true]').waitFor()
      await page.locator('#activity').waitFor({ state: 'attached' })
      const { guild: guildId, den: previousChannelId, me: userId } = { ...ids, me: server.me }
      server.happen('voice.left', { guildId, ts: Date.now(), channelId: null, previousChannelId, userId })
    },
    waits: '[data-dialog=dropout]',
  },
  account: {
    world: evening,
    act: (page) => page.locator('[data-action=account]').click(),
    waits: '#account:popover-open',
  },
  activity: {
    world: evening,
    act: async (page, server) => {
      await page.locator('#activity').waitFor({ state: 'attached' })
      const [{ id: guildId, rooms }] = evening()
      const [{ members }] = rooms
      server.happen('voice.joined', { ...members[0], guildId, ts: Date.now(), channelId: ids.den })
      await page.locator('[data-action=activity]').click()
    },
    waits: '#activity:popover-open [data-news]',
  },
  invitation: { world: evening, path: 'join?invite=T', waits: `${live} [data-notice=invitation]` },
  'invitation-of-a-stranger': { world: evening, path: 'join?invite=T', stranger: true, waits: '[data-notice=invitation]' },
  german: { world: evening, locale: 'de-DE', waits: `${live} [data-channel-id]` },
  'german-room': {
    world: evening,
    locale: 'de-DE',
    path: `?room=${ids.den}`,
    waits: '[data-open=true]',
  },
  'hostile-lobby': { world: hostile, waits: live, hostile: true },
  'hostile-room': { world: hostile, path: `?room=${ids.long}`, waits: '[data-open=true]', hostile: true },
  'many-rooms': { world: manyRooms, waits: live, hostile: true, big: true },
}
