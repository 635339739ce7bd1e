import type { ProxyOptions } from 'vite'

/** Vite's development server passes Guildhall's paths on, so that page and stream are of one origin. */
export const guildhallProxy = (target: string): Record<string, ProxyOptions> => {
  const passOn: ProxyOptions = {
    target,
    configure: (proxy) => {
      // Left alone, Vite keeps the browser's stream open when its upstream has died, and nobody is told.
      proxy.on('proxyRes', (upstream, _request, response) => {
        upstream.on('close', () => {
          if (!upstream.complete) response.destroy()
        })
      })
    },
  }
  return { '/api': passOn, '/auth': passOn }
}
