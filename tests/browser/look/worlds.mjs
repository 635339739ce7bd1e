/** Guilds to look at: an evening as it may be, a crowd, and what nobody hopes for. Names that the page's font covers. */

const GUILD = '613425648685547541'
/** Times are shown: these are always the same. */
const EIGHT = Date.UTC(2026, 10, 27, 20, 0)
const MINUTE = 60_000

const NAMES =
  'Juniper,Tobias,Mirelle,Harald the Odd,Sanna,Bramblewick,Yuki,The Captain,Priya,Lesedi,Old Finn,Inês,Quill,Theo,Mo,Stella,Lan,Ada,Bertil,Cosima,Dmitri,Eleni,Farid,Greta,Hugo,Ilse,Jonas,Kaya,Lior,Maren,Nils,Oona,Pavel,Ravi,Signe,Tuva,Uma,Vera,Wim,Xenia,Yara,Zeno,Anouk,Bo the Bard,Cyrus,Dagny,Emre,Fenwick,Gwen,Hana,Ivo,June,Kai,Lene,Milo,Noor,Otis,Pia,Rasmus,Sölve,Jörg'.split(
    ',',
  )

const idOf = (kind, number) => `8035111022${kind}${String(number).padStart(6, '0')}`

export const me = { id: idOf(1, 0), username: 'rowan.ash', displayName: 'Rowan', avatarUrl: 'cdn/3.svg' }

const person = (number, more = {}) => ({
  userId: idOf(1, number + 1),
  username: NAMES[number % NAMES.length].toLowerCase().replaceAll(' ', '.'),
  displayName: NAMES[number % NAMES.length],
  avatar: null,
  // Some have none.
  avatarUrl: number % 4 === 3 ? '' : `cdn/${number + 11}.svg`,
  bot: false,
  since: EIGHT + ((number * 7) % 50) * MINUTE,
  mute: false,
  deaf: false,
  selfMute: false,
  selfDeaf: false,
  streaming: false,
  video: false,
  suppressed: false,
  ...more,
})

const asMe = (more = {}) => ({ ...person(0), userId: me.id, username: me.username, displayName: me.displayName, avatarUrl: me.avatarUrl, ...more })

let rooms = 0
const room = (name, members, more = {}) => {
  rooms += 1
  const channelId = more.channelId ?? idOf(2, rooms)
  return {
    channelId,
    name,
    kind: 'voice',
    position: rooms,
    userLimit: 0,
    members: members.map((member) => ({ ...member, channelId })),
    ...more,
  }
}

const hall = { parentId: idOf(3, 1), parentName: 'The Hall' }
const upstairs = { parentId: idOf(3, 2), parentName: 'Upstairs' }
const own = { parentId: idOf(3, 3), parentName: 'Tables for tonight' }

export const ids = { guild: GUILD, hearth: idOf(2, 900_001), den: idOf(2, 900_002), locked: idOf(2, 900_003), long: idOf(2, 900_004) }

const guild = (...rooms) => ({ id: GUILD, name: 'The Gilded Griffin', icon: null, available: true, rooms })

export const evening = () => [
  guild(
    room('The Hearth', [person(0), person(1, { selfMute: true }), person(2), person(3), person(4, { video: true })], {
      ...hall,
      channelId: ids.hearth,
      status: 'The one about the lighthouse',
    }),
    room('Table One', [person(5), person(6, { streaming: true }), person(7), person(8, { selfMute: true, selfDeaf: true })], {
      ...hall,
      userLimit: 4,
      status: 'Curse of the Amber Crown, part 12',
    }),
    room('Table Two', [], { ...hall, userLimit: 6 }),
    room('Quiet Corner', [person(9, { mute: true })], { ...hall, userLimit: 4 }),
    room("Keepers' Chamber", [person(10), person(11)], upstairs),
    room('The Balcony', [person(12, { video: true }), person(13, { suppressed: true }), person(14, { suppressed: true })], {
      ...upstairs,
      kind: 'stage',
    }),
    room("Rowan's den", [asMe(), person(15), person(16)], {
      ...own,
      channelId: ids.den,
      userLimit: 5,
      managed: true,
      ownerId: me.id,
      locked: false,
      hidden: true,
    }),
    room('Chess, quietly', [], {
      ...own,
      channelId: ids.locked,
      userLimit: 2,
      managed: true,
      ownerId: idOf(1, 3),
      locked: true,
      hidden: false,
      deletesAt: EIGHT + 55 * MINUTE,
    }),
  ),
]

export const sixty = () => [
  guild(
    room('The Hearth', Array.from({ length: 60 }, (_, number) => person(number, flagsOf(number))), { ...hall, channelId: ids.hearth }),
    room('Table One', [], { ...hall, userLimit: 4 }),
    room('Quiet Corner', [], hall),
  ),
]

/** One room with this many people. */
export const crowd = (size) => [
  guild(room('The Hearth', Array.from({ length: size }, (_, number) => person(number, flagsOf(number))), { ...hall, channelId: ids.hearth })),
]

const flagsOf = (number) => ({
  selfMute: number % 3 === 0,
  selfDeaf: number % 9 === 0,
  streaming: number === 7,
  video: number % 13 === 4,
})

export const nobody = () => [guild(room('The Hearth', [], hall), room('Table One', [], { ...hall, userLimit: 4 }), room('Quiet Corner', [], hall))]
export const noRooms = () => [guild()]
export const noGuilds = () => []

export const manyRooms = () => [
  guild(
    ...Array.from({ length: 500 }, (_, number) =>
      room(`Room ${number + 1}`, number % 5 === 0 ? [person(number % 60)] : [], {
        parentId: idOf(3, 100 + Math.floor(number / 50)),
        parentName: `Wing ${Math.floor(number / 50) + 1}`,
      }),
    ),
  ),
]

const LONG = 'Honorificabilitudinitatibus'.repeat(4).slice(0, 100)
const NO_BREAKS = 'W'.repeat(100)
const ARABIC = 'غرفة الاجتماعات الكبيرة في الطابق العلوي'
const HEBREW_OVERRIDE = '\u202eדרור evil.exe'
const EMOJI = '👩‍👩‍👧‍👦'.repeat(14)
const BLANKS = ['\u3164', '\u200b\u200b', ' ', '\u2800\u2800']

/** Names that nobody planned for: Discord lets them all in. */
export const hostile = () => {
  const named = (number, displayName, username = 'quill', more = {}) => person(number, { displayName, username, ...more })
  const crowd = [
    named(0, LONG, 'long', { streaming: true, video: true, selfMute: true, selfDeaf: true }),
    named(1, NO_BREAKS, 'w', { bot: true, mute: true }),
    named(2, ARABIC),
    named(3, HEBREW_OVERRIDE),
    named(4, EMOJI, 'family'),
    ...BLANKS.map((name, at) => named(5 + at, name, at === 3 ? '' : `blank.${at}`)),
    named(10, 'Mo', 'mo.one'),
    named(11, 'Mo', 'mo.two'),
    named(12, '<img src=x onerror=alert(1)>', 'angle'),
    named(13, 'Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́O̵̹̻̝̳', 'zalgo'),
  ]
  return [
    guild(
      room(NO_BREAKS, [...crowd, asMe()], {
        channelId: ids.long,
        parentId: idOf(3, 7),
        parentName: LONG,
        status: NO_BREAKS.repeat(5),
        userLimit: 99,
        managed: true,
        ownerId: me.id,
        locked: true,
        hidden: true,
        deletesAt: EIGHT,
      }),
      room(ARABIC, crowd.slice(2, 4), { parentId: idOf(3, 7), parentName: LONG, status: ARABIC }),
      room('\u3164', [], { parentId: idOf(3, 8), parentName: '\u200b', userLimit: 99 }),
      room(EMOJI, crowd.slice(4, 5), { parentId: idOf(3, 8), parentName: '\u200b' }),
    ),
    { ...guild(), id: '613425648685547542', name: NO_BREAKS },
    { ...guild(room('Lone', [crowd[5]])), id: '613425648685547543', name: '\u3164', available: false },
  ]
}
