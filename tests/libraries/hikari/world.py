"""One shape for two worlds: what hikari holds in its cache, and what /sim/state says. The number of
members is left out: hikari keeps that of GUILD_CREATE. Lists become
dictionaries by id, so that order does not matter.
"""

# The name Discord gives a channel that the bot may not view.
HIDDEN = "___hidden___"


def of_cache(cache):
    """Everything hikari holds of its guilds."""
    return {str(id): _guild(cache, guild) for id, guild in cache.get_guilds_view().items()}


def _guild(cache, guild):
    return {
        "name": guild.name,
        "ownerId": str(guild.owner_id),
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


def of_state(state):
    """The same of `/sim/state`, as the bot may see it."""
    names = {user["id"]: user["username"] for user in state["users"]}
    return {guild["id"]: _told(guild, names) for guild in state["guilds"]}


def _told(guild, names):
    shut = {guild["id"]: {"type": 0, "allow": "0", "deny": "1024"}}
    return {
        "name": guild["name"],
        "ownerId": guild["ownerId"],
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
