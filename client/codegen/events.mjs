/** The names of a stream's events, and how each travels, as a TypeScript module out of the OpenAPI document. */

/** The schema of any event of a stream. */
const ANY = 'StreamEvent'

/** What a reference to a schema begins with. */
const COMPONENTS = '#/components/schemas/'

/** The module's text: how each event travels, in the order of their names. */
export const eventsModule = document => {
  const component = name => {
    const found = document.components.schemas[name]
    if (found === undefined) throw new Error(`there is no schema ${name}`)
    return found
  }
  const isAboutGuild = ({ $ref, allOf = [], properties = {} }) =>
    'guildId' in properties ||
    allOf.some(isAboutGuild) ||
    ($ref !== undefined && isAboutGuild(component($ref.slice(COMPONENTS.length))))

  const travels = component(ANY).oneOf.map(({ $ref }) => {
    const { properties, 'x-event': facts } = component($ref.slice(COMPONENTS.length))
    return [properties.event.enum[0], wayOf(facts.lane, isAboutGuild(properties.data))]
  })
  const lines = travels.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, lane]) => `  '${name}': '${lane}',\n`)
  return `\
// Written by \`cargo xtask codegen\` from docs/openapi.json: a change here is lost.

/** Every event of a stream, and how it travels: in groups, by itself, or about the stream itself. */
export const travels = {
${lines.join('')}} as const
`
}

/** What is about a guild is told in groups, whether or not it is in the log: rights are told so, too. */
const wayOf = (lane, isAboutGuild) => {
  if (lane === 'live') return 'alone'
  return isAboutGuild ? 'group' : 'control'
}
