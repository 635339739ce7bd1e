import { tanstackStart } from '@tanstack/react-start/plugin/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

import { guildhallProxy } from '../vite-proxy/proxy.ts'

export default defineConfig({
  plugins: [tanstackStart(), react()],
  // The client is a link into this repository, which has a React of its own. From npm it has none.
  resolve: { dedupe: ['react', 'react-dom', 'zod'] },
  // While developing, Vite passes the stream on beside Start; in production a proxy does: nginx.conf.
  server: { port: 5173, strictPort: true, proxy: guildhallProxy(process.env['GUILDHALL_URL'] ?? 'http://localhost:3000') },
})
