/** What a stranger sees: what this is, in a picture of it, and the way in. */

import { useAllWords } from '../words/later'
import './landing.css'

export const Landing = ({ url }: { readonly url: string }) => {
  const words = useAllWords()
  return (
    <section className="landing" data-notice="landing">
      <div className="landing-words">
        <h1>{words.landingTitle}</h1>
        <p className="lead">{words.landingText}</p>
        <a className="button primary" href={url} data-action="sign-in">
          {words.signIn}
        </a>
        <p className="soft">{words.signInReads}</p>
      </div>
      <Sample title={words.landingSample} />
      <ul className="landing-points">
        {words.landingPoints.map(([title = '', text = '']) => (
          <li key={title}>
            <h2>{title}</h2>
            <p>{text}</p>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** Three rooms as the lobby draws them. Lan walks from the first to the second and back: that is what it is about. */
const sample = [
  ['The Hearth', ['Juniper', 'Old Finn', 'Lan']],
  ['Table One', ['Yuki', 'Priya', 'Sanna', 'Lan']],
  ['Quiet Corner', ['Inês']],
] as const

/** Decoration: everything in it is said beside it. */
const Sample = ({ title }: { readonly title: string }) => (
  <div className="sample" aria-hidden="true">
    <p className="sample-title">{title}</p>
    {sample.map(([name, people], place) => (
      <div className="room" key={name}>
        <span className="room-title">{name}</span>
        <span className="people">
          {people.map((person) => (
            <span className="person" key={person} data-walks={person === 'Lan' ? place : undefined}>
              <span className="avatar letter" data-face={(person.length % 6) + 1}>
                {person[0]}
              </span>
              <span className="person-name">{person}</span>
            </span>
          ))}
        </span>
      </div>
    ))}
  </div>
)
