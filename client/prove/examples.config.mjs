/** Runs the examples of the pages with the package as it is built. */

import { join } from 'node:path'

import { defineConfig } from 'vitest/config'

import { doors, folder } from './doors.mjs'

const exact = (text) => new RegExp(`^${text}$`)

export default defineConfig({
  resolve: { alias: doors.map(({ specifier, file }) => ({ find: exact(specifier), replacement: join(folder, file) })) },
  test: { include: ['prove/examples.test.jsx'], testTimeout: 60_000 },
})
