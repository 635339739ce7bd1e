// Written by `cargo xtask codegen` from docs/openapi.json: a change here is lost.

/** Every event of a stream, and how it travels: in groups, by itself, or about the stream itself. */
export const travels = {
  'bye': 'control',
  'checkpoint': 'control',
  'gap': 'group',
  'guild.available': 'group',
  'guild.removed': 'group',
  'guild.unavailable': 'group',
  'guild.updated': 'group',
  'resumed': 'control',
  'room.created': 'group',
  'room.deleted': 'group',
  'room.hidden': 'group',
  'room.idle': 'group',
  'room.shown': 'group',
  'room.updated': 'group',
  'snapshot': 'control',
  'status': 'control',
  'voice.joined': 'group',
  'voice.left': 'group',
  'voice.updated': 'group',
} as const
