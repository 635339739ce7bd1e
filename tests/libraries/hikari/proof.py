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

sys.path.append(str(Path(__file__).resolve().parent.parent / "discordpy"))
from ledger import PATIENCE, Ledger, Sim, Wrong, difference

from world import of_cache, of_state


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


class Proof:
    """The chapters, each from a world at rest to a world at rest."""

    def __init__(self, origin, http):
        self.origin = origin
        self.http = http
        self.sim = Sim(origin, http)
        self.ledger = Ledger()
        self.failures = Failures(self.ledger)
        self.sessions = 0
        self.chunked = set()

    async def run(self):
        state = await self.sim.state()
        self.token = state["application"]["botToken"]
        self.application_id = int(state["application"]["id"])
        self.guild_ids = {int(guild["id"]) for guild in state["guilds"]}
        self.guild_id = int(state["guilds"][0]["id"])
        self.somebody = int(state["guilds"][0]["members"][0]["userId"])
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
            await self.limits()
            await self.resumes("a drop", kind="drop")
            await self.resumes("op 7", kind="reconnect")
            await self.replay()
            await self.anew()
            await self.agrees("the end")
        finally:
            await self.bot.close()

    def _listener(self, line):
        async def see(event):
            self.ledger.see(line(event))

        return see

    async def _ready(self, _: hikari.ShardReadyEvent):
        # Counted, not told: when it calls a session ready is the library's affair.
        self.sessions += 1
        self.chunked.clear()
        self.ledger.poke()

    async def _chunk(self, event: hikari.MemberChunkEvent):
        if event.chunk_index + 1 == event.chunk_count:
            self.chunked.add(int(event.guild_id))
            self.ledger.poke()

    async def until(self, what, holds):
        await self.ledger.until(what, lambda: self.failures.first or holds())
        if self.failures.first:
            raise Wrong(f"hikari complains: {self.failures.first}")

    async def settled(self, chapter):
        await self.ledger.settled(chapter)
        if self.failures.first:
            raise Wrong(f"hikari complains: {self.failures.first}")

    async def agrees(self, chapter):
        """The cache holds what the simulator holds."""
        found = difference(of_cache(self.bot.cache), of_state(await self.sim.state()))
        if found:
            raise Wrong(f'After "{chapter}" the cache is not /sim/state: {found}')
        print(f"== {chapter}: the cache equals /sim/state", flush=True)

    def channel(self, name):
        channels = self.bot.cache.get_guild_channels_view_for_guild(self.guild_id).values()
        return next(channel for channel in channels if channel.name == name)

    async def login(self):
        await self.until("A session", lambda: self.sessions == 1 and self.chunked == self.guild_ids)
        if self.bot.get_me().id != self.application_id:
            raise Wrong(f"The bot is {self.bot.get_me().id}, not {self.application_id}.")
        await self.agrees("login")

    async def voice(self, channel_id=None, **flags):
        body = flags or {"channelId": channel_id and str(channel_id)}
        await self.sim.voice(self.guild_id, userId=str(self.somebody), **body)

    async def voices(self):
        """Somebody joins, moves, mutes and leaves."""
        user, first, second = self.somebody, self.channel("Table One").id, self.channel("Table Two").id
        self.ledger.expect(
            f"voice {user} in {first}",
            f"voice {user} in {second}",
            f"voice {user} in {second} muted",
            f"voice {user} in None",
        )
        await self.voice(first)
        await self.voice(second)
        await self.voice(selfMute=True)
        await self.voice(None)
        await self.settled("voices")

    async def own_voice(self):
        """The bot itself joins, moves and leaves (op 4), without saying whether it is mute."""
        for name in ("The Hearth", "Table One"):
            channel = self.channel(name).id
            await self.bot.update_voice_state(self.guild_id, channel)
            self.ledger.expect(f"voice {self.application_id} in {channel}")
            await self.settled(f"the bot in {name}")
        await self.bot.update_voice_state(self.guild_id, None)
        self.ledger.expect(f"voice {self.application_id} in None")
        await self.settled("the bot gone")

    async def house(self):
        """Channels and roles come, change and go, and a newcomer is given one."""
        at, act = f"/guilds/{self.guild_id}", self.sim.act
        role = (await act("POST", f"{at}/roles", {"name": "Visitor", "color": 0x3F8F6B}))["id"]
        overwrites = [{"id": role, "type": 0, "allow": "1024", "deny": "0"}]
        room = {"name": "Guest Room", "permissionOverwrites": overwrites}
        channel = (await act("POST", f"{at}/channels", room))["id"]
        user = (await act("POST", "/users", {"username": "wanda.new", "globalName": "Wanda"}))["id"]
        self.ledger.expect(f"role {role} made: Visitor", f"channel {channel} made: Guest Room")
        await self.settled("a role and a channel")

        await act("POST", f"{at}/members", {"userId": user})
        await act("PUT", f"{at}/members/{user}/roles/{role}")
        await act("PATCH", f"{at}/members/{user}", {"nick": "The Newcomer"})
        await act("PATCH", f"/roles/{role}", {"name": "Guest"})
        await act("PATCH", f"/channels/{channel}", {"name": "Guest Hall"})
        self.ledger.expect(
            f"member {user} came",
            f"member {user} changed: None, 1 roles",
            f"member {user} changed: The Newcomer, 1 roles",
            f"role {role} changed: Guest",
            f"channel {channel} changed: Guest Hall",
        )
        await self.settled("a newcomer")
        await self.agrees("a newcomer")

        await act("DELETE", f"/channels/{channel}")
        await act("DELETE", f"{at}/members/{user}")
        await act("DELETE", f"/roles/{role}")
        self.ledger.expect(f"channel {channel} gone", f"member {user} went", f"role {role} gone")
        await self.settled("everything taken back")

    async def messages(self):
        """A message of a person, with its content."""
        channel = self.channel("game-night").id
        said = {"channelId": str(channel), "authorId": str(self.somebody), "content": "Who brings the dice?"}
        message = (await self.sim.act("POST", "/messages", said))["id"]
        self.ledger.expect(f"message {message} by {self.somebody}: Who brings the dice?")
        await self.settled("a message")
        path = f"/channels/{channel}/messages/{message}"
        await self.sim.act("PATCH", path, {"content": "Who brings the cards?"})
        await self.sim.act("DELETE", path)
        self.ledger.expect(f"message {message} now: Who brings the cards?", f"message {message} gone")
        await self.settled("a message changed and deleted")

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

        member, lobby = self.bot.cache.get_member(guild, self.somebody), self.channel("The Hearth")
        roles = len(member.role_ids) - 1
        await rest.add_role_to_member(guild, member.id, role.id)
        self.ledger.expect(f"member {member.id} changed: {member.nickname}, {roles + 1} roles")
        await self.settled("a role given by REST")
        await self.voice(lobby.id)
        self.ledger.expect(f"voice {member.id} in {lobby.id}")
        await self.settled("somebody in the lobby")
        await rest.edit_member(guild, member.id, voice_channel=room.id)
        self.ledger.expect(f"voice {member.id} in {room.id}")
        await self.settled("a move by REST")

        channel = self.channel("game-night").id
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

    async def reads(self):
        """Everything that the library can read of what is there, decoded field by field."""
        rest, guild, channel = self.bot.rest, self.guild_id, self.channel("game-night").id
        said = (
            await self.sim.act(
                "POST", "/messages", {"channelId": str(channel), "authorId": str(self.somebody), "content": "Hello"}
            )
        )["id"]
        self.ledger.expect(f"message {said} by {self.somebody}: Hello")
        await self.settled("a message to read")
        for reading in (
            rest.fetch_application(),
            rest.fetch_my_user(),
            rest.fetch_user(self.somebody),
            rest.fetch_guild(guild),
            rest.fetch_guild_preview(guild),
            rest.fetch_guild_channels(guild),
            rest.fetch_channel(channel),
            rest.fetch_member(guild, self.somebody),
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
        rest, kinds, channel = self.bot.rest, hikari.OptionType, self.channel("game-night").id
        roll = (
            rest.slash_command_builder("roll", "Rolls dice")
            .add_option(hikari.CommandOption(type=kinds.INTEGER, name="sides", description="How many", is_required=True))
            .add_option(
                hikari.CommandOption(type=kinds.STRING, name="why", description="What for", autocomplete=True)
            )
        )
        made = await rest.set_application_commands(self.application_id, [roll])
        if [command.name for command in made] != ["roll"]:
            raise Wrong(f"Other commands were registered: {made}")

        async def answers(event: hikari.InteractionCreateEvent):
            await self._answer(event.interaction)

        self.bot.subscribe(hikari.InteractionCreateEvent, answers)
        asks = {"userId": str(self.somebody), "channelId": str(channel)}

        asked = await self.sim.act("POST", "/interactions", {**asks, "command": "roll", "options": {"sides": 20}})
        await self.until("The command's end", lambda: "command done" in self.ledger.seen)
        shown = await self.sim.act("GET", f"/interactions/{asked['id']}")
        message = shown["answer"]["id"]
        told = [shown["callback"], shown["answer"]["content"], [one["content"] for one in shown["followups"]]]
        if told != [5, "20 sides", ["and more", "for you"]]:
            raise Wrong(f"The command was answered {told}.")
        if [one["ephemeral"] for one in shown["followups"]] != [False, True]:
            raise Wrong("Who sees what was not kept apart.")

        pressed = await self.sim.act("POST", "/interactions", {**asks, "customId": "again", "messageId": message})
        await self.until("The modal", lambda: "modal shown" in self.ledger.seen)
        fields = {"name": "Wanda"}
        await self.sim.act("POST", "/interactions", {**asks, "modalOf": pressed["id"], "fields": fields})
        await self.until("The modal's end", lambda: "modal done" in self.ledger.seen)
        shown = await self.sim.act("GET", f"/interactions/{asked['id']}")
        if shown["answer"]["content"] != "Hello, Wanda":
            raise Wrong(f"The message was not updated: {shown['answer']}")

        typing = {**asks, "command": "roll", "options": {"why": "f"}, "focused": "why"}
        typed = await self.sim.act("POST", "/interactions", typing)
        await self.until("The choices", lambda: "choices given" in self.ledger.seen)
        shown = await self.sim.act("GET", f"/interactions/{typed['id']}")
        if [one["value"] for one in shown["choices"]] != ["f, of course"]:
            raise Wrong(f"Other choices were offered: {shown['choices']}")
        self.bot.unsubscribe(hikari.InteractionCreateEvent, answers)
        await rest.set_application_commands(self.application_id, [])
        self.turn_the_page()
        print("== a command, a button, a modal and choices", flush=True)

    async def _answer(self, interaction):
        rest, kinds = self.bot.rest, hikari.ResponseType
        if isinstance(interaction, hikari.CommandInteraction):
            await interaction.create_initial_response(kinds.DEFERRED_MESSAGE_CREATE)
            row = rest.build_message_action_row()
            row.add_interactive_button(hikari.ButtonStyle.PRIMARY, "again", label="Again")
            sides = interaction.options[0].value
            await interaction.edit_initial_response(f"{sides} sides", component=row)
            await interaction.execute("and more")
            await interaction.execute("for you", flags=hikari.MessageFlag.EPHEMERAL)
            self.ledger.see("command done")
        elif isinstance(interaction, hikari.ComponentInteraction):
            row = rest.build_modal_action_row().add_text_input("name", "Name")
            await interaction.create_modal_response("Who?", "who", component=row)
            self.ledger.see("modal shown")
        elif isinstance(interaction, hikari.ModalInteraction):
            name = interaction.components[0].components[0].value
            await interaction.create_initial_response(kinds.MESSAGE_UPDATE, f"Hello, {name}")
            self.ledger.see("modal done")
        elif isinstance(interaction, hikari.AutocompleteInteraction):
            typed = next(option.value for option in interaction.options if option.is_focused)
            choices = [hikari.impl.AutocompleteChoiceBuilder("Surely", f"{typed}, of course")]
            await interaction.create_response(choices)
            self.ledger.see("choices given")

    async def limits(self):
        """Somebody else spends the bucket, so that the library meets a real 429."""
        url = f"{self.origin}/api/v10/guilds/{self.guild_id}/roles"
        headers = {"authorization": f"Bot {self.token}"}
        for spent in range(1000):
            async with self.http.get(url, headers=headers) as answer:
                if answer.status == 429:
                    break
        else:
            raise Wrong(f"A thousand calls of {url} met no 429.")
        before = self.failures.limited
        roles = await self.bot.rest.fetch_roles(self.guild_id)
        if len(roles) != len((await self.sim.state())["guilds"][0]["roles"]):
            raise Wrong("Roles are missing after the 429.")
        if self.failures.limited == before:
            raise Wrong("No 429 was waited out.")
        print(f"== a 429 after {spent} calls, waited out", flush=True)

    async def attached(self):
        return [session["id"] for session in (await self.sim.state())["sessions"] if session["attached"]]

    async def resumes(self, chapter, **fault):
        """The connection ends so that the session goes on."""
        user, first, second = self.somebody, self.channel("Table One").id, self.channel("Table Two").id
        await self.voice(first)
        self.ledger.expect(f"voice {user} in {first}")
        await self.settled(f"before {chapter}")
        before, sessions = self.sessions, await self.attached()
        await self.sim.fault(**fault)
        await self.until(f"A resumption after {chapter}", lambda: "resumed" in self.ledger.seen)
        await self.voice(second)
        self.ledger.expect("resumed", f"voice {user} in {second}")
        await self.settled(chapter)
        if self.sessions != before or await self.attached() != sessions:
            raise Wrong(f"{chapter} cost the session.")
        self.turn_the_page()

    async def replay(self):
        """A drop while people move: the replay brings each step, in order, then RESUMED."""
        user, first, second = self.somebody, self.channel("Table One").id, self.channel("Table Two").id
        await self.sim.fault(kind="resume_503", times=1)
        await self.sim.fault(kind="drop")
        for channel_id in (first, second, first):
            await self.voice(channel_id)
        self.ledger.expect(*(f"voice {user} in {channel_id}" for channel_id in (first, second, first)), "resumed")
        await self.settled("a drop while people move, and a resume host that answers 503 once")
        self.turn_the_page()

    async def anew(self):
        """Op 9 with false: a new session shows the world as it is now."""
        before = self.sessions
        await self.sim.fault(kind="invalid_session", resumable=False)
        await self.voice(None)
        await self.until(
            "A new session after op 9", lambda: self.sessions == before + 1 and self.chunked == self.guild_ids
        )
        await self.settled("op 9 with false")
        await self.agrees("op 9 with false")

    def turn_the_page(self):
        self.ledger.expected.clear()
        self.ledger.seen.clear()


async def main(origin):
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
