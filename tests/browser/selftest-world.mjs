/** The guilds of the self-test: enough to look at, one of everything the page can show. */

const GUILD = '613425648685547541'

export const ids = {
  guild: GUILD,
  ana: '80351110224678911',
  bo: '80351110224678912',
  dee: '80351110224678914',
  lobby: '613425648685547600',
  table: '613425648685547601',
  stage: '613425648685547602',
}

const start = Date.now() - 3_600_000

const person = (userId, username, displayName, more = {}) => ({
  userId,
  username,
  displayName,
  avatar: null,
  avatarUrl: `cdn/${userId.slice(-3)}.svg`,
  bot: false,
  since: start,
  mute: false,
  deaf: false,
  selfMute: false,
  selfDeaf: false,
  streaming: false,
  video: false,
  suppressed: false,
  ...more,
})

const dee = person(ids.dee, 'dee', 'Dee Dvořák')

export const people = [
  { id: ids.ana, username: 'ana.p', displayName: 'Ana Pereira', avatarUrl: 'cdn/911.svg' },
  { id: ids.bo, username: 'bo.the.bard', displayName: 'Bo the Bard', avatarUrl: 'cdn/912.svg' },
]

const room = (channelId, name, position, members, more = {}) => ({
  channelId,
  name,
  kind: 'voice',
  position,
  userLimit: 0,
  members: members.map((member) => ({ channelId, ...member })),
  ...more,
})

const play = { parentId: '613425648685547590', parentName: 'Game nights' }

export const guilds = () => [
  {
    id: GUILD,
    name: 'The Long Table',
    icon: null,
    available: true,
    rooms: [
      room(ids.lobby, 'Lobby', 0, [
        person(ids.bo, 'bo.the.bard', 'Bo the Bard', { selfMute: true }),
        person('80351110224678913', 'cy', 'Cy 🎲', { selfMute: true, selfDeaf: true }),
        person('80351110224678920', 'jukebox', 'Jukebox', { bot: true, deaf: true }),
      ]),
      room(
        ids.table,
        'Table 1: Curse of the Very Long Room Name That Wraps',
        1,
        [
          person('80351110224678915', 'eli', 'Eli', { streaming: true }),
          person('80351110224678916', 'fen', 'Fenwick of the Extremely Long Display Name', {
            video: true,
            selfMute: true,
            streaming: true,
          }),
          person('80351110224678917', 'gwen', 'グウェン', { mute: true, avatarUrl: 'cdn/none' }),
        ],
        { userLimit: 5, ...play },
      ),
      room('613425648685547603', 'Table 2', 2, [], { userLimit: 5, ...play }),
      room('613425648685547604', 'Table 3', 3, [], { userLimit: 5, ...play }),
      room(
        ids.stage,
        'Town hall',
        4,
        [
          person('80351110224678918', 'hana', 'Hana', { video: true }),
          person('80351110224678919', 'ivo', 'Ivo', { suppressed: true, selfMute: true }),
        ],
        { kind: 'stage' },
      ),
      room('613425648685547605', 'Away from keyboard', 5, []),
    ],
  },
  {
    id: '613425648685547700',
    name: 'Deep Work Study Hall',
    icon: null,
    available: false,
    rooms: [
      room('613425648685547701', 'Quiet', 0, [
        person('80351110224678921', 'june', 'June', { selfMute: true }),
        person('80351110224678922', 'kai', 'Kai', { selfMute: true, selfDeaf: true }),
      ]),
      room('613425648685547702', 'Break room', 1, []),
    ],
  },
]

/** Dee is the one who comes and goes. */
export const joined = (channelId) => ({ guildId: GUILD, ts: Date.now(), channelId, ...dee })

export const left = (previousChannelId) => ({
  guildId: GUILD,
  ts: Date.now(),
  channelId: null,
  previousChannelId,
  userId: ids.dee,
})
