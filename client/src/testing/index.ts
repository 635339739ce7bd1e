/**
 * `@guildhall/client/testing`: a client for your tests, which they drive by hand.
 *
 * It is a `Guildhall` like any other, over the same store, so hooks, selectors and listeners do what
 * they do in a browser. It asks no server and has no timer: whatever is told it is seen at once.
 */

import { createFake, type FakeGuildhall, type FakeOptions } from './fake.js'

export type { FakeGuildhall, FakeOptions, Handlers } from './fake.js'
export { guild, person, room } from './pictures.js'

/** A client that a test drives. With `guilds` it is live at once; without, nothing is known yet. */
export const fakeGuildhall: <const Options extends FakeOptions = FakeOptions>(
  options?: Options,
) => FakeGuildhall<Options extends { readonly guild: string } ? true : false> = (options) => createFake(options ?? {}) as never
