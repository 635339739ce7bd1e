// discord.js, as it is published, against the simulator at argv[2], such as
// http://127.0.0.1:4000. Only the address is set, by its own option. Ends with 0
// if everything was told once, in order, and the caches equal /sim/state.

import { ChannelType, Client, Events, GatewayIntentBits, OverwriteType, PermissionFlagsBits, version } from 'discord.js';

import { Ledger, Sim, difference } from './ledger.mjs';
import { ofCaches, ofState } from './world.mjs';

const origin = process.argv[2];
if (!origin) throw new Error('Give the origin of a simulator, such as http://127.0.0.1:4000.');
const sim = new Sim(origin);
const ledger = new Ledger();
const { application, guilds: [{ id: guildId }] } = await sim.state();

const client = new Client({
  intents: [
    GatewayIntentBits.Guilds,
    GatewayIntentBits.GuildMembers,
    GatewayIntentBits.GuildVoiceStates,
    GatewayIntentBits.GuildMessages,
    GatewayIntentBits.MessageContent,
  ],
  rest: { api: `${origin}/api`, cdn: origin },
});

// What the library says, in its own words turned into lines.
const told = (event, line) => client.on(event, (...args) => ledger.see(line(...args)));
told(Events.VoiceStateUpdate, (_, now) => `voice ${now.id} in ${now.channelId}${now.channelId && now.selfMute ? ' muted' : ''}`);
told(Events.ChannelCreate, (channel) => `channel ${channel.id} made: ${channel.name}`);
told(Events.ChannelUpdate, (_, channel) => `channel ${channel.id} changed: ${channel.name}`);
told(Events.ChannelDelete, (channel) => `channel ${channel.id} gone`);
told(Events.GuildRoleCreate, (role) => `role ${role.id} made: ${role.name}`);
told(Events.GuildRoleUpdate, (_, role) => `role ${role.id} changed: ${role.name}`);
told(Events.GuildRoleDelete, (role) => `role ${role.id} gone`);
told(Events.GuildMemberAdd, (member) => `member ${member.id} came`);
told(Events.GuildMemberUpdate, (_, member) => `member ${member.id} changed: ${member.nickname}, ${member.roles.cache.size - 1} roles`);
told(Events.GuildMemberRemove, (member) => `member ${member.id} went`);
told(Events.MessageCreate, (message) => `message ${message.id} by ${message.author.id}: ${message.content}`);
told(Events.MessageUpdate, (_, message) => `message ${message.id} now: ${message.content}`);
told(Events.MessageDelete, (message) => `message ${message.id} gone`);
told(Events.ShardResume, () => 'resumed');

// Connections and answers are counted, not told: how many of them is the library's affair.
let sessions = 0;
client.on(Events.ShardReady, () => {
  sessions += 1;
  ledger.poke();
});
const statuses = [];
client.rest.on('response', (request, response) => statuses.push(`${request.method} ${request.route} ${response.status}`));
client.on(Events.Error, (error) => fail(error));
client.on(Events.Warn, (warning) => fail(new Error(`discord.js warns: ${warning}`)));
process.on('unhandledRejection', fail);

function fail(error) {
  console.error(`discord.js ${version} against ${origin}: ${error.stack ?? error}`);
  process.exit(1);
}

/** The caches hold what the simulator holds. */
async function agrees(chapter) {
  const found = difference(ofCaches(client), ofState(await sim.state()));
  if (found) throw new Error(`After "${chapter}" the caches are not /sim/state: ${found}`);
  console.log(`== ${chapter}: the caches equal /sim/state`);
}

/** Asks each guild for all of its members (op 8), whom GUILD_CREATE leaves out. */
async function members() {
  for (const guild of client.guilds.cache.values()) await guild.members.fetch();
}

async function login() {
  const ready = new Promise((resolve) => client.once(Events.ClientReady, resolve));
  await client.login(application.botToken);
  await ready;
  await ledger.until('A session', () => sessions === 1);
  if (client.user.id !== application.id) throw new Error(`The bot is ${client.user.id}, not ${application.id}.`);
  await members();
  await agrees('login');
}

const named = (name) => client.guilds.cache.get(guildId).channels.cache.find((channel) => channel.name === name);
const anybody = async () => (await sim.state()).guilds[0].members[0].userId;

/** Somebody joins, moves, mutes and leaves. */
async function voices() {
  const [userId, first, second] = [await anybody(), named('Table One').id, named('Table Two').id];
  ledger.expect(
    `voice ${userId} in ${first}`,
    `voice ${userId} in ${second}`,
    `voice ${userId} in ${second} muted`,
    `voice ${userId} in null`,
  );
  await sim.voice(guildId, { userId, channelId: first });
  await sim.voice(guildId, { userId, channelId: second });
  await sim.voice(guildId, { userId, selfMute: true });
  await sim.voice(guildId, { userId, channelId: null });
  await ledger.settled('voices');
}

/** Channels and roles come, change and go, and a newcomer is given one. */
async function house() {
  const at = `/guilds/${guildId}`;
  const { id: role } = await sim.act('POST', `${at}/roles`, { name: 'Visitor', color: 0x3f8f6b });
  const { id: channel } = await sim.act('POST', `${at}/channels`, {
    name: 'Guest Room',
    permissionOverwrites: [{ id: role, type: 0, allow: '1024', deny: '0' }],
  });
  const { id: user } = await sim.act('POST', '/users', { username: 'wanda.new', globalName: 'Wanda' });
  ledger.expect(`role ${role} made: Visitor`, `channel ${channel} made: Guest Room`);
  await ledger.settled('a role and a channel');

  await sim.act('POST', `${at}/members`, { userId: user });
  await sim.act('PUT', `${at}/members/${user}/roles/${role}`);
  await sim.act('PATCH', `${at}/members/${user}`, { nick: 'The Newcomer' });
  await sim.act('PATCH', `/roles/${role}`, { name: 'Guest' });
  await sim.act('PATCH', `/channels/${channel}`, { name: 'Guest Hall' });
  ledger.expect(
    `member ${user} came`,
    `member ${user} changed: null, 1 roles`,
    `member ${user} changed: The Newcomer, 1 roles`,
    `role ${role} changed: Guest`,
    `channel ${channel} changed: Guest Hall`,
  );
  await ledger.settled('a newcomer');
  await agrees('a newcomer');

  await sim.act('DELETE', `/channels/${channel}`);
  await sim.act('DELETE', `${at}/members/${user}`);
  await sim.act('DELETE', `/roles/${role}`);
  ledger.expect(`channel ${channel} gone`, `member ${user} went`, `role ${role} gone`);
  await ledger.settled('everything taken back');
}

/** Messages of people, with their content. */
async function messages() {
  const [userId, channel] = [await anybody(), named('game-night')];
  const { id } = await sim.act('POST', '/messages', {
    channelId: channel.id, authorId: userId, content: 'Who brings the dice?',
  });
  ledger.expect(`message ${id} by ${userId}: Who brings the dice?`);
  await ledger.settled('a message');
  const path = `/channels/${channel.id}/messages/${id}`;
  await sim.act('PATCH', path, { content: 'Who brings the cards?' });
  await sim.act('DELETE', path);
  ledger.expect(`message ${id} now: Who brings the cards?`, `message ${id} gone`);
  await ledger.settled('a message changed and deleted');
}

/** The bot acts by REST: a role, a gated room, a move, a message. */
async function rest() {
  const guild = client.guilds.cache.get(guildId);
  const role = await guild.roles.create({ name: 'Table Three', permissions: [], reason: 'A room of its own' });
  ledger.expect(`role ${role.id} made: Table Three`);
  await ledger.settled('a role by REST');

  const allow = [PermissionFlagsBits.ViewChannel, PermissionFlagsBits.Connect];
  const room = await guild.channels.create({
    name: 'Table Three',
    type: ChannelType.GuildVoice,
    permissionOverwrites: [
      { id: guildId, type: OverwriteType.Role, deny: allow },
      { id: role.id, type: OverwriteType.Role, allow },
      { id: client.user.id, type: OverwriteType.Member, allow },
    ],
  });
  ledger.expect(`channel ${room.id} made: Table Three`);
  await ledger.settled('a channel with overwrites by REST');

  const [userId, lobby] = [await anybody(), named('The Hearth')];
  const member = await guild.members.fetch(userId);
  await member.roles.add(role);
  ledger.expect(`member ${userId} changed: ${member.nickname}, ${member.roles.cache.size} roles`);
  await ledger.settled('a role given by REST');
  await sim.voice(guildId, { userId, channelId: lobby.id });
  ledger.expect(`voice ${userId} in ${lobby.id}`);
  await ledger.settled('somebody in the lobby');
  await member.voice.setChannel(room);
  ledger.expect(`voice ${userId} in ${room.id}`);
  await ledger.settled('a move by REST');

  const said = await named('game-night').send({ content: 'Table Three is open.', allowedMentions: { parse: [] } });
  ledger.expect(`message ${said.id} by ${client.user.id}: Table Three is open.`);
  await ledger.settled('a message by REST');
  await said.edit('Table Three is full.');
  ledger.expect(`message ${said.id} now: Table Three is full.`);
  await ledger.settled('an edit by REST');
  await said.delete();
  ledger.expect(`message ${said.id} gone`);
  await ledger.settled('a deletion by REST');
  await agrees('acting by REST');

  await room.setName('Table Four');
  ledger.expect(`channel ${room.id} changed: Table Four`);
  await role.setName('Table Four');
  ledger.expect(`role ${role.id} changed: Table Four`);
  await member.voice.disconnect();
  ledger.expect(`voice ${userId} in null`);
  await ledger.settled('somebody sent away by REST');
  await room.delete();
  ledger.expect(`channel ${room.id} gone`);
  await ledger.settled('a room deleted by REST');
  await role.delete();
  const roles = guild.members.cache.get(userId).roles.cache.filter((one) => one.id !== role.id).size - 1;
  ledger.expect(`role ${role.id} gone`, `member ${userId} changed: ${member.nickname}, ${roles} roles`);
  await ledger.settled('a role deleted by REST');
  await agrees('everything taken back by REST');
}

/** Somebody else spends the bucket, so that the library meets a real 429. */
async function limits() {
  const path = `/guilds/${guildId}/roles`;
  const headers = { authorization: `Bot ${application.botToken}` };
  let spent = 0;
  while ((await fetch(`${origin}/api/v10${path}`, { headers })).status !== 429) {
    spent += 1;
    if (spent > 1000) throw new Error(`A thousand calls of ${path} met no 429.`);
  }
  statuses.length = 0;
  const roles = await client.guilds.cache.get(guildId).roles.fetch();
  if (roles.size !== (await sim.state()).guilds[0].roles.length) throw new Error('Roles are missing after the 429.');
  const [first, last] = [statuses.at(0), statuses.at(-1)];
  if (!first?.endsWith(' 429') || !last?.endsWith(' 200')) {
    throw new Error(`No 429 was waited out: ${JSON.stringify(statuses)}`);
  }
  console.log(`== a 429 after ${spent} calls, waited out`);
}

const attachedSessions = async () =>
  (await sim.state()).sessions.filter((session) => session.attached).map((session) => session.id);

/** The connection ends so that the session goes on. */
async function resumes(chapter, fault) {
  const [userId, first, second] = [await anybody(), named('Table One').id, named('Table Two').id];
  await sim.voice(guildId, { userId, channelId: first });
  ledger.expect(`voice ${userId} in ${first}`);
  await ledger.settled(`before ${chapter}`);
  const before = sessions;
  const attached = await attachedSessions();
  await sim.fault(fault);
  await ledger.until(`A resumption after ${chapter}`, () => ledger.seen.includes('resumed'));
  await sim.voice(guildId, { userId, channelId: second });
  ledger.expect('resumed', `voice ${userId} in ${second}`);
  await ledger.settled(chapter);
  if (sessions !== before || difference(attached, await attachedSessions())) {
    throw new Error(`${chapter} cost the session.`);
  }
  ledger.expected.length = ledger.seen.length = 0;
}

/** A drop while people move: the replay brings each step, in order, then RESUMED. */
async function replay() {
  const [userId, first, second] = [await anybody(), named('Table One').id, named('Table Two').id];
  await sim.fault({ kind: 'resume_503', times: 1 });
  await sim.fault({ kind: 'drop' });
  for (const channelId of [first, second, first]) await sim.voice(guildId, { userId, channelId });
  ledger.expect(`voice ${userId} in ${first}`, `voice ${userId} in ${second}`, `voice ${userId} in ${first}`, 'resumed');
  await ledger.settled('a drop while people move, and a resume host that answers 503 once');
  ledger.expected.length = ledger.seen.length = 0;
}

/** Op 9 with false: a new session shows the world as it is now. */
async function anew() {
  const userId = await anybody();
  const before = sessions;
  await sim.fault({ kind: 'invalid_session', resumable: false });
  await sim.voice(guildId, { userId, channelId: null });
  await ledger.until('A new session after op 9', () => sessions === before + 1);
  await ledger.settled('op 9 with false');
  await members();
  await agrees('op 9 with false');
}

try {
  await login();
  await voices();
  await house();
  await messages();
  await rest();
  await limits();
  await resumes('a drop', { kind: 'drop' });
  await resumes('op 7', { kind: 'reconnect' });
  await replay();
  await anew();
  await agrees('the end');
  await client.destroy();
  console.log(`discord.js ${version}: everything was told once, in order, and the caches equal /sim/state.`);
} catch (error) {
  fail(error);
}
