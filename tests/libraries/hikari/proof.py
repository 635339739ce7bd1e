"""hikari, as it is published, against the simulator at argv[1], such as
http://127.0.0.1:4000. Only an address is set, by its own option. Ends with 0
if everything was told once, in order, and the cache equals /sim/state.

hikari decodes every field that Discord documents as always there, and fails
where one is missing: what it reads here is whole.
"""

import asyncio
import logging
import sys
import traceback
from pathlib import Path

import aiohttp
import hikari

sys.path.append(str(Path(__file__).resolve().parent.parent / "frame"))
from journey import Journey
from ledger import PATIENCE, Wrong

from world import of_cache


def muted(state):
    return " muted" if state.channel_id and state.is_self_muted else ""


# What the library says, in its own words, turned into lines. It counts @everyone
# among a member's roles.
LINES = {
    hikari.ShardResumedEvent: lambda _: "resumed",
    hikari.VoiceStateUpdateEvent: lambda event: (
        f"voice {event.state.user_id} in {event.state.channel_id}{muted(event.state)}"
    ),
    hikari.GuildChannelCreateEvent: lambda event: f"channel {event.channel.id} made: {event.channel.name}",
    hikari.GuildChannelUpdateEvent: lambda event: f"channel {event.channel.id} changed: {event.channel.name}",
    hikari.GuildChannelDeleteEvent: lambda event: f"channel {event.channel.id} gone",
    hikari.RoleCreateEvent: lambda event: f"role {event.role.id} made: {event.role.name}",
    hikari.RoleUpdateEvent: lambda event: f"role {event.role.id} changed: {event.role.name}",
    hikari.RoleDeleteEvent: lambda event: f"role {event.role_id} gone",
    hikari.MemberCreateEvent: lambda event: f"member {event.user_id} came",
    hikari.MemberUpdateEvent: lambda event: (
        f"member {event.user_id} changed: {event.member.nickname}, {len(event.member.role_ids) - 1} roles"
    ),
    hikari.MemberDeleteEvent: lambda event: f"member {event.user_id} went",
    hikari.GuildMessageCreateEvent: lambda event: (
        f"message {event.message_id} by {event.author_id}: {event.content}"
    ),
    hikari.GuildMessageUpdateEvent: lambda event: f"message {event.message_id} now: {event.content}",
    hikari.GuildMessageDeleteEvent: lambda event: f"message {event.message_id} gone",
}


class Failures(logging.Handler):
    """What the library only writes down: a payload that it cannot read, a listener that fails."""

    def __init__(self, ledger):
        super().__init__(logging.WARNING)
        self.ledger = ledger
        self.first = None
        self.limited = 0

    def emit(self, record):
        if record.getMessage().startswith("rate limited"):
            self.limited += 1
        elif record.levelno >= logging.ERROR:
            self.first = self.first or self.format(record)
            self.ledger.poke()


class Proof(Journey):
    """What hikari does itself, and the journey of them all."""

    def __init__(self, origin, http):
        super().__init__(origin, http, lambda: of_cache(self.bot.cache), self._complaint)
        self.failures = Failures(self.ledger)
        self.chunked = set()

    def _complaint(self):
        return self.failures.first and f"hikari complains: {self.failures.first}"

    async def run(self):
        await self.begin()
        intents = hikari.Intents.ALL_UNPRIVILEGED | hikari.Intents.GUILD_MEMBERS | hikari.Intents.MESSAGE_CONTENT
        self.bot = hikari.GatewayBot(
            self.token, rest_url=f"{self.origin}/api/v10", intents=intents, banner=None, logs="WARNING"
        )
        logging.getLogger("hikari").addHandler(self.failures)
        for kind, line in LINES.items():
            self.bot.subscribe(kind, self._listener(line))
        self.bot.subscribe(hikari.ShardReadyEvent, self._ready)
        self.bot.subscribe(hikari.MemberChunkEvent, self._chunk)
        await self.bot.start(check_for_updates=False)
        try:
            await self.login()
            await self.voices()
            await self.own_voice()
            await self.house()
            await self.messages()
            await self.rest()
            await self.reads()
            await self.commands()
            await self.limits(lambda: self.failures.limited > 0, self.roles)
            await self.resumes("a drop", kind="drop")
            await self.resumes("op 7", kind="reconnect")
            await self.replay()
            await self.anew(self._is_whole)
            await self.agrees("the end")
        finally:
            await self.bot.close()

    def _listener(self, line):
        async def see(event):
            self.ledger.see(line(event))

        return see

    async def _ready(self, _: hikari.ShardReadyEvent):
        # Counted, not told: when it calls a session ready is the library's affair.
        self.chunked.clear()
        self.began()

    async def _chunk(self, event: hikari.MemberChunkEvent):
        if event.chunk_index + 1 == event.chunk_count:
            self.chunked.add(int(event.guild_id))
            self.ledger.poke()

    def _is_whole(self):
        return self.chunked == self.guild_ids

    async def login(self):
        await self.until("A session", lambda: self.sessions == 1 and self._is_whole())
        if self.bot.get_me().id != self.application_id:
            raise Wrong(f"The bot is {self.bot.get_me().id}, not {self.application_id}.")
        await self.agrees("login")
        self.proved("the whole state")

    async def own_voice(self):
        """The bot itself joins, moves and leaves (op 4), without saying whether it is mute."""
        for name in ("The Hearth", "Table One"):
            channel = await self.channel(name)
            await self.bot.update_voice_state(self.guild_id, channel)
            self.ledger.expect(f"voice {self.application_id} in {channel}")
            await self.settled(f"the bot in {name}")
        await self.bot.update_voice_state(self.guild_id, None)
        self.ledger.expect(f"voice {self.application_id} in None")
        await self.settled("the bot gone")
        self.proved("its own voice state (op 4)")

    async def rest(self):
        """The bot acts by REST: a role, a gated room, a move, a message."""
        rest, guild = self.bot.rest, self.guild_id
        role = await rest.create_role(
            guild, name="Table Three", permissions=hikari.Permissions.NONE, reason="A room of its own"
        )
        self.ledger.expect(f"role {role.id} made: Table Three")
        await self.settled("a role by REST")

        both = hikari.Permissions.VIEW_CHANNEL | hikari.Permissions.CONNECT
        kinds = hikari.PermissionOverwriteType
        overwrites = [
            hikari.PermissionOverwrite(id=guild, type=kinds.ROLE, deny=both),
            hikari.PermissionOverwrite(id=role.id, type=kinds.ROLE, allow=both),
            hikari.PermissionOverwrite(id=self.application_id, type=kinds.MEMBER, allow=both),
        ]
        room = await rest.create_guild_voice_channel(guild, "Table Three", permission_overwrites=overwrites)
        self.ledger.expect(f"channel {room.id} made: Table Three")
        await self.settled("a channel with overwrites by REST")

        member, lobby = self.bot.cache.get_member(guild, self.user_id), await self.channel("The Hearth")
        roles = len(member.role_ids) - 1
        await rest.add_role_to_member(guild, member.id, role.id)
        self.ledger.expect(f"member {member.id} changed: {member.nickname}, {roles + 1} roles")
        await self.settled("a role given by REST")
        await self.voice(lobby)
        self.ledger.expect(f"voice {member.id} in {lobby}")
        await self.settled("somebody in the lobby")
        await rest.edit_member(guild, member.id, voice_channel=room.id)
        self.ledger.expect(f"voice {member.id} in {room.id}")
        await self.settled("a move by REST")

        channel = await self.channel("game-night")
        said = await rest.create_message(channel, "Table Three is open.", attachment=hikari.Bytes(b"map", "map.txt"))
        if [(one.filename, one.size) for one in said.attachments] != [("map.txt", 3)]:
            raise Wrong(f"The file did not come along: {said.attachments}")
        self.ledger.expect(f"message {said.id} by {self.application_id}: Table Three is open.")
        await self.settled("a message by REST")
        await rest.edit_message(channel, said.id, "Table Three is full.")
        self.ledger.expect(f"message {said.id} now: Table Three is full.")
        await self.settled("an edit by REST")
        await rest.delete_message(channel, said.id)
        self.ledger.expect(f"message {said.id} gone")
        await self.settled("a deletion by REST")
        await self.agrees("acting by REST")

        await rest.edit_channel(room.id, name="Table Four")
        await rest.edit_role(guild, role.id, name="Table Four")
        await rest.delete_channel(room.id)
        await rest.delete_role(guild, role.id)
        self.ledger.expect(
            f"channel {room.id} changed: Table Four",
            f"role {role.id} changed: Table Four",
            f"voice {member.id} in None",
            f"channel {room.id} gone",
            f"role {role.id} gone",
            f"member {member.id} changed: {member.nickname}, {roles} roles",
        )
        await self.settled("everything taken back by REST")
        await self.agrees("everything taken back by REST")
        self.proved("acting by REST")

    async def reads(self):
        """Everything that the library can read of what is there, decoded field by field."""
        rest, guild, channel = self.bot.rest, self.guild_id, await self.channel("game-night")
        said = (
            await self.sim.act(
                "POST", "/messages", {"channelId": str(channel), "authorId": str(self.user_id), "content": "Hello"}
            )
        )["id"]
        self.ledger.expect(f"message {said} by {self.user_id}: Hello")
        await self.settled("a message to read")
        for reading in (
            rest.fetch_application(),
            rest.fetch_my_user(),
            rest.fetch_user(self.user_id),
            rest.fetch_guild(guild),
            rest.fetch_guild_preview(guild),
            rest.fetch_guild_channels(guild),
            rest.fetch_channel(channel),
            rest.fetch_member(guild, self.user_id),
            rest.fetch_roles(guild),
            rest.fetch_message(channel, int(said)),
            rest.fetch_guild_emojis(guild),
            rest.fetch_guild_stickers(guild),
            rest.fetch_available_sticker_packs(),
            rest.fetch_voice_regions(),
            rest.fetch_guild_voice_regions(guild),
            rest.fetch_scheduled_events(guild),
            rest.fetch_gateway_bot_info(),
        ):
            await reading
        async for _ in rest.fetch_members(guild):
            pass
        async for _ in rest.fetch_messages(channel):
            pass
        async for _ in rest.fetch_my_guilds():
            pass
        print("== what can be read was read", flush=True)

    async def commands(self):
        """Somebody uses a command, a button and a modal, and types where choices are offered."""
        rest, kinds = self.bot.rest, hikari.OptionType
        roll = (
            rest.slash_command_builder("roll", "Rolls dice")
            .add_option(hikari.CommandOption(type=kinds.INTEGER, name="sides", description="How many", is_required=True))
            .add_option(
                hikari.CommandOption(type=kinds.STRING, name="why", description="What for", autocomplete=True)
            )
        )
        made = await rest.set_application_commands(self.application_id, [roll])
        self.same("The commands", [command.name for command in made], ["roll"])

        async def answers(event: hikari.InteractionCreateEvent):
            await self._answer(event.interaction)

        self.bot.subscribe(hikari.InteractionCreateEvent, answers)
        rolled = await self.use(lambda shown: len(shown["followups"]) == 2, command="roll", options={"sides": 20})
        self.same("A command", [rolled["callback"], rolled["answer"]["content"]], [5, "20 sides"])
        followed = [(one["content"], one["ephemeral"]) for one in rolled["followups"]]
        self.same("What followed", followed, [("and more", False), ("for you", True)])
        message = rolled["answer"]["id"]
        pressed = await self.use(customId="again", messageId=message)
        self.same("A modal", pressed["callback"], 9)
        sent = await self.use(modalOf=pressed["id"], fields={"name": "Wanda"})
        self.same("A modal sent off", [sent["callback"], sent["answer"]["content"]], [7, "Hello, Wanda"])
        later = await self.use(lambda shown: shown["answer"] and shown["answer"]["content"] == "Later it is.",
                               customId="later", messageId=message)
        self.same("A message changed later", later["callback"], 6)
        typed = await self.use(command="roll", options={"why": "f"}, focused="why")
        self.same("Choices", [one["value"] for one in typed["choices"]], ["f, of course"])
        self.bot.unsubscribe(hikari.InteractionCreateEvent, answers)
        await rest.set_application_commands(self.application_id, [])
        await self.told("interactions")
        for capability in ("slash commands", "buttons, selects and modals", "autocomplete"):
            self.proved(capability)

    async def _answer(self, interaction):
        rest, kinds = self.bot.rest, hikari.ResponseType
        if isinstance(interaction, hikari.CommandInteraction):
            await interaction.create_initial_response(kinds.DEFERRED_MESSAGE_CREATE)
            row = rest.build_message_action_row()
            row.add_interactive_button(hikari.ButtonStyle.PRIMARY, "again", label="Again")
            row.add_interactive_button(hikari.ButtonStyle.PRIMARY, "later", label="Later")
            sides = interaction.options[0].value
            await interaction.edit_initial_response(f"{sides} sides", component=row)
            await interaction.execute("and more")
            await interaction.execute("for you", flags=hikari.MessageFlag.EPHEMERAL)
        elif isinstance(interaction, hikari.ComponentInteraction) and interaction.custom_id == "later":
            await interaction.create_initial_response(kinds.DEFERRED_MESSAGE_UPDATE)
            await interaction.edit_initial_response("Later it is.")
        elif isinstance(interaction, hikari.ComponentInteraction):
            row = rest.build_modal_action_row().add_text_input("name", "Name")
            await interaction.create_modal_response("Who?", "who", component=row)
        elif isinstance(interaction, hikari.ModalInteraction):
            name = interaction.components[0].components[0].value
            await interaction.create_initial_response(kinds.MESSAGE_UPDATE, f"Hello, {name}")
        elif isinstance(interaction, hikari.AutocompleteInteraction):
            typed = next(option.value for option in interaction.options if option.is_focused)
            choices = [hikari.impl.AutocompleteChoiceBuilder("Surely", f"{typed}, of course")]
            await interaction.create_response(choices)

    async def roles(self):
        self.failures.limited = 0
        return await self.bot.rest.fetch_roles(self.guild_id)


async def main(origin):
    print(f"@version {hikari.__version__}", flush=True)
    limit = aiohttp.ClientTimeout(total=PATIENCE)
    try:
        async with aiohttp.ClientSession(timeout=limit) as http:
            await Proof(origin, http).run()
    except Exception as error:
        if not isinstance(error, Wrong):
            traceback.print_exc()
        sys.exit(f"hikari {hikari.__version__} against {origin}: {error}")
    print(f"hikari {hikari.__version__}: everything was told once, in order, and the cache equals /sim/state.")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Give the origin of a simulator, such as http://127.0.0.1:4000.")
    asyncio.run(main(sys.argv[1]))
