// eris, as it is published, against the simulator at argv[2], such as
// http://127.0.0.1:4000. Only addresses are set, by its own options: it speaks
// https alone, so its agent dials the simulator's plain port. Ends with 0 if
// everything was told once, in order, and the caches equal /sim/state.

import { Agent } from 'node:https';
import { connect } from 'node:net';

import * as Eris from 'eris';

import { Ledger, Sim, difference } from '../discordjs/ledger.mjs';
import { ofCaches, ofState } from './world.mjs';

const origin = process.argv[2];
if (!origin) throw new Error('Give the origin of a simulator, such as http://127.0.0.1:4000.');
const { hostname, host, port } = new URL(origin);
const sim = new Sim(origin);
const ledger = new Ledger();
const { application, guilds } = await sim.state();
const guildId = guilds[0].id;

const agent = new Agent();
agent.createConnection = () => connect(Number(port), hostname);
const client = new Eris.Client(`Bot ${application.botToken}`, {
  intents: ['guilds', 'guildMembers', 'guildVoiceStates', 'guildMessages', 'messageContent'],
  getAllUsers: true,
  restMode: true,
  rest: { domain: host, agent },
});

// What the library says, in its own words turned into lines.
const told = (event, line) => client.on(event, (...args) => ledger.see(line(...args)));
const voice = ({ id, voiceState }, channelId) => `voice ${id} in ${channelId}${channelId && voiceState.selfMute ? ' muted' : ''}`;
told('voiceChannelJoin', (member, channel) => voice(member, channel.id));
told('voiceChannelSwitch', (member, channel) => voice(member, channel.id));
told('voiceChannelLeave', (member) => voice(member, null));
// Who leaves is no longer muted, which it tells beside the leaving.
client.on('voiceStateUpdate', (member) => {
  const { channelID } = member.voiceState;
  if (channelID) ledger.see(voice(member, channelID));
});
told('channelCreate', (channel) => `channel ${channel.id} made: ${channel.name}`);
told('channelUpdate', (channel) => `channel ${channel.id} changed: ${channel.name}`);
told('channelDelete', (channel) => `channel ${channel.id} gone`);
told('guildRoleCreate', (_, role) => `role ${role.id} made: ${role.name}`);
told('guildRoleUpdate', (_, role) => `role ${role.id} changed: ${role.name}`);
told('guildRoleDelete', (_, role) => `role ${role.id} gone`);
told('guildMemberAdd', (_, member) => `member ${member.id} came`);
told('guildMemberUpdate', (_, member) => `member ${member.id} changed: ${member.nick}, ${member.roles.length} roles`);
told('guildMemberRemove', (_, member) => `member ${member.id} went`);
told('messageCreate', (message) => `message ${message.id} by ${message.author.id}: ${message.content}`);
told('messageUpdate', (message) => `message ${message.id} now: ${message.content}`);
told('messageDelete', (message) => `message ${message.id} gone`);
told('shardResume', () => 'resumed');

// Connections and answers are counted, not told: how many of them is the library's affair.
let sessions = 0;
client.on('rawWS', ({ t }) => {
  if (t === 'READY') sessions += 1;
  // What it hands out here it reads only then.
  setImmediate(() => ledger.poke());
});
const statuses = [];
client.on('rawREST', ({ method, route, resp }) => statuses.push(`${method} ${route} ${resp.statusCode}`));
// A connection that ends is told as an error, and so are answers that never come.
client.on('error', (error) => console.log(`  (${error.message ?? error})`));
process.on('unhandledRejection', fail);

function fail(error) {
  console.error(`eris ${Eris.VERSION} against ${origin}: ${error.stack ?? error}`);
  process.exit(1);
}

/** The caches hold what the simulator holds. */
async function agrees(chapter) {
  const found = difference(ofCaches(client), ofState(await sim.state()));
  if (found) throw new Error(`After "${chapter}" the caches are not /sim/state: ${found}`);
  console.log(`== ${chapter}: the caches equal /sim/state`);
}

/** Each guild's members have come, whom it asks for by itself (op 8). */
const members = () => {
  const here = () => client.guilds.size === guilds.length && client.guilds.every((guild) => guild.members.size === guild.memberCount);
  return ledger.until('All members', here);
};

async function login() {
  const ready = new Promise((resolve) => client.once('ready', resolve));
  await client.connect();
  await ready;
  await members();
  if (client.user.id !== application.id) throw new Error(`The bot is ${client.user.id}, not ${application.id}.`);
  await agrees('login');
}

const guild = () => client.guilds.get(guildId);
const named = (name) => guild().channels.find((channel) => channel.name === name);
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

/** The bot itself joins and leaves (op 4). */
async function ownVoice() {
  const hearth = named('The Hearth').id;
  const op4 = (channelId) => guild().shard.sendWS(4, { guild_id: guildId, channel_id: channelId, self_mute: false, self_deaf: false });
  op4(hearth);
  ledger.expect(`voice ${application.id} in ${hearth}`);
  await ledger.settled('the bot in The Hearth');
  op4(null);
  ledger.expect(`voice ${application.id} in null`);
  await ledger.settled('the bot gone');
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
  const role = await guild().createRole({ name: 'Table Three', permissions: 0 }, 'A room of its own');
  ledger.expect(`role ${role.id} made: Table Three`);
  await ledger.settled('a role by REST');

  const both = String((1 << 10) | (1 << 20));
  const room = await guild().createChannel('Table Three', Eris.Constants.ChannelTypes.GUILD_VOICE, {
    permissionOverwrites: [
      { id: guildId, type: 0, allow: '0', deny: both },
      { id: role.id, type: 0, allow: both, deny: '0' },
      { id: application.id, type: 1, allow: both, deny: '0' },
    ],
  });
  ledger.expect(`channel ${room.id} made: Table Three`);
  await ledger.settled('a channel with overwrites by REST');

  const [userId, lobby] = [await anybody(), named('The Hearth')];
  const member = guild().members.get(userId);
  const roles = member.roles.length;
  await member.addRole(role.id);
  ledger.expect(`member ${userId} changed: ${member.nick}, ${roles + 1} roles`);
  await ledger.settled('a role given by REST');
  await sim.voice(guildId, { userId, channelId: lobby.id });
  ledger.expect(`voice ${userId} in ${lobby.id}`);
  await ledger.settled('somebody in the lobby');
  await member.edit({ channelID: room.id });
  ledger.expect(`voice ${userId} in ${room.id}`);
  await ledger.settled('a move by REST');

  const said = await named('game-night').createMessage({ content: 'Table Three is open.', allowedMentions: {} });
  ledger.expect(`message ${said.id} by ${client.user.id}: Table Three is open.`);
  await ledger.settled('a message by REST');
  await said.edit('Table Three is full.');
  ledger.expect(`message ${said.id} now: Table Three is full.`);
  await ledger.settled('an edit by REST');
  await said.delete();
  ledger.expect(`message ${said.id} gone`);
  await ledger.settled('a deletion by REST');
  await agrees('acting by REST');

  await room.edit({ name: 'Table Four' });
  ledger.expect(`channel ${room.id} changed: Table Four`);
  await role.edit({ name: 'Table Four' });
  ledger.expect(`role ${role.id} changed: Table Four`);
  await member.edit({ channelID: null });
  ledger.expect(`voice ${userId} in null`);
  await ledger.settled('somebody sent away by REST');
  await room.delete();
  ledger.expect(`channel ${room.id} gone`);
  await ledger.settled('a room deleted by REST');
  await role.delete();
  ledger.expect(`role ${role.id} gone`, `member ${userId} changed: ${member.nick}, ${roles} roles`);
  await ledger.settled('a role deleted by REST');
  await agrees('everything taken back by REST');
}

/** Somebody uses a command, a button, a modal and a select menu, and types where choices are offered. */
async function commands() {
  const roll = {
    name: 'roll',
    description: 'Rolls dice',
    type: 1,
    options: [
      { type: 4, name: 'sides', description: 'How many', required: true },
      { type: 3, name: 'why', description: 'What for', autocomplete: true },
    ],
  };
  const made = await client.bulkEditCommands([roll]);
  if (made.map(({ name }) => name).join() !== 'roll') throw new Error(`Other commands were registered: ${JSON.stringify(made)}`);
  const row = (...components) => [{ type: 1, components }];
  const again = { type: 2, style: 1, label: 'Again', custom_id: 'again' };
  const die = { type: 3, custom_id: 'die', options: [{ label: 'D6', value: '6' }, { label: 'D20', value: '20' }] };

  const answer = async (interaction) => {
    if (interaction instanceof Eris.CommandInteraction) {
      await interaction.defer();
      const content = `${interaction.data.options[0].value} sides`;
      await interaction.editOriginalMessage({ content, components: [...row(again), ...row(die)] });
      await interaction.createFollowup({ content: 'for you', flags: 64 });
      return 'command done';
    }
    if (interaction instanceof Eris.AutocompleteInteraction) {
      await interaction.result([{ name: 'Surely', value: 'for fun' }]);
      return 'choices given';
    }
    if (interaction instanceof Eris.ModalSubmitInteraction) {
      await interaction.createMessage({ content: `Hello, ${interaction.data.components[0].components[0].value}` });
      return 'modal done';
    }
    if (interaction.data.custom_id === 'again') {
      const name = { type: 4, custom_id: 'name', label: 'Name', style: 1 };
      await interaction.createModal({ title: 'Who?', custom_id: 'who', components: row(name) });
      return 'modal shown';
    }
    await interaction.editParent({ content: `A die of ${interaction.data.values[0]}` });
    return 'choice made';
  };
  const listener = (interaction) => answer(interaction).then((line) => ledger.see(line), fail);
  client.on('interactionCreate', listener);

  const asks = { userId: await anybody(), channelId: named('game-night').id };
  const use = async (body, line) => {
    const { id } = await sim.act('POST', '/interactions', { ...asks, ...body });
    await ledger.until(line, () => ledger.seen.includes(line));
    return sim.act('GET', `/interactions/${id}`);
  };
  const rolled = await use({ command: 'roll', options: { sides: 20 } }, 'command done');
  const shown = [rolled.callback, rolled.answer.content, rolled.followups.map(({ content, ephemeral }) => [content, ephemeral])];
  const wanted = [5, '20 sides', [['for you', true]]];
  if (difference(shown, wanted)) throw new Error(`The command was answered ${JSON.stringify(shown)}.`);
  const messageId = rolled.answer.id;
  const pressed = await use({ messageId, customId: 'again' }, 'modal shown');
  const modal = await use({ modalOf: pressed.id, fields: { name: 'Wanda' } }, 'modal done');
  if (modal.answer.content !== 'Hello, Wanda') throw new Error(`The modal was answered ${JSON.stringify(modal.answer)}.`);
  const chosen = await use({ messageId, customId: 'die', values: ['20'] }, 'choice made');
  if (chosen.answer.content !== 'A die of 20') throw new Error(`The message was not updated: ${JSON.stringify(chosen.answer)}.`);
  const typed = await use({ command: 'roll', options: { why: 'f' }, focused: 'why' }, 'choices given');
  if (typed.choices[0].value !== 'for fun') throw new Error(`Other choices were offered: ${JSON.stringify(typed.choices)}.`);
  client.off('interactionCreate', listener);
  await client.bulkEditCommands([]);
  turnThePage();
  console.log('== a command, a button, a modal, a choice and choices');
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
  const roles = await client.getRESTGuildRoles(guildId);
  if (roles.length !== (await sim.state()).guilds[0].roles.length) throw new Error('Roles are missing after the 429.');
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
  turnThePage();
}

/** A drop while people move: the replay brings each step, in order, then RESUMED. */
async function replay() {
  const [userId, first, second] = [await anybody(), named('Table One').id, named('Table Two').id];
  // It dials again at once: until everybody has moved nobody answers.
  await sim.fault({ kind: 'resume_503', times: 1000 });
  await sim.fault({ kind: 'drop' });
  for (const channelId of [first, second, first]) await sim.voice(guildId, { userId, channelId });
  await sim.fault({ kind: 'resume_503', times: 0 });
  ledger.expect(`voice ${userId} in ${first}`, `voice ${userId} in ${second}`, `voice ${userId} in ${first}`, 'resumed');
  await ledger.settled('a drop while people move, and a resume host that answers 503');
  turnThePage();
}

/** Op 9 with false: a new session shows the world as it is now. */
async function anew() {
  const userId = await anybody();
  const before = sessions;
  await sim.voice(guildId, { userId, channelId: null });
  ledger.expect(`voice ${userId} in null`);
  await ledger.settled('nobody in a room');
  await sim.fault({ kind: 'invalid_session', resumable: false });
  await ledger.until('A new session after op 9', () => sessions === before + 1);
  await members();
  await ledger.settled('op 9 with false');
  await agrees('op 9 with false');
}

function turnThePage() {
  ledger.expected.length = ledger.seen.length = 0;
}

try {
  await login();
  await voices();
  await ownVoice();
  await house();
  await messages();
  await rest();
  await commands();
  await limits();
  await resumes('a drop', { kind: 'drop' });
  await resumes('op 7', { kind: 'reconnect' });
  await replay();
  await anew();
  await agrees('the end');
  client.disconnect({ reconnect: false });
  console.log(`eris ${Eris.VERSION}: everything was told once, in order, and the caches equal /sim/state.`);
} catch (error) {
  fail(error);
}
process.exit(0);
