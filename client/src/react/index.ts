/** `@guildhall/client/react`: thin hooks over the client's store. */

export {
  type Command,
  useCommand,
  useGuildhallEvent,
  useLiveStatus,
  useMember,
  useRoom,
  useRooms,
  useSuspenseVoice,
  useVoice,
  type VoiceQuery,
} from './hooks.js'
export { GuildhallProvider, useGuildhall } from './provider.js'
export { type DiscordEvents, useDiscordEventStream, useVoiceChannelMembers, useVoiceChannelMembersFromSSE } from './seed.js'
