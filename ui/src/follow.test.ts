import { readFileSync } from 'node:fs'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

type Listeners = Record<string, (payload: unknown) => void>
type Follow = (url: URL, listeners: Listeners, signIn: () => void) => void

/** The lines as the protocol page prints them: what is copied from there is what is tested. */
const printed = (): string => {
  const page = readFileSync(new URL('../../docs/protocol/sse.md', import.meta.url), 'utf8')
  const block = page.split('```js\n').find((part) => part.includes('export function follow'))
  if (block === undefined) throw new Error('the page prints no `follow`')
  return block.slice(0, block.indexOf('```'))
}

/** An `EventSource` whose server is the test. */
class Stream extends EventTarget {
  static readonly CLOSED = 2
  readyState = 1
  onerror: (() => void) | null = null
  readonly url: string

  constructor(url: URL) {
    super()
    this.url = url.href
    streams.push(this)
  }

  send(name: string, payload: unknown, lastEventId = ''): void {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(payload), lastEventId }))
  }

  /** A proxy's 502: the browser gives up. */
  isRefused(): void {
    this.readyState = Stream.CLOSED
    this.onerror?.()
  }

  breaks(): void {
    this.readyState = 0
    this.onerror?.()
  }

  close(): void {
    this.readyState = Stream.CLOSED
  }
}

let streams: Stream[]
let status: number
let follow: Follow
const open = (): Stream[] => streams.filter((stream) => stream.readyState !== Stream.CLOSED)
const signIn = vi.fn()

const begin = async (listeners: Listeners = {}): Promise<void> => {
  follow(new URL('https://app.example.com/hall/api/stream?guild=1'), listeners, signIn)
  await vi.advanceTimersByTimeAsync(0)
}

beforeEach(async () => {
  vi.useFakeTimers()
  vi.stubGlobal('EventSource', Stream)
  vi.stubGlobal('fetch', async (url: URL, { method }: RequestInit) => {
    expect(`${method} ${url.origin}${url.pathname}`).toBe('HEAD https://app.example.com/hall/api/stream')
    expect(url.searchParams.get('guild')).toBe('1')
    if (status === 0) throw new TypeError('no network')
    return { status }
  })
  ;[streams, status] = [[], 200]
  signIn.mockReset()
  const module: { follow: Follow } = await import(
    /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(printed())}`
  )
  follow = module.follow
})

afterEach(() => {
  vi.clearAllTimers()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('the lines that the protocol page prints', () => {
  it('are about as many as it says', () => {
    expect(printed().trimEnd().split('\n').length).toBeLessThanOrEqual(25)
  })

  it('hand on what comes', async () => {
    const came: unknown[] = []
    await begin({ snapshot: (payload) => came.push(payload), 'voice.joined': (payload) => came.push(payload) })
    streams[0]?.send('snapshot', { guilds: [] }, 'c-1')
    streams[0]?.send('voice.joined', { userId: '7' }, 'c-2')
    expect(came).toEqual([{ guilds: [] }, { userId: '7' }])
  })

  it('survive a 502, however often, and go on at their cursor', async () => {
    await begin()
    streams[0]?.send('snapshot', {}, 'c-1')
    streams[0]?.send('checkpoint', {}, 'c-9')
    status = 502
    streams[0]?.isRefused()
    await vi.advanceTimersByTimeAsync(120_000)
    expect(open()).toHaveLength(0)
    status = 200
    await vi.advanceTimersByTimeAsync(30_000)
    expect(open()).toHaveLength(1)
    expect(open()[0]?.url).toBe('https://app.example.com/hall/api/stream?guild=1&lastEventId=c-9')
  })

  it('leave to the browser what it does by itself', async () => {
    await begin()
    streams[0]?.send('snapshot', {}, 'c-1')
    streams[0]?.breaks()
    await vi.advanceTimersByTimeAsync(30_000)
    expect(streams).toHaveLength(1)
  })

  it('notice silence, and wait as long as a bye asks for', async () => {
    await begin()
    streams[0]?.send('snapshot', {}, 'c-1')
    await vi.advanceTimersByTimeAsync(39_000)
    expect(streams).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(8_000)
    expect(open()).toHaveLength(1)
    expect(streams).toHaveLength(2)
    open()[0]?.send('bye', { retryMs: 60_000 })
    await vi.advanceTimersByTimeAsync(95_000)
    expect(streams).toHaveLength(2)
  })

  it('stop where the query is refused, and say so', async () => {
    const said = vi.spyOn(console, 'error').mockReturnValue()
    status = 400
    await begin()
    await vi.advanceTimersByTimeAsync(120_000)
    expect(streams).toHaveLength(0)
    expect(said).toHaveBeenCalledOnce()
    expect(said.mock.calls[0]?.[0]).toContain('guild=1')
    expect(signIn).not.toHaveBeenCalled()
    said.mockRestore()
  })

  it('come back, seldom, where the stream is refused and the query is good', async () => {
    await begin()
    for (let refused = 0; refused < 20; refused += 1) {
      streams.at(-1)?.isRefused()
      await vi.advanceTimersByTimeAsync(30_000)
    }
    expect(open()).toHaveLength(1)
    expect(streams.length).toBe(21)
  })

  it('ask who is signed out to sign in, and nobody else', async () => {
    status = 0
    await begin()
    expect(signIn).not.toHaveBeenCalled()
    status = 401
    await vi.advanceTimersByTimeAsync(30_000)
    expect(signIn).toHaveBeenCalledOnce()
    expect(streams).toHaveLength(0)
  })
})
