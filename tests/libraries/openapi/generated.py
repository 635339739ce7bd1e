"""A client of which nobody here wrote a line: made of the OpenAPI document, it asks and has something
done.

Told by one argument, JSON: `document`, `web` (our address), `cookie` (NAME=VALUE of whoever asks, who
is in the room `here`), `guildId`, `there` (another room) and `hidden` (one that they do not see).
Answers in lines of JSON on stdout; the whole-house test reads them.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

told = json.loads(sys.argv[1])


def say(**words):
    print(json.dumps(words), flush=True)


with tempfile.TemporaryDirectory() as folder:
    settings = Path(folder, "settings.yml")
    settings.write_text("post_hooks: []\n", encoding="utf-8")
    # What it cannot make a client of is a fault of the document.
    options = ["--fail-on-warning", "--meta", "none", "--config", settings]
    subprocess.run(
        [Path(sys.executable).with_name("openapi-python-client"), "generate", *options]
        + ["--path", told["document"], "--output-path", Path(folder, "guildhall_client")],
        check=True,
        stdout=sys.stderr,
    )
    sys.path.insert(0, folder)
    from guildhall_client import Client, models
    from guildhall_client.api.rpc import (
        check_user_in_voice_channel,
        connect_user_to_voice_channel,
        get_voice_channel_members,
        rename_room,
        set_room_limit,
    )

    name, value = told["cookie"].split("=", 1)
    client = Client(base_url=told["web"], cookies={name: value}, headers={"Origin": told["web"]})

    where = check_user_in_voice_channel.sync(
        client=client, body=models.CheckUserInVoiceChannelInput(guild_id=told["guildId"])
    )
    say(checkUserInVoiceChannel=where.channel_id)
    moved = connect_user_to_voice_channel.sync(
        client=client,
        body=models.ConnectUserToVoiceChannelInput(channel_id=told["there"]),
        idempotency_key="a-generated-move",
    )
    say(connectUserToVoiceChannel=moved.outcome.value)
    members = get_voice_channel_members.sync(
        client=client, body=models.GetVoiceChannelMembersInput(channel_id=told["there"])
    )
    say(getVoiceChannelMembers=[member.user_id for member in members.members])
    refused = rename_room.sync(
        client=client, body=models.RenameRoomInput(channel_id=told["hidden"], name="Mine")
    )
    say(renameRoom=refused.error.code)
    wrong = set_room_limit.sync(
        client=client, body=models.SetRoomLimitInput(channel_id=told["here"], limit=100)
    )
    say(setRoomLimit=list(wrong.error.fields.additional_properties))
