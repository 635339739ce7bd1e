import { fileURLToPath } from 'node:url'

import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const client = (entry: string): string => fileURLToPath(new URL(`../client/src/${entry}`, import.meta.url))

// While developing, a running server answers what Vite does not: `WEB_URL=http://localhost:3000 npm run dev`.
const server = process.env['WEB_URL'] ?? 'http://localhost:3000'

export default defineConfig({
  // Relative addresses only: the page also lives under a path prefix.
  base: './',
  plugins: [react()],
  // The client by its two doors, as source: a change of it is on the page at once, and is built with it.
  resolve: {
    alias: [
      { find: /^@guildhall\/client$/, replacement: client('index.ts') },
      { find: /^@guildhall\/client\/react$/, replacement: client('react/index.ts') },
    ],
    dedupe: ['react', 'react-dom'],
  },
  build: {
    target: 'es2022',
    // No asset may become a data: URL, the content security policy forbids them.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // Beside the page that of overlay links, which stays small: of the page's code it has the client's core alone.
      input: ['index.html', 'overlay.html'],
      output: {
        // One file for the rest of what the first view needs: in pieces it is a tenth longer when compressed.
        codeSplitting: {
          groups: [
            { name: 'client', tags: ['$initial'], test: /\/client\/src\/(?!react)/ },
            { name: 'first', tags: ['$initial'], test: /^(?!.*\/(overlay\.html|src\/overlay\/))/ },
          ],
        },
      },
    },
  },
  server: { proxy: { '/api': server, '/auth': server } },
  test: { include: ['src/**/*.test.{ts,tsx}'] },
})
