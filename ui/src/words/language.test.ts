import { describe, expect, it } from 'vitest'

import { de } from './de'
import { en } from './en'
import { languageOf, spoken } from './language'
import { laterDe } from './later-de'
import { laterEn } from './later-en'

describe('the language of the page', () => {
  it.each([
    [null, ['de-AT', 'en'], 'de'],
    [null, ['fr', 'DE', 'en'], 'de'],
    [null, ['fr', 'en-GB', 'de'], 'en'],
    [null, ['fr'], 'en'],
    [null, [], 'en'],
    ['en', ['de'], 'en'],
    ['constructor', ['de'], 'de'],
  ])('is the one that was chosen, else the first that one likes: %s, %s', (chosen, liked, language) => {
    expect(languageOf(chosen, liked)).toBe(language)
  })

  it('is loaded when it is spoken', async () => {
    expect((await spoken('de')).words.live).toBe(de.live)
  })

  it.each([
    ['first view', en, de],
    ['what comes later', laterEn, laterDe],
  ])('has a word for everything: %s', (_, english, german) => {
    expect(Object.keys(german).sort()).toEqual(Object.keys(english).sort())
    const texts = Object.values(german).filter((text) => typeof text === 'string')
    expect(texts.filter((text) => text.trim() === '')).toEqual([])
  })
})
