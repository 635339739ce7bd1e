/** The tests of hooks with the oldest React that the package is for: that of `tests/packages/node`. */

import { fileURLToPath } from 'node:url'

import { defineConfig } from 'vitest/config'

const older = (name) => fileURLToPath(new URL(`../../tests/packages/node/node_modules/${name}`, import.meta.url))

export default defineConfig({
  resolve: { alias: [{ find: /^(react|react-dom)(?=$|\/)/, replacement: older('$1') }] },
  test: { include: ['prove/react18.test.mjs', 'src/react/*.test.tsx', 'src/testing/*.test.tsx'], testTimeout: 60_000 },
})
