import { defineConfig } from 'vite'

import { guildhallProxy } from './proxy.ts'

export default defineConfig({
  // Guildhall knows this address as its BASE_URL: another free port would not do.
  server: { port: 5173, strictPort: true, proxy: guildhallProxy(process.env['GUILDHALL_URL'] ?? 'http://localhost:3000') },
})
