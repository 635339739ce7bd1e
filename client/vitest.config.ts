import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Property tests on a busy machine take longer than the five seconds that are usual.
  test: { include: ['src/**/*.test.{ts,tsx}', 'codegen/*.test.mjs'], testTimeout: 60_000 },
})
