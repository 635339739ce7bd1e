"""What /sim/state says of guilds, in the shape into which each library's world.py brings its
caches. Lists become dictionaries by id, so that order does not matter.
"""

# The name Discord gives a channel that the bot may not view.
HIDDEN = "___hidden___"


def of_state(state):
    """`/sim/state`, as the bot may see it."""
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
