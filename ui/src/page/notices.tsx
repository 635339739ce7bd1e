/** What stands in place of the rooms while there are none to show, and why. */

import { Component, type ReactNode } from 'react'

import type { LoginOutcome } from '../address'
import type { Obstacle } from '../shown'
import type { Words } from '../words/en'
import { useWords } from '../words/language'

interface NoticeProps {
  readonly name: string
  readonly title: string
  readonly children: ReactNode
}

export const Notice = ({ name, title, children }: NoticeProps) => (
  <section className="notice" data-notice={name}>
    <h1>{title}</h1>
    {children}
  </section>
)

export const Obstructed = ({ by }: { readonly by: Obstacle }) => {
  const [title, text] = useWords().obstacles[by]
  return (
    <Notice name={by} title={title}>
      <p>{text}</p>
    </Notice>
  )
}

const Reload = () => {
  const words = useWords()
  return (
    <button className="button primary" type="button" data-action="reload" onClick={() => location.reload()}>
      {words.reload}
    </button>
  )
}

export const Refused = () => {
  const words = useWords()
  return (
    <Notice name="refused" title={words.refusedTitle}>
      <p>{words.refusedText}</p>
      <Reload />
    </Notice>
  )
}

export const NoGuild = () => {
  const words = useWords()
  return (
    <Notice name="no-guild" title={words.noGuildTitle}>
      <p>{words.noGuildText}</p>
    </Notice>
  )
}

export const Loading = () => {
  const words = useWords()
  return (
    <section className="loading" aria-busy="true" aria-label={words.loading}>
      <h1 className="visually-hidden">{words.loading}</h1>
      <div className="skeleton title" />
      {[4, 2, 5, 1].map((people, row) => (
        <div className="skeleton-row" key={row}>
          <div className="skeleton name" />
          <div className="skeleton-people">
            {Array.from({ length: people }, (_, place) => (
              <div className="skeleton face" key={place} />
            ))}
          </div>
        </div>
      ))}
    </section>
  )
}

const Broken = () => {
  const words = useWords()
  return (
    <Notice name="broken" title={words.brokenTitle}>
      <p>{words.brokenText}</p>
      <Reload />
    </Notice>
  )
}

/** A part of the page that is not to be had any more, since the server is newer by now, or a fault of ours. */
export class Catch extends Component<{ readonly children: ReactNode }, { readonly failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError() {
    return { failed: true }
  }

  override render() {
    return this.state.failed ? <Broken /> : this.props.children
  }
}

export const Outcome = ({ outcome }: { readonly outcome: LoginOutcome }) => (
  <p className="hint" role="status" data-outcome={outcome}>
    {outcomeWords(outcome, useWords())}
  </p>
)

const outcomeWords = (outcome: LoginOutcome, words: Words): string => {
  switch (outcome) {
    case 'denied':
      return words.denied
    case 'failed':
      return words.failed
    default: {
      const code = outcome.slice('not_admitted:'.length)
      const why = Object.hasOwn(words.admissions, code) ? words.admissions[code] : undefined
      return words.notAdmitted(why ?? words.notAdmittedOtherwise)
    }
  }
}
