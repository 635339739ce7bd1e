/** What can be asked for, by the names it has here, typed by the server's OpenAPI document. */

import type { paths } from '../generated/api.js'

export const calls = {
  'rooms.create': 'createRoom',
  'rooms.rename': 'renameRoom',
  'rooms.setStatus': 'setRoomStatus',
  'rooms.setLimit': 'setRoomLimit',
  'rooms.lock': 'lockRoom',
  'rooms.hide': 'hideRoom',
  'rooms.kick': 'kickFromRoom',
  'rooms.block': 'blockFromRoom',
  'rooms.unblock': 'unblockFromRoom',
  'rooms.transfer': 'transferRoom',
  'rooms.claim': 'claimRoom',
  'rooms.close': 'closeRoom',
  'rooms.exists': 'checkRoomExists',
  'invites.create': 'createInvite',
  'invites.revoke': 'revokeInvite',
  'invites.join': 'joinRoom',
  'overlays.create': 'createOverlayLink',
  'overlays.revoke': 'revokeOverlayLink',
  'voice.connect': 'connectUserToVoiceChannel',
  'voice.disconnect': 'disconnect',
  'voice.channelOf': 'checkUserInVoiceChannel',
  'voice.members': 'getVoiceChannelMembers',
  'guilds.ensureMember': 'ensureUserInGuild',
} as const

export type CallName = keyof typeof calls

type Operation<Name extends CallName> = paths[`/api/rpc/${(typeof calls)[Name]}`]['post']
type Body<Name extends CallName> = Operation<Name> extends {
  readonly requestBody: { readonly content: { readonly 'application/json': infer Whole } }
}
  ? Whole
  : never

/** The answer of a call, where it was not refused. */
export type Answer<Name extends CallName> = Operation<Name> extends {
  readonly responses: { readonly 200: { readonly content: { readonly 'application/json': infer Whole } } }
}
  ? Whole
  : never

/** What a call is given. The guild may be left out where the client names one. */
export type Input<Name extends CallName, NamesGuild extends boolean = false> = [NamesGuild] extends [true]
  ? GuildOptional<Undefinable<Body<Name>>>
  : Undefinable<Body<Name>>

/** What may be left out may be undefined: JSON leaves it out. */
type Undefinable<Whole> = {
  readonly [Field in keyof Whole]: object extends Pick<Whole, Field> ? Whole[Field] | undefined : Whole[Field]
}

type GuildOptional<Whole> = Whole extends { readonly guildId: string }
  ? Omit<Whole, 'guildId'> & { readonly guildId?: string | undefined }
  : Whole

/** The calls whose input names a guild. */
export const aboutGuilds: readonly CallName[] = [
  'rooms.create',
  'voice.disconnect',
  'voice.channelOf',
  'guilds.ensureMember',
]

/** The calls that ask and change nothing. */
export type Question = 'rooms.exists' | 'voice.channelOf' | 'voice.members' | 'guilds.ensureMember'

export const questions: readonly CallName[] = [
  'rooms.exists',
  'voice.channelOf',
  'voice.members',
  'guilds.ensureMember',
] satisfies readonly Question[]
