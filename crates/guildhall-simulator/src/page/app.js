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

const SCENARIOS = ['standing', 'evening', 'big', 'outage']

/** What a press on the page makes go wrong; scripts can do more. */
const FAULTS = [
  { label: 'Tear the connection', body: { kind: 'drop' } },
  { label: 'Close with 4000', body: { kind: 'close', code: 4000 } },
  { label: 'Op 7: reconnect', body: { kind: 'reconnect' } },
  { label: 'Op 9: session invalid', body: { kind: 'invalid_session' } },
  { label: 'Stop acknowledging', body: { kind: 'stop_acking' } },
  { label: 'Fall silent', body: { kind: 'silence' } },
  { label: 'Half a frame', body: { kind: 'half_frame' } },
  { label: 'Resume host: 503', body: { kind: 'resume_503' } },
  { label: 'Resume host: hangs', body: { kind: 'resume_hang' } },
  { label: 'REST: 429', body: { kind: 'rate_limit', scope: 'user', retryAfterMs: 2000 } },
  { label: 'REST: 500', body: { kind: 'status', status: 500 } },
  { label: 'REST: 2 s late', body: { kind: 'latency', latencyMs: 2000 } },
  { label: 'Next event twice', body: { kind: 'duplicate' } },
  { label: 'Heal', body: { kind: 'heal' } },
]

/** People drawn outside of rooms; a guild may have thousands. */
const MOST_OUTSIDE = 200

const at = (id) => document.getElementById(id)
let state = null
let guildId = location.hash.slice(1)
let openUser = null
let dragging = null

/* ---- what is known ---- */

const guild = () => state.guilds.find((one) => one.id === guildId) ?? state.guilds[0]
const user = (id) => state.users.find((one) => one.id === id)
const member = (id) => guild().members.find((one) => one.userId === id)
const voice = (id) => guild().voiceStates.find((one) => one.userId === id)
const channel = (id) => guild().channels.find((one) => one.id === id)

function nameOf(id) {
  if (id === guild().loadUserId) return 'Load user'
  const known = user(id)
  return member(id)?.nick ?? known?.globalName ?? known?.username ?? id
}

/* ---- acting ---- */

async function call(method, path, body) {
  try {
    const answer = await fetch(path, {
      method,
      headers: body ? { 'content-type': 'application/json' } : {},
      body: body && JSON.stringify(body),
    })
    if (!answer.ok) toast((await answer.json()).error.message)
  } catch {
    toast('The simulator does not answer')
  }
}

const setVoice = (userId, change) => call('POST', `/sim/guilds/${guild().id}/voice`, { userId, ...change })

const setRole = (userId, roleId, has) =>
  call(has ? 'PUT' : 'DELETE', `/sim/guilds/${guild().id}/members/${userId}/roles/${roleId}`)

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

/** Puts new children in, and the keyboard's focus back where it was. */
function fill(parent, ...children) {
  const focused = parent.contains(document.activeElement) ? document.activeElement.dataset.key : null
  parent.replaceChildren(...children.filter((child) => child !== null))
  if (focused) parent.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus()
}

function draw() {
  if (!state || dragging) return
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
    element('button', { 'data-key': 'outage', onclick: () => setOutage(!one.available) },
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
    return element('div', { class: 'category' },
      element('h3', {}, group.name),
      texts.length === 0 ? null
        : element('div', { class: 'texts' }, ...texts.map((one) => element('span', {}, `# ${one.name}`))),
      element('div', { class: 'grid' }, ...rooms.map(drawRoom)))
  }))
}

function drawRoom(one) {
  const people = guild().voiceStates.filter((state) => state.channelId === one.id)
  const gated = one.permissionOverwrites.some((over) => over.id === guild().id && (BigInt(over.deny) & 1024n))
  const tags = [
    one.type === STAGE ? 'stage' : null,
    gated ? 'needs a role' : null,
    one.botSees ? null : 'hidden from the bot',
  ].filter(Boolean)
  const count = one.userLimit ? `${people.length} / ${one.userLimit}` : String(people.length)
  const room = element('article', { class: 'room', 'aria-label': one.name },
    element('header', {}, element('h4', {}, one.name), element('small', { 'aria-label': `${count} people` }, count)),
    tags.length === 0 ? null : element('div', { class: 'tags' }, ...tags.map((tag) => element('span', {}, tag))),
    people.length === 0 ? element('p', { class: 'empty' }, 'Nobody here')
      : element('ul', { class: 'people' }, ...people.map((state) => element('li', {}, drawPerson(state.userId)))))
  return acceptDrop(room, one.id)
}

function drawOutside() {
  const people = guild().members.filter((one) => !voice(one.userId))
  const more = people.length - MOST_OUTSIDE
  fill(at('outside'),
    ...people.slice(0, MOST_OUTSIDE).map((one) => element('li', {}, drawPerson(one.userId))),
    more > 0 ? element('li', { class: 'empty' }, `and ${more} more`) : null)
}

function drawWeather() {
  fill(at('scenarios'), ...SCENARIOS.map((name) => element('button', {
    type: 'button',
    'data-key': `scenario-${name}`,
    'aria-pressed': String(state.scenario === name),
    onclick: () => call('POST', '/sim/scenario', { name }),
  }, name)))
  fill(at('faults'), ...FAULTS.map((fault) => element('button', {
    type: 'button',
    'data-key': `fault-${fault.label}`,
    onclick: () => call('POST', '/sim/faults', fault.body),
  }, fault.label)))
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
  element('img', { src: user(id)?.avatarUrl ?? '/embed/avatars/0.png', alt: '', width: '32', height: '32', draggable: false }),
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
      onclick: () => setVoice(id, { channelId: one.id }),
    }, one.name)),
    now ? element('button', {
      type: 'button', class: 'leave', 'data-key': 'leave', onclick: () => setVoice(id, { channelId: null }),
    }, 'Leave') : null)
  fill(at('card-flags'), ...(now ? FLAGS.map((flag) => element('button', {
    type: 'button',
    'data-key': flag.key,
    'aria-pressed': String(now[flag.key]),
    onclick: () => setVoice(id, { [flag.key]: !now[flag.key] }),
  }, flag.label)) : [element('p', { class: 'empty' }, 'Only for people in a room.')]))
  const own = member(id).roles
  fill(at('card-roles'), ...guild().roles
    .filter((role) => role.id !== guild().id && !role.managed)
    .map((role) => element('button', {
      type: 'button',
      'data-key': role.id,
      'aria-pressed': String(own.includes(role.id)),
      onclick: () => setRole(id, role.id, !own.includes(role.id)),
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

acceptDrop(document.querySelector('.outside'), null)
at('card').addEventListener('close', () => { openUser = null })
at('card').addEventListener('click', (event) => { if (event.target === at('card')) at('card').close() })
new EventSource('/sim/events').addEventListener('changed', refresh)
