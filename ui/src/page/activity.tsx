/** What happens, as it happens, and how long the news of it took. */

import { useEffect, useState, useSyncExternalStore } from 'react'

import { clockTime } from '../words/language'
import { useAllSpeech, useAllWords } from '../words/later'
import { Sign } from './icons'
import { isShown } from './names'
import { medianLatency, type News, type NewsDesk } from './news'
import './activity.css'

/** A drawer at the page's side, opened by the header's button. */
export const Activity = ({ news }: { readonly news: NewsDesk }) => {
  const words = useAllWords()
  const [isOpen, setOpen] = useState(false)
  // It is followed from the start, so that whoever opens it finds what happened before.
  useEffect(() => news.subscribe(() => undefined), [news])
  return (
    <div
      id="activity"
      className="drawer"
      popover="auto"
      role="region"
      aria-labelledby="activity-title"
      onToggle={(event) => setOpen(event.newState === 'open')}
    >
      <div className="drawer-head">
        <h2 id="activity-title">{words.activity}</h2>
        <button
          className="button quiet icon"
          type="button"
          popoverTarget="activity"
          popoverTargetAction="hide"
          aria-label={words.close}
        >
          <Sign drawing="close" />
        </button>
      </div>
      {isOpen && <NewsList news={news} />}
    </div>
  )
}

const NewsList = ({ news }: { readonly news: NewsDesk }) => {
  const { words, language } = useAllSpeech()
  const list = useSyncExternalStore(news.subscribe, news.view)
  const median = medianLatency(list)
  if (median === undefined) return <p className="soft">{words.activityEmpty}</p>
  const inMs = new Intl.NumberFormat(language, { maximumFractionDigits: 0 })
  return (
    <>
      <p className="soft">{words.activityPace(words.ms(inMs.format(median)))}</p>
      <div role="log" aria-label={words.activity}>
        <ol className="news">
          {list.map((one) => (
            <li key={one.id} data-news={one.kind}>
              <time className="soft" dateTime={new Date(one.at).toISOString()}>
                {clockTime(language, one.at, true)}
              </time>
              <Sentence one={one} />
              <span className="soft latency" title={words.activityLatency}>
                {words.ms(inMs.format(one.latency))}
              </span>
            </li>
          ))}
        </ol>
      </div>
    </>
  )
}

const Sentence = ({ one }: { readonly one: News }) => {
  const words = useAllWords()
  const room = one.room !== undefined && isShown(one.room) ? one.room : null
  const person = typeof one.person === 'string' && isShown(one.person) ? one.person : words.somebody
  const parts =
    one.kind === 'roomOpened' || one.kind === 'roomChanged' || one.kind === 'roomClosed'
      ? words[one.kind](room)
      : words[one.kind](person, room)
  const [who = '', does = '', where = '', then = ''] = parts
  return (
    <span>
      {who !== '' && (
        <strong>
          <bdi>{who}</bdi>
        </strong>
      )}
      {does}
      <bdi>{where}</bdi>
      {then}
    </span>
  )
}
