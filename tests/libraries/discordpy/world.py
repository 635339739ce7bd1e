"""What discord.py holds in its caches, in the shape of frame/state.py."""

import discord

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
