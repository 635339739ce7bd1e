"""A second opinion on who may see what: discord.py's.

Reads the dispatches of one session of Discord's Gateway, a JSON line each, feeds them to discord.py's
own caches, and after each says what its guild is then, and which of its rooms each viewer sees by
discord.py's own `permissions_for`. Nothing of Guildhall is in here, and no network.

    oracle.py VIEWER… < dispatches > moments

A line of the input is `{"t": NAME, "d": DATA}`, READY first. One of the output belongs to each line
of the input that is about a guild: `{"line", "guildId", "guild", "viewers"}`. `guild` is null while
the bot is not in it, else an entry of a snapshot's `guilds`, all of it. `viewers` has for each of
them what they were in it until now, one after the other, the present last: null where they were no
member, else the rooms that they would see if they were still that.
"""

import asyncio
import json
import sys

import discord
from discord.state import ConnectionState

# The channel flag of what the bot itself may not view. discord.py keeps no flags of these channels.
OBFUSCATED = 1 << 17


class Oracle:
    def __init__(self, viewers):
        self.viewers = [int(viewer) for viewer in viewers]
        self.state = ConnectionState(
            dispatch=lambda *_: None,
            handlers={},
            hooks={},
            http=None,
            intents=discord.Intents.all(),
            chunk_guilds_at_startup=False,
            max_messages=None,
        )
        self.obfuscated = set()
        # Of categories, the last that was told: the name of an obfuscated one is made up.
        self.names = {}
        # By guild and viewer: what they were, a member or nobody, one after the other.
        self.versions = {}

    def take(self, name, data):
        """Which guild it was about, if any."""
        guild_id = int(data.get("guild_id") or (data["id"] if name.startswith("GUILD_") else 0))
        if name == "GUILD_CREATE" and not data.get("unavailable"):
            # discord.py adds to what it had, and what went during an outage would stay.
            if known := self.state._get_guild(guild_id):
                self.state._remove_guild(known)
            for channel in data["channels"]:
                self.channel(channel)
            # discord.py keeps the name that somebody had before the outage.
            for member in data["members"]:
                if user := self.state.get_user(int(member["user"]["id"])):
                    user._update(member["user"])
        if name in ("CHANNEL_CREATE", "CHANNEL_UPDATE"):
            self.channel(data)
        if name in self.state.parsers:
            self.state.parsers[name](data)
        guild = self.state._get_guild(guild_id)
        if name == "GUILD_ROLE_DELETE" and guild:
            self.role_deleted(guild, int(data["role_id"]))
        if guild and not guild.unavailable:
            self.note_versions(guild)
        return guild_id

    def channel(self, data):
        hidden = data["flags"] & OBFUSCATED
        (self.obfuscated.add if hidden else self.obfuscated.discard)(int(data["id"]))
        if not hidden:
            self.names[int(data["id"])] = data["name"]

    def role_deleted(self, guild, role_id):
        """Nobody has it any more. discord.py waits to be told so of each member, and counts what
        overwrites give to it until then."""
        former = (version for versions in self.versions.values() for version in versions if version)
        for member in (*guild.members, *former):
            if member.guild.id == guild.id and member._roles.has(role_id):
                member._roles.remove(role_id)

    def note_versions(self, guild):
        """Notes what each viewer is in it, if that is something else than before."""
        for viewer in self.viewers:
            versions = self.versions.setdefault((guild.id, viewer), [])
            member = guild.get_member(viewer)
            for version in filter(None, versions):
                version.guild = guild
            last = versions[-1] if versions else None
            if not versions or (last and last._roles) != (member and member._roles) or bool(last) != bool(member):
                versions.append(member and discord.Member._copy(member))

    def moment(self, guild_id):
        guild = self.state._get_guild(guild_id)
        return {
            "guildId": str(guild_id),
            "guild": guild and self.show(guild),
            "viewers": {
                str(viewer): [guild and version and self.seen(guild, version) for version in self.versions.get((guild_id, viewer), [])]
                for viewer in self.viewers
            },
        }

    def seen(self, guild, member):
        state = guild._voice_state_for(member.id)
        connected = state and state.channel
        return [
            str(room.id)
            for room in rooms(guild)
            if room.id not in self.obfuscated
            and (room.permissions_for(member).view_channel or connected and connected.id == room.id)
        ]

    def show(self, guild):
        return {
            "id": str(guild.id),
            "name": guild.name,
            "icon": guild._icon,
            "available": not guild.unavailable,
            "rooms": [self.room(guild, room) for room in rooms(guild)],
        }

    def room(self, guild, room):
        shown = {
            "channelId": str(room.id),
            "name": room.name,
            "kind": str(room.type).removesuffix("_voice"),
            "position": room.position,
            "userLimit": room.user_limit,
            "members": [person(guild, room, user_id) for user_id in room.voice_states],
        }
        if room.category:
            shown["parentId"] = str(room.category.id)
            shown["parentName"] = self.names.get(room.category.id)
        return shown


def rooms(guild):
    return (channel for channel in guild.channels if isinstance(channel, (discord.VoiceChannel, discord.StageChannel)))


def person(guild, room, user_id):
    member, state = guild.get_member(user_id), guild._voice_state_for(user_id)
    return {
        "channelId": str(room.id),
        "userId": str(user_id),
        "username": member.name,
        "displayName": member.display_name,
        "bot": member.bot,
        "mute": state.mute,
        "deaf": state.deaf,
        "selfMute": state.self_mute,
        "selfDeaf": state.self_deaf,
        "streaming": state.self_stream,
        "video": state.self_video,
        "suppressed": state.suppress,
    }


async def main():
    # In a loop only because discord.py begins a task at READY, which never comes to anything.
    oracle = Oracle(sys.argv[1:])
    for line, text in enumerate(sys.stdin):
        dispatch = json.loads(text)
        guild_id = oracle.take(dispatch["t"], dispatch["d"])
        if guild_id:
            print(json.dumps({"line": line, **oracle.moment(guild_id)}))


asyncio.run(main())
