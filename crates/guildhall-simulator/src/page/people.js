// People: as a button in a list, dragged into a channel, and one of them in full.

import { at, element, fill, late, sign } from './dom.js'
import { call } from './sim.js'
import { channel, channels, distinction, guild, isVoice, member, nameOf, shown, STAGE, user, voice } from './world.js'

const FLAGS = [
  { key: 'selfMute', label: 'Muted', drawing: 'muted' },
  { key: 'selfDeaf', label: 'Deafened', drawing: 'deafened' },
  { key: 'selfStream', label: 'Streaming', drawing: 'streaming', tone: 'streams' },
  { key: 'selfVideo', label: 'Camera', drawing: 'video' },
  { key: 'mute', label: 'Muted by server', drawing: 'muted', tone: 'by-server' },
  { key: 'deaf', label: 'Deafened by server', drawing: 'deafened', tone: 'by-server' },
]

const IN_THE_AUDIENCE = { key: 'suppress', label: 'In the audience' }

const STATUSES = { online: 'Online', idle: 'Idle', dnd: 'Do not disturb', offline: 'Offline' }

/** Who is dragged. Nothing is drawn meanwhile: what is held must not go away. */
let dragging = null
let openUser = null

export const isDragging = () => dragging !== null

const setVoice = (userId, change) => call('POST', `/sim/guilds/${guild().id}/voice`, { userId, ...change })

const setRole = (userId, roleId, has) =>
  call(has ? 'PUT' : 'DELETE', `/sim/guilds/${guild().id}/members/${userId}/roles/${roleId}`)

const setStatus = (userId, status) => call('PUT', `/sim/users/${userId}/presence`, { status })

const picture = (id) => user(id)?.avatarUrl ?? '/embed/avatars/0.png'

/** `place`: where they are, in a list that says nothing of it. */
export function drawPerson(id, { place, isFresh, dragEnded }) {
  const now = voice(id)
  const { status, bot, username } = user(id) ?? {}
  const name = nameOf(id)
  const below = [distinction(id), place].filter(Boolean).join(' · ')
  const flags = FLAGS.filter((flag) => now?.[flag.key])
  const isListening = now?.suppress && channel(now.channelId)?.type === STAGE
  const badges = [bot ? 'Bot' : null, isListening ? 'Audience' : null].filter(Boolean)
  const make = () => element('li', { 'data-key': id, ...(isFresh && { 'data-fresh': 'true' }) },
    element('button', {
      class: 'person',
      type: 'button',
      'data-key': `person-${id}`,
      title: username ?? id,
      draggable: true,
      ondragstart: (event) => beginDrag(event, id),
      ondragend: (event) => { endDrag(event); dragEnded() },
      onclick: () => openCard(id),
    },
    element('span', { class: `face ${status}` },
      element('img', { class: 'avatar', loading: 'lazy', src: picture(id), alt: '', width: '32', height: '32', draggable: false }),
      element('span', { class: 'visually-hidden' }, status === 'offline' ? '' : STATUSES[status] ?? '')),
    element('span', { class: 'name' },
      element('span', { dir: 'auto' }, name),
      below === '' ? null : element('span', { class: 'place' }, below)),
    element('span', { class: 'flags' },
      ...badges.map((badge) => element('span', { class: 'badge' }, badge)),
      ...flags.map((flag) => sign(flag.drawing, flag.label, flag.tone)))))
  return late('li', id, [name, below, status, username, picture(id), badges, flags.map((flag) => flag.key)], make)
}

function beginDrag(event, id) {
  dragging = id
  event.dataTransfer.setData('text/plain', id)
  event.dataTransfer.effectAllowed = 'move'
  document.body.dataset.dragging = ''
  event.currentTarget.classList.add('dragged')
}

function endDrag(event) {
  dragging = null
  delete document.body.dataset.dragging
  event.currentTarget.classList.remove('dragged')
}

/** Whoever is let go over `target` is in this channel, or in none. */
export function acceptDrop(target, channelId) {
  target.addEventListener('dragover', (event) => { event.preventDefault(); target.classList.add('over') })
  target.addEventListener('dragleave', () => target.classList.remove('over'))
  target.addEventListener('drop', (event) => {
    event.preventDefault()
    target.classList.remove('over')
    if (dragging && (voice(dragging)?.channelId ?? null) !== channelId) setVoice(dragging, { channelId })
  })
  return target
}

function openCard(id) {
  openUser = id
  at('card-refusal').textContent = ''
  drawCard()
  at('card').showModal()
  const rooms = at('card-rooms')
  const first = rooms.querySelector('[aria-pressed="true"]') ?? rooms.querySelector('button') ?? at('card-close')
  first.focus()
}

export function drawCard() {
  const id = openUser
  if (id === null) return
  if (!member(id)) { at('card').close(); return }
  const now = voice(id)
  at('card-face').src = picture(id)
  at('card-name').textContent = nameOf(id)
  const kind = user(id)?.bot ? 'bot' : id === guild().loadUserId ? 'whom /sim/load moves' : null
  const place = now ? `in ${shown(channel(now.channelId)?.name)}` : 'in no voice channel'
  const where = [user(id)?.username, kind, place].filter(Boolean).join(' · ')
  if (at('card-where').textContent !== where) at('card-where').textContent = where
  drawRooms(now)
  drawFlags(now)
  fill(at('card-status'), ...Object.entries(STATUSES).map(([status, label]) =>
    choice(label, status, user(id)?.status === status, () => setStatus(openUser, status))))
  const own = member(id).roles
  const roles = guild().roles.filter((role) => role.id !== guild().id && !role.managed)
  fill(at('card-roles'), ...(roles.length === 0 ? [nothing('This guild has no roles.')] : roles.map((role) =>
    choice(shown(role.name), role.id, own.includes(role.id), () =>
      setRole(openUser, role.id, !member(openUser)?.roles.includes(role.id))))))
}

function drawRooms(now) {
  const rooms = channels().filter(isVoice)
  const named = Map.groupBy(rooms, (one) => one.name)
  fill(at('card-rooms'),
    ...rooms.map((one) => {
      // Two tables by one name are told apart by where they stand.
      const category = named.get(one.name).length > 1 ? channel(one.parentId)?.name : undefined
      const label = category === undefined ? shown(one.name) : `${shown(one.name)} (${shown(category)})`
      return choice(label, one.id, now?.channelId === one.id, () => setVoice(openUser, { channelId: one.id }))
    }),
    rooms.length === 0 ? nothing('This guild has no voice channel.') : null,
    now ? element('button', {
      type: 'button', class: 'button danger', 'data-key': 'leave', onclick: () => setVoice(openUser, { channelId: null }),
    }, 'Leave') : null)
}

function drawFlags(now) {
  if (!now) return fill(at('card-flags'), nothing('Muting and the like is for people in a voice channel.'))
  const flags = channel(now.channelId)?.type === STAGE ? [...FLAGS, IN_THE_AUDIENCE] : FLAGS
  fill(at('card-flags'), ...flags.map((flag) =>
    choice(flag.label, flag.key, now[flag.key], () => setVoice(openUser, { [flag.key]: !voice(openUser)?.[flag.key] }))))
}

const choice = (label, key, isChosen, onclick) =>
  element('button', { type: 'button', class: 'button', 'data-key': key, 'aria-pressed': String(isChosen), onclick },
    element('bdi', {}, label))

const nothing = (text) => element('p', { class: 'soft', 'data-key': 'nothing' }, text)

/** Where the focus goes when the card closes: to the person, who may have moved meanwhile. */
export function listenToCard() {
  const card = at('card')
  at('card-close').addEventListener('click', () => card.close())
  card.addEventListener('click', (event) => { if (event.target === card) card.close() })
  card.addEventListener('close', () => {
    const person = document.querySelector(`[data-key="person-${openUser}"]`)
    openUser = null
    if (document.activeElement === document.body) person?.focus()
  })
}
