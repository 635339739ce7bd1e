// What is known of the guild that is shown, by id, and what everything is called.

export const CATEGORY = 4
export const STAGE = 13
const VOICE = [2, STAGE]
const VIEW_CHANNEL = 1024n

/** Beyond this many a list is searched, not read, and its order is the simulator's. */
const MOST_SORTED = 2000

/** The guild that is shown, and everything in it and around it by id. */
let known = null

/** Looks at the guild of this id, or at the first one. Answers whether there is any. */
export function know(state, guildId) {
  const shown = state.guilds.find((one) => one.id === guildId) ?? state.guilds[0]
  if (!shown) return false
  const by = (list, key) => new Map(list.map((one) => [one[key], one]))
  known = {
    guild: shown,
    users: by(state.users, 'id'),
    members: by(shown.members, 'userId'),
    voices: by(shown.voiceStates, 'userId'),
    channels: by(shown.channels, 'id'),
    inside: Map.groupBy(shown.voiceStates, (one) => one.channelId),
  }
  known.named = Map.groupBy(shown.members, (one) => nameOf(one.userId))
  return true
}

export const guild = () => known.guild
export const user = (id) => known.users.get(id)
export const member = (id) => known.members.get(id)
export const voice = (id) => known.voices.get(id)
export const channel = (id) => known.channels.get(id)
export const peopleIn = (channelId) => sorted((known.inside.get(channelId) ?? []).map((one) => one.userId))

export const isVoice = (one) => VOICE.includes(one.type)
export const isGated = (one) =>
  one.permissionOverwrites.some((over) => over.id === guild().id && (BigInt(over.deny) & VIEW_CHANNEL))

/** In Discord's order. */
export const channels = () => [...guild().channels].sort((a, b) => a.position - b.position)

const order = new Intl.Collator('en', { numeric: true }).compare

export function sorted(ids) {
  if (ids.length > MOST_SORTED) return ids
  return ids.map((id) => [nameOf(id), id]).sort(([a], [b]) => order(a, b)).map(([, id]) => id)
}

/** A letter, a digit or a sign: blanks and what fonts draw as nothing leave a row empty. */
const SHOWS = /[^\s\p{C}\p{Z}\p{M}\u115F\u1160\u2800\u3164\uFFA0]/u

/** What something is called, if that shows anything. */
export const shown = (name) => (SHOWS.test(name ?? '') ? name : 'Without a name')

export function nameOf(id) {
  const { globalName, username } = user(id) ?? {}
  // Whoever load is made with bears the number of each event as a username.
  const unique = id === guild().loadUserId ? 'Load user' : username
  return [member(id)?.nick, globalName, unique].find((name) => SHOWS.test(name ?? '')) ?? id
}

/** The unique name of whoever is not the only one by their name. */
export const distinction = (id) => (known.named.get(nameOf(id))?.length > 1 ? user(id)?.username : null)

/** Whom somebody looks for by this text. */
export function found(text) {
  const sought = text.trim().toLowerCase()
  return guild().members
    .map((one) => one.userId)
    .filter((id) => `${nameOf(id)} ${user(id)?.username}`.toLowerCase().includes(sought))
}
