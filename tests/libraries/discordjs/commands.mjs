// Application commands with discord.js: slash commands, context menus, components, a
// modal and choices, answered in each way that Discord has.

import {
  ActionRowBuilder, ApplicationCommandType, ButtonBuilder, ButtonStyle, ContextMenuCommandBuilder, Events, MessageFlags,
  ModalBuilder, SlashCommandBuilder, StringSelectMenuBuilder, TextInputBuilder, TextInputStyle,
} from 'discord.js';

const COMMANDS = [
  new SlashCommandBuilder()
    .setName('roll')
    .setDescription('Rolls dice')
    .addIntegerOption((option) => option.setName('sides').setDescription('How many').setRequired(true))
    .addStringOption((option) => option.setName('why').setDescription('What for').setAutocomplete(true)),
  new SlashCommandBuilder().setName('think').setDescription('Takes its time'),
  new ContextMenuCommandBuilder().setName('Greet').setType(ApplicationCommandType.User),
  new ContextMenuCommandBuilder().setName('Quote').setType(ApplicationCommandType.Message),
];

const row = (component) => new ActionRowBuilder().addComponents(component);
const button = (id) => new ButtonBuilder().setCustomId(id).setLabel(id).setStyle(ButtonStyle.Primary);

async function answer(interaction) {
  if (interaction.isAutocomplete()) {
    await interaction.respond([{ name: 'Surely', value: `${interaction.options.getFocused()}, of course` }]);
  } else if (interaction.isUserContextMenuCommand()) {
    await interaction.reply({ content: `Hello, ${interaction.targetMember.displayName}`, flags: MessageFlags.Ephemeral });
  } else if (interaction.isMessageContextMenuCommand()) {
    await interaction.reply(`"${interaction.targetMessage.content}"`);
  } else if (interaction.isModalSubmit()) {
    await interaction.reply(`Hello, ${interaction.fields.getTextInputValue('name')}`);
  } else if (interaction.isStringSelectMenu()) {
    await interaction.update(`A die of ${interaction.values[0]}`);
  } else if (interaction.isButton() && interaction.customId === 'later') {
    await interaction.deferUpdate();
    await interaction.editReply('Later it is.');
  } else if (interaction.isButton()) {
    const name = new TextInputBuilder().setCustomId('name').setLabel('Name').setStyle(TextInputStyle.Short);
    await interaction.showModal(new ModalBuilder().setCustomId('who').setTitle('Who?').addComponents(row(name)));
  } else if (interaction.commandName === 'think') {
    await interaction.deferReply();
    await interaction.editReply('Thought.');
    const hidden = await interaction.followUp({ content: 'For you alone.', flags: MessageFlags.Ephemeral });
    await interaction.editReply({ message: hidden, content: 'For you.' });
    await interaction.followUp('For all.');
    if ((await interaction.fetchReply()).content !== 'Thought.') throw new Error('The answer is another one.');
    await interaction.deleteReply();
  } else {
    const die = new StringSelectMenuBuilder().setCustomId('die').addOptions(['6', '20'].map((value) => ({ label: `D${value}`, value })));
    await interaction.reply({
      content: `${interaction.options.getInteger('sides')} sides`,
      components: [row(button('again')), row(button('later')), row(die)],
    });
  }
}

/** Everybody's uses of the bot, and what /sim shows of its answers. */
export async function commands(client, journey) {
  const set = await client.application.commands.set(COMMANDS);
  journey.same('The commands', [...set.map(({ name }) => name)].sort(), ['Greet', 'Quote', 'roll', 'think']);
  let failure;
  const listener = (interaction) => answer(interaction).catch((error) => { failure = error; });
  client.on(Events.InteractionCreate, listener);
  const use = async (body, is) => {
    const shown = await journey.use(body, (now) => {
      if (failure) throw failure;
      return is ? is(now) : now.callback !== null;
    });
    return shown;
  };

  const rolled = await use({ command: 'roll', options: { sides: 20 } });
  journey.same('A command', [rolled.callback, rolled.answer.content], [4, '20 sides']);
  const messageId = rolled.answer.id;
  const thought = await use({ command: 'think' }, ({ callback, answer, followups }) => callback === 5 && !answer && followups.length === 2);
  journey.same(
    'A deferred answer, deleted, and what followed it',
    thought.followups.map(({ content, ephemeral }) => [content, ephemeral]),
    [['For you.', true], ['For all.', false]],
  );
  const pressed = await use({ messageId, customId: 'again' });
  journey.same('A modal', [pressed.callback, pressed.modal.title], [9, 'Who?']);
  const sent = await use({ modalOf: pressed.id, fields: { name: 'Wanda' } });
  journey.same('A modal sent off', [sent.callback, sent.answer.content], [4, 'Hello, Wanda']);
  const later = await use({ messageId, customId: 'later' }, ({ answer }) => answer?.content === 'Later it is.');
  journey.same('A message changed later', later.callback, 6);
  const chosen = await use({ messageId, customId: 'die', values: ['20'] });
  journey.same('A choice', [chosen.callback, chosen.answer.content], [7, 'A die of 20']);
  const typed = await use({ command: 'roll', options: { why: 'f' }, focused: 'why' });
  journey.same('Choices', [typed.callback, typed.choices[0].value], [8, 'f, of course']);
  const greeted = await use({ command: 'Greet', targetId: journey.userId });
  const name = client.guilds.cache.get(journey.guildId).members.cache.get(journey.userId).displayName;
  journey.same('A person\'s menu', [greeted.answer.content, greeted.answer.ephemeral], [`Hello, ${name}`, true]);
  const quoted = await use({ command: 'Quote', targetId: messageId });
  journey.same('A message\'s menu', quoted.answer.content, '"A die of 20"');
  for (const capability of ['slash commands', 'context menus', 'buttons, selects and modals', 'autocomplete', 'followups, edited and deleted answers']) {
    journey.proved(capability);
  }
  client.off(Events.InteractionCreate, listener);
  await client.application.commands.set([]);
  await journey.told('interactions');
}
