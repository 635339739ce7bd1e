// "The Discord side": shows /sim/state and acts through /sim, like any other program.

import { at, element, fill, late, sign } from './dom.js'
import { acceptDrop, drawCard, drawPerson, isDragging, listenToCard } from './people.js'
import { refuse, sim, watch } from './sim.js'
import { drawFaults, drawScenarios, setOutage } from './weather.js'
import {
  CATEGORY, channel, channels, found, guild, isGated, isVoice, know, peopleIn, shown, sorted, STAGE, voice,
} from './world.js'

/** Beyond this many, bots are counted. */
const MOST_SESSIONS = 2
/** People drawn outside of rooms; a guild may have thousands. */
const MOST_OUTSIDE = 200
/** From here on a list is laid out only where it is looked at. */
const MANY = 100

const many = (count) => count.toLocaleString('en')

/** `#GUILD`, or `#GUILD/CHANNEL` for whoever was led to one. */
let guildId
let ledTo
let isLed

function readAddress() {
  [guildId, ledTo = null] = location.hash.slice(1).split('/')
  isLed = false
}

/** Where people were when they were last drawn, of one guild: whoever is elsewhere now has just come. */
let before = { guildId: null, places: new Map() }

function draw() {
  drawGone()
  if (sim.state === null || isDragging()) return
  const isThere = know(sim.state, guildId)
  drawPulse()
  drawScenarios()
  drawGuilds()
  if (!isThere) return drawNoGuild()
  drawHead()
  drawRooms()
  drawOutside()
  drawCard()
  before = { guildId: guild().id, places: new Map(guild().voiceStates.map((one) => [one.userId, one.channelId])) }
  goToChannel()
}

/** Nothing on the page may pass for the present once nobody answers. */
function drawGone() {
  document.body.toggleAttribute('data-gone', sim.isGone)
  const said = sim.heard === null
    ? 'The simulator does not answer. This page tries again by itself.'
    : `The simulator does not answer. This is how it was at ${sim.heard.toLocaleTimeString()}; the page goes on by itself.`
  if (sim.isGone) fill(at('pulse'), element('li', {}, 'simulator away'))
  if (!sim.isGone) at('gone').textContent = ''
  else if (at('gone').textContent === '') at('gone').textContent = said
}

function drawPulse() {
  if (sim.isGone) return
  const { sessions } = sim.state
  const chips = (tone, said, all) => {
    const texts = all.length > MOST_SESSIONS ? [`${all.length} sessions ${said}`] : all.map(({ seq }) => `bot ${said} · seq ${seq}`)
    return texts.map((text) => element('li', { class: tone }, text))
  }
  fill(at('pulse'),
    ...chips('on', 'connected', sessions.filter((session) => session.attached)),
    // Away for as long as they may be resumed, also those that nobody comes back for.
    ...chips('off', 'away', sessions.filter((session) => !session.attached)),
    sessions.length === 0 ? element('li', {}, 'no bot connected') : null)
}

function drawGuilds() {
  const current = sim.state.guilds.length === 0 ? null : guild().id
  fill(at('guilds'), ...sim.state.guilds.map((one) =>
    element('button', {
      class: 'guild',
      type: 'button',
      'data-key': one.id,
      title: one.name,
      'aria-current': String(one.id === current),
      onclick: () => { location.hash = one.id },
    },
    element('img', { src: `/icons/${one.id}/${one.icon}.png`, alt: '', width: '40', height: '40' }),
    element('span', { class: 'guild-words' },
      element('bdi', { class: 'guild-name' }, shown(one.name)),
      element('span', { class: 'soft' }, one.available ? `${many(one.voiceStates.length)} in voice` : 'out of service')))))
}

function drawNoGuild() {
  fill(at('guild-head'),
    element('h2', {}, 'No guild yet'),
    element('p', { class: 'soft' }, 'Make one: ', element('code', {}, 'POST /sim/guilds {"name": "The Inn"}')))
  fill(at('rooms'))
  fill(at('outside'))
  at('outside-count').textContent = ''
}

function drawHead() {
  const { name, available, voiceStates, members } = guild()
  const count = members.length === 1 ? '1 member' : `${many(members.length)} members`
  fill(at('guild-head'),
    element('h2', {}, element('bdi', {}, shown(name))),
    element('p', { class: 'soft' }, `${many(voiceStates.length)} in voice, ${count}`),
    element('button', { type: 'button', class: 'button', 'data-key': 'outage', onclick: () => setOutage(!guild().available) },
      available ? 'Take out of service' : 'Bring back'),
    available ? null : element('p', { class: 'outage', 'data-key': 'out' },
      'Out of service: your bot was told that this guild is unavailable, and hears nothing of it until it is back.'))
}

function drawRooms() {
  const all = channels()
  const inside = Map.groupBy(all.filter((one) => one.type !== CATEGORY), (one) => one.parentId)
  const groups = [{ id: null, name: 'Channels' }, ...all.filter((one) => one.type === CATEGORY)].filter((one) => inside.has(one.id))
  fill(at('rooms'),
    ...groups.map((group) => drawCategory(group, inside.get(group.id))),
    groups.length === 0 ? element('p', { class: 'nobody' }, 'This guild has no channels.') : null)
  for (const { id } of groups) {
    const rooms = inside.get(id).filter(isVoice).map((one) => ({ ...one, people: peopleIn(one.id) }))
    fill(at(`in-${id}`), ...rooms.map(drawRoom))
    for (const room of rooms) {
      at(`people-${room.id}`).dataset.many = String(room.people.length > MANY)
      fill(at(`people-${room.id}`), ...room.people.map((person) => drawListed(person, room.id)))
    }
  }
}

function drawCategory({ id, name }, inside) {
  const texts = inside.filter((one) => !isVoice(one))
  return element('div', { class: 'category', 'data-key': String(id) },
    element('div', { class: 'category-head' },
      element('h3', {}, element('bdi', {}, shown(name))),
      texts.length === 0 ? null
        : element('p', { class: 'texts soft' }, ...texts.map((one) => element('span', {}, '# ', element('bdi', {}, shown(one.name)))))),
    element('div', { id: `in-${id}`, 'data-filled': '' }))
}

function drawRoom({ id, type, name, userLimit, voiceStatus, people, ...one }) {
  const tags = [
    type === STAGE ? 'Stage' : null,
    isGated(one) ? 'Needs a role' : null,
    one.botSees ? null : 'Hidden from the bot',
  ].filter(Boolean)
  const isLedTo = ledTo === id
  const make = () => acceptDrop(element('article', {
    class: 'room', id, 'data-key': id, 'data-people': String(people.length), 'aria-labelledby': `room-${id}`,
    ...(isLedTo && { 'data-led': 'true' }),
  },
  element('div', { class: 'room-head' },
    sign(type === STAGE ? 'stage' : 'voice', type === STAGE ? 'Stage' : 'Voice channel'),
    element('h4', { id: `room-${id}` }, element('bdi', {}, shown(name))),
    ...tags.map((tag) => element('span', { class: 'badge' }, tag)),
    drawCount(people.length, userLimit)),
  voiceStatus ? element('p', { class: 'room-status soft' }, element('bdi', {}, voiceStatus)) : null,
  element('ul', { class: 'people', id: `people-${id}`, 'aria-labelledby': `room-${id}`, 'data-filled': '' })), id)
  return late('article', id, [type, name, userLimit, voiceStatus, people.length, tags, isLedTo], make)
}

function drawCount(people, limit) {
  const isFull = limit > 0 && people >= limit
  const text = limit > 0 ? `${people} / ${limit}` : people === 0 ? 'Nobody here' : String(people)
  const meaning = limit > 0 ? `${people} of ${limit} places taken` : people === 0 ? text : `${people} here`
  return element('span', { class: isFull ? 'count full' : 'count', role: 'img', 'aria-label': meaning }, text)
}

const drawListed = (id, place, said = null) => {
  const isFresh = before.guildId === guild().id && (before.places.get(id) ?? null) !== place
  return drawPerson(id, { place: said, isFresh, dragEnded: draw })
}

/** Whoever is in no voice channel, or whoever is looked for, wherever they are. */
function drawOutside() {
  const sought = at('find').value
  const isFinding = sought.trim() !== ''
  const people = sorted(isFinding ? found(sought) : guild().members.map((one) => one.userId).filter((id) => !voice(id)))
  const placeOf = (id) => voice(id)?.channelId ?? null
  const said = (id) => (isFinding && voice(id) ? `in ${shown(channel(placeOf(id))?.name)}` : null)
  const more = people.length - MOST_OUTSIDE
  const nobody = isFinding ? 'Nobody by that name.' : guild().members.length === 0 ? 'This guild has no members.' : 'Everybody is in a voice channel.'
  at('outside-title').textContent = isFinding ? 'Found' : 'In no voice channel'
  at('outside-count').textContent = many(people.length)
  at('outside').dataset.many = String(people.length > MANY)
  fill(at('outside'),
    ...people.slice(0, MOST_OUTSIDE).map((id) => drawListed(id, placeOf(id), said(id))),
    more > 0 ? element('li', { class: 'nobody', 'data-key': 'more' }, `and ${many(more)} more: find them by name`) : null,
    people.length === 0 ? element('li', { class: 'nobody', 'data-key': 'nobody' }, nobody) : null)
}

/** Another guild is shown from its top, or from the channel that somebody was led to, once that is there. */
function goToChannel() {
  if (!isLed) at('guilds').querySelector('[aria-current="true"]').scrollIntoView({ block: 'nearest' })
  const room = isLed || ledTo === null ? null : at(ledTo)
  isLed ||= ledTo === null || room !== null
  if (room === null) return
  const go = () => room.scrollIntoView({ block: 'center' })
  go()
  // What it passes on the way is laid out only now, and may be higher than was thought.
  requestAnimationFrame(() => requestAnimationFrame(go))
}

drawFaults()
listenToCard()
acceptDrop(at('outside-panel'), null)
for (const skip of document.querySelectorAll('.skip')) {
  // The address says which guild is shown.
  skip.addEventListener('click', (event) => { event.preventDefault(); at(skip.hash.slice(1)).focus() })
}
at('refusal-close').addEventListener('click', () => refuse(''))
at('find').addEventListener('input', draw)
at('find').addEventListener('keydown', (event) => {
  if (event.key === 'Enter') at('outside').querySelector('.person')?.click()
})
addEventListener('hashchange', () => {
  readAddress()
  scrollTo(0, 0)
  draw()
})
readAddress()
watch(draw)
