"""One shape for two worlds: what discord.py holds in its caches, and what
/sim/state says. Lists become dictionaries by id, so that order does not matter.
"""

import discord

# The name Discord gives a channel that the bot may not view.
HIDDEN = "___hidden___"


def of_caches(client):
    """Everything discord.py holds of its guilds."""
    return {str(guild.id): _guild(guild) for guild in client.guilds}


def _guild(guild):
    return {
        "name": guild.name,
        "ownerId": str(guild.owner_id),
        "memberCount": guild.member_count,
        "roles": {
            str(role.id): {
                "name": role.name,
                "color": role.color.value,
                "permissions": str(role.permissions.value),
            }
            for role in guild.roles
        },
        "channels": {
            str(channel.id): {
                "type": channel.type.value,
                "name": channel.name,
                "parentId": channel.category_id and str(channel.category_id),
                "overwrites": {str(target.id): _overwrite(channel, target) for target in channel.overwrites},
            }
            for channel in guild.channels
        },
        "members": {
            str(member.id): {
                "username": member.name,
                "nick": member.nick,
                # discord.py adds @everyone, whose id is the guild's, to each member.
                "roles": sorted(str(role.id) for role in member.roles if role.id != guild.id),
            }
            for member in guild.members
        },
        "voice": {
            str(member.id): {
                "channelId": str(member.voice.channel.id),
                "selfMute": member.voice.self_mute,
                "selfDeaf": member.voice.self_deaf,
                "mute": member.voice.mute,
                "deaf": member.voice.deaf,
            }
            for member in guild.members
            if member.voice and member.voice.channel
        },
    }


def _overwrite(channel, target):
    allow, deny = channel.overwrites_for(target).pair()
    return {
        "type": 0 if isinstance(target, discord.Role) else 1,
        "allow": str(allow.value),
        "deny": str(deny.value),
    }


def of_state(state):
    """The same of `/sim/state`, as the bot may see it."""
    names = {user["id"]: user["username"] for user in state["users"]}
    return {guild["id"]: _told(guild, names) for guild in state["guilds"]}


def _told(guild, names):
    shut = {guild["id"]: {"type": 0, "allow": "0", "deny": "1024"}}
    return {
        "name": guild["name"],
        "ownerId": guild["ownerId"],
        "memberCount": len(guild["members"]),
        "roles": {role["id"]: _pick(role, "name", "color", "permissions") for role in guild["roles"]},
        "channels": {
            channel["id"]: {
                "type": channel["type"],
                "name": channel["name"] if channel["botSees"] else HIDDEN,
                "parentId": channel["parentId"],
                "overwrites": {
                    overwrite["id"]: _pick(overwrite, "type", "allow", "deny")
                    for overwrite in channel["permissionOverwrites"]
                }
                if channel["botSees"]
                else shut,
            }
            for channel in guild["channels"]
        },
        "members": {
            member["userId"]: {
                "username": names[member["userId"]],
                "nick": member["nick"],
                "roles": sorted(member["roles"]),
            }
            for member in guild["members"]
        },
        "voice": {
            state["userId"]: _pick(state, "channelId", "selfMute", "selfDeaf", "mute", "deaf")
            for state in guild["voiceStates"]
        },
    }


def _pick(thing, *names):
    return {name: thing[name] for name in names}
