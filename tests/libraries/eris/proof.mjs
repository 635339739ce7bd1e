// eris, as it is published, against the simulator at argv[2], such as
// http://127.0.0.1:4000. Only addresses are set, by its own options: it speaks
// https alone, so its agent dials the simulator's plain port. Ends with 0 if
// everything was told once, in order, and the caches equal /sim/state.

import { Agent } from 'node:https';
import { connect } from 'node:net';

import * as Eris from 'eris';

import { Journey } from '../frame/journey.mjs';
import { ofCaches } from './world.mjs';

const origin = process.argv[2];
if (!origin) throw new Error('Give the origin of a simulator, such as http://127.0.0.1:4000.');
const { hostname, host, port } = new URL(origin);
const journey = await Journey.begin(origin, () => ofCaches(client));
const { application, guildId, guildIds, ledger, sim } = journey;

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
client.on('rawWS', ({ t }) => {
  if (t === 'READY') journey.sessions += 1;
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

/** Each guild's members have come, whom it asks for by itself (op 8). */
const members = () => {
  const here = () => client.guilds.size === guildIds.length && client.guilds.every((guild) => guild.members.size === guild.memberCount);
  return ledger.until('All members', here);
};

async function login() {
  const ready = new Promise((resolve) => client.once('ready', resolve));
  await client.connect();
  await ready;
  await members();
  if (client.user.id !== application.id) throw new Error(`The bot is ${client.user.id}, not ${application.id}.`);
  await journey.agrees('login');
  journey.proved('the whole state');
}

const guild = () => client.guilds.get(guildId);
const named = (name) => guild().channels.find((channel) => channel.name === name);

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
  journey.proved('its own voice state (op 4)');
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

  const [userId, lobby] = [journey.userId, named('The Hearth')];
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
  await journey.agrees('acting by REST');

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
  await journey.agrees('everything taken back by REST');
  journey.proved('acting by REST');
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
    } else if (interaction instanceof Eris.AutocompleteInteraction) {
      await interaction.result([{ name: 'Surely', value: 'for fun' }]);
    } else if (interaction instanceof Eris.ModalSubmitInteraction) {
      await interaction.createMessage({ content: `Hello, ${interaction.data.components[0].components[0].value}` });
    } else if (interaction.data.custom_id === 'again') {
      const name = { type: 4, custom_id: 'name', label: 'Name', style: 1 };
      await interaction.createModal({ title: 'Who?', custom_id: 'who', components: row(name) });
    } else {
      await interaction.editParent({ content: `A die of ${interaction.data.values[0]}` });
    }
  };
  const listener = (interaction) => answer(interaction).catch(fail);
  client.on('interactionCreate', listener);

  const rolled = await journey.use({ command: 'roll', options: { sides: 20 } }, ({ followups }) => followups.length === 1);
  journey.same(
    'A command',
    [rolled.callback, rolled.answer.content, rolled.followups.map(({ content, ephemeral }) => [content, ephemeral])],
    [5, '20 sides', [['for you', true]]],
  );
  const messageId = rolled.answer.id;
  const pressed = await journey.use({ messageId, customId: 'again' });
  const modal = await journey.use({ modalOf: pressed.id, fields: { name: 'Wanda' } });
  journey.same('A modal', modal.answer.content, 'Hello, Wanda');
  const chosen = await journey.use({ messageId, customId: 'die', values: ['20'] });
  journey.same('A choice', chosen.answer.content, 'A die of 20');
  const typed = await journey.use({ command: 'roll', options: { why: 'f' }, focused: 'why' });
  journey.same('Choices', typed.choices[0].value, 'for fun');
  client.off('interactionCreate', listener);
  await client.bulkEditCommands([]);
  await journey.told('interactions');
  for (const capability of ['slash commands', 'buttons, selects and modals', 'autocomplete']) journey.proved(capability);
}

console.log(`@version ${Eris.VERSION}`);
try {
  await login();
  await journey.voices();
  await ownVoice();
  await journey.house();
  await journey.messages();
  await rest();
  await commands();
  await journey.limits(statuses, async () => (await client.getRESTGuildRoles(guildId)).length);
  await journey.resumes('a drop', { kind: 'drop' });
  await journey.resumes('op 7', { kind: 'reconnect' });
  await journey.replay();
  await journey.anew(members);
  await journey.agrees('the end');
  client.disconnect({ reconnect: false });
  console.log(`eris ${Eris.VERSION}: everything was told once, in order, and the caches equal /sim/state.`);
} catch (error) {
  fail(error);
}
process.exit(0);
