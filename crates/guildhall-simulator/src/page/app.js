// "The Discord side": shows /sim/state and acts through /sim, like any other program.

const REFRESH_MS = 200
const CATEGORY = 4
const VOICE = [2, 13]
const STAGE = 13

const FLAGS = [
  { key: 'selfMute', label: 'Muted', short: 'mic off' },
  { key: 'selfDeaf', label: 'Deafened', short: 'deaf' },
  { key: 'selfStream', label: 'Streaming', short: 'live' },
  { key: 'selfVideo', label: 'Camera', short: 'cam' },
  { key: 'mute', label: 'Muted by server', short: 'muted', strong: true },
  { key: 'deaf', label: 'Deafened by server', short: 'deafened', strong: true },
]

const STATUSES = ['online', 'idle', 'dnd', 'offline']

const SCENARIOS = [
  { name: 'standing', says: 'Nothing happens by itself' },
  { name: 'evening', says: 'People drift between rooms' },
  { name: 'big', says: 'A guild of 10,000 members' },
  { name: 'outage', says: 'Guilds fail, connections tear' },
]

/** What a press on the page makes go wrong; scripts can do more. */
const FAULTS = [
  {
    title: 'The bot’s connection',
    faults: [
      { label: 'Tear it', body: { kind: 'drop' } },
      { label: 'Close with 4000', body: { kind: 'close', code: 4000 } },
      { label: 'Op 7: reconnect', body: { kind: 'reconnect' } },
      { label: 'Op 9: session over', body: { kind: 'invalid_session' } },
      { label: 'Op 1: ask for a heartbeat', body: { kind: 'ask_heartbeat' } },
      { label: 'Stop acknowledging', body: { kind: 'stop_acking' } },
      { label: 'Fall silent', body: { kind: 'silence' } },
      { label: 'Half a frame', body: { kind: 'half_frame' } },
      { label: 'Trickle', body: { kind: 'slow', bytes: 256, pauseMs: 20 } },
    ],
  },
  {
    title: 'The next time it connects',
    faults: [
      { label: 'Op 7 instead of HELLO', body: { kind: 'reconnect_hello' } },
      { label: 'Resume host: 503', body: { kind: 'resume_503' } },
      { label: 'Resume host: refuses', body: { kind: 'resume_refused' } },
      { label: 'Resume host: hangs', body: { kind: 'resume_hang' } },
    ],
  },
  {
    title: 'The next REST request',
    faults: [
      { label: '429', body: { kind: 'rate_limit', scope: 'user', retryAfterMs: 2000 } },
      { label: '429 for all', body: { kind: 'rate_limit', scope: 'global', retryAfterMs: 2000 } },
      { label: '429 without JSON', body: { kind: 'rate_limit', scope: 'edge', retryAfterMs: 2000 } },
      { label: '500', body: { kind: 'status', status: 500 } },
      { label: '2 s late', body: { kind: 'latency', latencyMs: 2000 } },
    ],
  },
  {
    title: 'The next events',
    faults: [
      { label: 'One comes twice', body: { kind: 'duplicate' } },
      { label: 'Two swap places', body: { kind: 'reorder' } },
    ],
  },
]

const HEAL = { label: 'Heal what still waits', body: { kind: 'heal' } }

/** People drawn outside of rooms; a guild may have thousands. */
const MOST_OUTSIDE = 200

const at = (id) => document.getElementById(id)
let state = null
let guildId = location.hash.slice(1)
let openUser = null
let dragging = null

/* ---- what is known ---- */

/** The guild that is shown, and everything in it and around it by id. */
let known = null

function know() {
  const shown = state.guilds.find((one) => one.id === guildId) ?? state.guilds[0]
  const by = (list, key) => new Map(list.map((one) => [one[key], one]))
  known = {
    guild: shown,
    users: by(state.users, 'id'),
    members: by(shown.members, 'userId'),
    voices: by(shown.voiceStates, 'userId'),
    channels: by(shown.channels, 'id'),
    inside: Map.groupBy(shown.voiceStates, (one) => one.channelId),
  }
}

const guild = () => known.guild
const user = (id) => known.users.get(id)
const member = (id) => known.members.get(id)
const voice = (id) => known.voices.get(id)
const channel = (id) => known.channels.get(id)

function nameOf(id) {
  if (id === guild().loadUserId) return 'Load user'
  const { globalName, username } = user(id) ?? {}
  return member(id)?.nick ?? globalName ?? username ?? id
}

/* ---- acting ---- */

async function call(method, path, body) {
  try {
    const answer = await fetch(path, {
      method,
      headers: body ? { 'content-type': 'application/json' } : {},
      body: body && JSON.stringify(body),
    })
    const told = await answer.json()
    if (answer.ok) return told
    toast(told.error.message)
  } catch {
    toast('The simulator does not answer')
  }
  return null
}

const setVoice = (userId, change) => call('POST', `/sim/guilds/${guild().id}/voice`, { userId, ...change })

const setRole = (userId, roleId, has) =>
  call(has ? 'PUT' : 'DELETE', `/sim/guilds/${guild().id}/members/${userId}/roles/${roleId}`)

const setStatus = (userId, status) => call('PUT', `/sim/users/${userId}/presence`, { status })

/** Causes a fault, and says whether it met anybody. */
async function cause({ label, body }) {
  const told = await call('POST', '/sim/faults', body)
  if (!told) return
  const met = told.connections
  const whom = met === undefined ? 'done' : met === 0 ? 'no bot is connected' : `met ${met} connection${met === 1 ? '' : 's'}`
  at('caused').textContent = `${label}: ${whom}`
}

const setOutage = (over) => call('POST', '/sim/faults', { kind: 'outage', guildId: guild().id, over })

let toastTimer
function toast(text) {
  at('toast').textContent = text
  clearTimeout(toastTimer)
  toastTimer = setTimeout(() => { at('toast').textContent = '' }, 4000)
}

/* ---- drawing ---- */

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value)
    else if (name === 'class') made.className = value
    else if (name in made && typeof value !== 'string') made[name] = value
    else made.setAttribute(name, value)
  }
  made.append(...children.filter((child) => child !== null))
  return made
}

const keyOf = (node) => node.dataset?.key

/**
 * Makes the children of `parent` these. What is there already and has the same key
 * stays and is only brought up to date, so that a press or the keyboard's focus is
 * not lost to a change that came meanwhile. Listeners stay too: they look up what
 * they need when they are called.
 */
function fill(parent, ...children) {
  const wanted = children.filter((child) => child !== null)
  const before = [...parent.childNodes]
  const result = wanted.map((next) => {
    const place = before.findIndex((old) => old.nodeName === next.nodeName && keyOf(old) === keyOf(next))
    if (place < 0) return next
    const [old] = before.splice(place, 1)
    update(old, next)
    return old
  })
  for (const old of before) old.remove()
  let here = parent.firstChild
  for (const node of result) {
    if (node === here) here = here.nextSibling
    else parent.insertBefore(node, here)
  }
}

function update(old, next) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== next.data) old.data = next.data
    return
  }
  for (const { name } of [...old.attributes]) if (!next.hasAttribute(name)) old.removeAttribute(name)
  for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value)
  fill(old, ...next.childNodes)
}

function draw() {
  if (!state || dragging) return
  know()
  drawPulse()
  drawGuilds()
  drawHead()
  drawRooms()
  drawOutside()
  drawWeather()
  if (openUser) drawCard()
}

function drawPulse() {
  const chips = state.sessions.map((session) =>
    element('li', { class: session.attached ? 'on' : 'off' },
      session.attached ? `bot connected · seq ${session.seq}` : `bot away · seq ${session.seq}`))
  fill(at('pulse'), ...(chips.length ? chips : [element('li', {}, 'no bot connected')]))
}

function drawGuilds() {
  fill(at('guilds'), ...state.guilds.map((one) =>
    element('button', {
      'data-key': one.id,
      'aria-current': String(one.id === guild().id),
      onclick: () => { guildId = one.id; history.replaceState(null, '', `#${one.id}`); draw() },
    },
    element('img', { src: `/icons/${one.id}/${one.icon}.png`, alt: '', width: '40', height: '40' }),
    element('span', {}, one.name, element('small', {}, `${one.voiceStates.length} in voice`)))))
}

function drawHead() {
  const one = guild()
  fill(at('guild-head'),
    element('h2', {}, one.name),
    one.available ? null : element('span', { class: 'badge' }, 'out of service'),
    element('button', { 'data-key': 'outage', onclick: () => setOutage(!guild().available) },
      one.available ? 'Take out of service' : 'Bring back'))
}

function drawRooms() {
  const all = [...guild().channels].sort((a, b) => a.position - b.position)
  const groups = [{ id: null, name: 'Channels' }, ...all.filter((one) => one.type === CATEGORY)]
  fill(at('rooms'), ...groups.map((group) => {
    const inside = all.filter((one) => one.type !== CATEGORY && one.parentId === group.id)
    if (inside.length === 0) return null
    const rooms = inside.filter((one) => VOICE.includes(one.type))
    const texts = inside.filter((one) => !VOICE.includes(one.type))
    return element('div', { class: 'category', 'data-key': group.id ?? 'none' },
      element('h3', {}, group.name),
      texts.length === 0 ? null
        : element('div', { class: 'texts' }, ...texts.map((one) => element('span', {}, `# ${one.name}`))),
      element('div', { class: 'grid' }, ...rooms.map(drawRoom)))
  }))
}

function drawRoom(one) {
  const people = known.inside.get(one.id) ?? []
  const gated = one.permissionOverwrites.some((over) => over.id === guild().id && (BigInt(over.deny) & 1024n))
  const tags = [
    one.type === STAGE ? 'stage' : null,
    gated ? 'needs a role' : null,
    one.botSees ? null : 'hidden from the bot',
  ].filter(Boolean)
  const count = one.userLimit ? `${people.length} / ${one.userLimit}` : String(people.length)
  const room = element('article', { class: 'room', 'data-key': one.id, 'aria-label': one.name },
    element('header', {}, element('h4', {}, one.name), element('small', { 'aria-label': `${count} people` }, count)),
    tags.length === 0 ? null : element('div', { class: 'tags' }, ...tags.map((tag) => element('span', {}, tag))),
    people.length === 0 ? element('p', { class: 'empty' }, 'Nobody here')
      : element('ul', { class: 'people' }, ...people.map((state) => element('li', { 'data-key': state.userId }, drawPerson(state.userId)))))
  return acceptDrop(room, one.id)
}

function drawOutside() {
  const people = guild().members.filter((one) => !voice(one.userId))
  const more = people.length - MOST_OUTSIDE
  fill(at('outside'),
    ...people.slice(0, MOST_OUTSIDE).map((one) => element('li', { 'data-key': one.userId }, drawPerson(one.userId))),
    more > 0 ? element('li', { class: 'empty' }, `and ${more} more`) : null)
}

function drawWeather() {
  fill(at('scenarios'), ...SCENARIOS.map(({ name, says }) => element('button', {
    type: 'button',
    'data-key': `scenario-${name}`,
    'aria-pressed': String(state.scenario === name),
    onclick: () => call('POST', '/sim/scenario', { name }),
  }, name, element('small', {}, says))))
}

/** Buttons that never change are drawn once. */
function drawFaults() {
  const button = (fault) => element('button', { type: 'button', onclick: () => cause(fault) }, fault.label)
  fill(at('faults'),
    ...FAULTS.map(({ title, faults }) => element('div', { role: 'group', 'aria-label': title },
      element('h4', {}, title),
      element('div', { class: 'buttons' }, ...faults.map(button)))),
    element('div', { class: 'buttons' }, button(HEAL)))
}

function drawPerson(id) {
  const now = voice(id)
  const flags = FLAGS.filter((flag) => now?.[flag.key])
    .map((flag) => element(flag.strong ? 'b' : 'span', {}, flag.short))
  if (now?.suppress) flags.push(element('span', {}, 'audience'))
  if (user(id)?.bot) flags.push(element('span', {}, 'bot'))
  return element('button', {
    class: 'person',
    'data-key': `person-${id}`,
    draggable: true,
    ondragstart: (event) => { dragging = id; event.dataTransfer.setData('text/plain', id) },
    ondragend: () => { dragging = null; draw() },
    onclick: () => { openUser = id; drawCard(); at('card').showModal() },
  },
  element('span', { class: `face ${user(id)?.status}` },
    element('img', {
      loading: 'lazy',
      src: user(id)?.avatarUrl ?? '/embed/avatars/0.png',
      alt: '',
      width: '32',
      height: '32',
      draggable: false,
    })),
  element('span', { class: 'name' }, nameOf(id)),
  element('span', { class: 'flags' }, ...flags))
}

function acceptDrop(target, channelId) {
  target.addEventListener('dragover', (event) => { event.preventDefault(); target.classList.add('over') })
  target.addEventListener('dragleave', () => target.classList.remove('over'))
  target.addEventListener('drop', (event) => {
    event.preventDefault()
    target.classList.remove('over')
    if (dragging) setVoice(dragging, { channelId })
    dragging = null
  })
  return target
}

function drawCard() {
  const id = openUser
  if (!member(id)) { at('card').close(); return }
  const now = voice(id)
  at('card-face').src = user(id)?.avatarUrl ?? '/embed/avatars/0.png'
  at('card-name').textContent = nameOf(id)
  at('card-where').textContent =
    `${user(id)?.username} · ${now ? `in ${channel(now.channelId)?.name}` : 'in no voice channel'}`
  const rooms = guild().channels.filter((one) => VOICE.includes(one.type))
  fill(at('card-rooms'),
    ...rooms.map((one) => element('button', {
      type: 'button',
      'data-key': one.id,
      'aria-pressed': String(now?.channelId === one.id),
      onclick: () => setVoice(openUser, { channelId: one.id }),
    }, one.name)),
    now ? element('button', {
      type: 'button', class: 'leave', 'data-key': 'leave', onclick: () => setVoice(openUser, { channelId: null }),
    }, 'Leave') : null)
  fill(at('card-flags'), ...(now ? FLAGS.map((flag) => element('button', {
    type: 'button',
    'data-key': flag.key,
    'aria-pressed': String(now[flag.key]),
    onclick: () => setVoice(openUser, { [flag.key]: !voice(openUser)?.[flag.key] }),
  }, flag.label)) : [element('p', { class: 'empty' }, 'Only for people in a room.')]))
  fill(at('card-status'), ...STATUSES.map((status) => element('button', {
    type: 'button',
    'data-key': status,
    'aria-pressed': String(user(id)?.status === status),
    onclick: () => setStatus(openUser, status),
  }, status)))
  const own = member(id).roles
  fill(at('card-roles'), ...guild().roles
    .filter((role) => role.id !== guild().id && !role.managed)
    .map((role) => element('button', {
      type: 'button',
      'data-key': role.id,
      'aria-pressed': String(own.includes(role.id)),
      onclick: () => setRole(openUser, role.id, !member(openUser)?.roles.includes(role.id)),
    }, role.name)))
}

/* ---- staying fresh ---- */

let loading = false
let stale = false

/** One request at a time, at most one every REFRESH_MS, and none missed. */
async function refresh() {
  stale = true
  if (loading) return
  loading = true
  while (stale) {
    stale = false
    try {
      const answer = await fetch('/sim/state')
      state = await answer.json()
      draw()
    } catch {
      toast('The simulator does not answer')
    }
    await new Promise((done) => setTimeout(done, REFRESH_MS))
  }
  loading = false
}

drawFaults()
acceptDrop(document.querySelector('.outside'), null)
at('card').addEventListener('close', () => { openUser = null })
at('card').addEventListener('click', (event) => { if (event.target === at('card')) at('card').close() })
new EventSource('/sim/events').addEventListener('changed', refresh)
