import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

import { guildhallProxy } from '../vite-proxy/proxy.ts'

export default defineConfig({
  plugins: [react()],
  // The client is a link into this repository, which has a React of its own. From npm it has none.
  resolve: { dedupe: ['react', 'react-dom'] },
  server: { port: 5173, strictPort: true, proxy: guildhallProxy(process.env['GUILDHALL_URL'] ?? 'http://localhost:3000') },
})
