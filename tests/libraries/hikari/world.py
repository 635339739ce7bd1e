"""What hikari holds in its cache, in the shape of frame/state.py. Members are counted, because
hikari keeps the number of GUILD_CREATE.
"""


def of_cache(cache):
    """Everything hikari holds of its guilds."""
    return {str(id): _guild(cache, guild) for id, guild in cache.get_guilds_view().items()}


def _guild(cache, guild):
    return {
        "name": guild.name,
        "ownerId": str(guild.owner_id),
        "memberCount": len(cache.get_members_view_for_guild(guild.id)),
        "roles": {
            str(role.id): {"name": role.name, "color": int(role.color), "permissions": str(int(role.permissions))}
            for role in cache.get_roles_view_for_guild(guild.id).values()
        },
        "channels": {
            str(channel.id): {
                "type": int(channel.type),
                "name": channel.name,
                "parentId": channel.parent_id and str(channel.parent_id),
                "overwrites": {
                    str(id): {"type": int(one.type), "allow": str(int(one.allow)), "deny": str(int(one.deny))}
                    for id, one in channel.permission_overwrites.items()
                },
            }
            for channel in cache.get_guild_channels_view_for_guild(guild.id).values()
        },
        "members": {
            str(id): {
                "username": member.user.username,
                "nick": member.nickname,
                # hikari adds @everyone, whose id is the guild's, to each member.
                "roles": sorted(str(role) for role in member.role_ids if role != guild.id),
            }
            for id, member in cache.get_members_view_for_guild(guild.id).items()
        },
        "voice": {
            str(id): {
                "channelId": str(state.channel_id),
                "selfMute": state.is_self_muted,
                "selfDeaf": state.is_self_deafened,
                "mute": state.is_guild_muted,
                "deaf": state.is_guild_deafened,
            }
            for id, state in cache.get_voice_states_view_for_guild(guild.id).items()
        },
    }
