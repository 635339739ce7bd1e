import type { GuildEvent } from '../wire.js'

/** About a guild as a whole: they come behind whole groups, and may have no id of their own. */
const closing: readonly string[] = ['guild.available', 'guild.unavailable', 'guild.removed']

/**
 * Holds what one cause did until the last of it has come, which alone carries an id:
 * a move never shows somebody in no room, or in two.
 */
export class Groups {
  #held: GuildEvent[] = []

  /** The whole group, if this event ends one. */
  take(event: GuildEvent, id: string | undefined): readonly GuildEvent[] | null {
    this.#held.push(event)
    if (id === undefined && !closing.includes(event.name)) return null
    const whole = this.#held
    this.#held = []
    return whole
  }

  /** The connection ended, or a snapshot came: what is unfinished comes again, or is in it. */
  drop(): void {
    this.#held = []
  }
}
