import { StatePayload } from '@guildhall/client/zod'

import { Table } from './table'

/** As `fetchState` gives it; a build has no server to ask. */
const state = {
  cursor: 'c',
  status: { discord: 'live', link: 'up', since: 1 },
  guilds: [{ id: '1', name: 'Guild', icon: null, available: true, rooms: [{ channelId: '10', name: 'Den', kind: 'voice', position: 0, userLimit: 0, members: [] }] }],
}

const Page = () => <Table initial={StatePayload.parse(state)} />
export default Page
