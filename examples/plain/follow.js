// follow(new URL('/api/stream', location), { snapshot: draw, 'voice.joined': arrive }, signIn)
export function follow(url, listeners, signIn) {
  let source, quietUntil, failures = 0
  const later = () => setTimeout(open, Math.random() * Math.min(30_000, 1_000 * 2 ** failures++))
  const lost = () => { source.close(); source = null; later() }
  const open = async () => {
    const { status } = await fetch(url, { method: 'HEAD' }).catch(() => ({}))
    if (status === 400) return console.error(`This query stays refused: ${url}`)
    if (status !== 200) return status === 401 ? signIn() : later()
    source = new EventSource(url)
    quietUntil = Date.now() + 40_000
    source.onerror = () => source.readyState === EventSource.CLOSED && lost()
    for (const name of new Set(['snapshot', 'resumed', 'checkpoint', 'bye', ...Object.keys(listeners)]))
      source.addEventListener(name, ({ data, lastEventId }) => {
        const payload = JSON.parse(data)
        if (lastEventId) url.searchParams.set('lastEventId', lastEventId)
        quietUntil = Date.now() + 40_000 + (name === 'bye' ? payload.retryMs : 0)
        failures = 0
        listeners[name]?.(payload)
      })
  }
  setInterval(() => source && Date.now() > quietUntil && lost(), 5_000)
  open()
}
