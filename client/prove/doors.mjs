/** The doors of the package, as its `exports` have them, and how large each may be. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const KIB = 1_024

export const folder = fileURLToPath(new URL('..', import.meta.url))
const { exports, name } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

/** Bytes of our own, gzip, beside the core and what an app has anyway. */
const budgets = { '.': 10 * KIB, './react': 3 * KIB, './tanstack-db': 1.5 * KIB, './debug': KIB }

export const doors = Object.entries(exports).map(([door, { types, default: file }]) => ({
  /** As it is imported. */
  specifier: door.replace('.', name),
  short: door === '.' ? 'core' : door.slice(2),
  file,
  types,
  atMost: budgets[door],
}))
