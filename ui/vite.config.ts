import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

// While developing, a running server answers what Vite does not: `WEB_URL=http://localhost:3000 npm run dev`.
const server = process.env['WEB_URL'] ?? 'http://localhost:3000'

export default defineConfig({
  // Relative addresses only: the page also lives under a path prefix.
  base: './',
  plugins: [react()],
  build: {
    target: 'es2022',
    // No asset may become a data: URL, the content security policy forbids them.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': server, '/auth': server } },
  // Property tests on a busy machine take longer than the five seconds that are usual.
  test: { include: ['src/**/*.test.{ts,tsx}', 'codegen/*.test.mjs'], testTimeout: 60_000 },
})
