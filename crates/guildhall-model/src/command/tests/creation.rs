//! Who may make rooms, and what the bot lacks for it and for all else.

use super::{
    rooms::{create, rooms},
    *,
};
use crate::guild::Category;

const SEEN: ChannelId = ChannelId(30);
const UNSEEN: ChannelId = ChannelId(31);
const NO_CONNECT: ChannelId = ChannelId(32);
const BOT: UserId = UserId(900);
const BOTS: RoleId = RoleId(9);

#[test]
fn a_category_that_one_does_not_see_is_none() {
    let mut guild = with_categories();
    let judge = |guild: &Guild, actor, parent| {
        let judged = judged(guild, actor, &create(parent));
        judged.map_err(|error| error.code)
    };
    let may = Ok(Judgement::ToDo(Before::Unknown));
    for (parent, expected) in [
        (None, may.clone()),
        (Some(SEEN), may.clone()),
        (Some(NO_CONNECT), may.clone()),
        (Some(UNSEEN), Err(Code::NotFound)),
        (Some(OPEN), Err(Code::NotFound)),
    ] {
        assert_eq!(judge(&guild, BEN, parent), expected, "{parent:?}");
    }
    assert_eq!(judge(&guild, NOBODY, None), Err(Code::NotFound));
    // Whoever sees a room in it sees it.
    room(&mut guild, OPEN).info.parent_id = Some(UNSEEN);
    assert_eq!(judge(&guild, BEN, Some(UNSEEN)), may);
}

#[test]
fn rooms_are_made_where_one_may_connect_or_by_a_role_that_may() {
    let guild = with_categories();
    let all = [NO_CONNECT, SEEN, UNSEEN, ChannelId(99)];
    let made = |actor, parents: &[ChannelId], creators: &[RoleId]| {
        let judged = judge_creation(GUILD, &guild, actor, (parents, creators), 1_000);
        judged.map_err(|error| error.code)
    };
    assert_eq!(made(BEN, &all, &[]), Ok(vec![SEEN]));
    assert_eq!(made(OWNER, &all, &[]), Ok(vec![NO_CONNECT, SEEN, UNSEEN]));
    assert_eq!(made(BEN, &[NO_CONNECT], &[]), Err(Code::Forbidden));
    assert_eq!(made(BEN, &[ChannelId(99)], &[]), Err(Code::NotFound));
    assert_eq!(made(BEN, &[], &[]), Ok(vec![]), "outside of all");
    // Roles that may take the place of CONNECT.
    assert_eq!(made(BEN, &all, &[MODERATOR]), Err(Code::Forbidden));
    let everywhere = Ok(vec![NO_CONNECT, SEEN, UNSEEN]);
    assert_eq!(made(MIA, &all, &[MODERATOR]), everywhere);
    assert_eq!(made(OWNER, &all, &[MODERATOR]), everywhere);
    assert_eq!(made(NOBODY, &all, &[]), Err(Code::NotFound));
    assert_eq!(made(UserId(500), &all, &[]), Err(Code::GuildUnavailable));
}

#[test]
fn who_may_not_connect_anywhere_makes_none_outside_of_all_categories() {
    let mut guild = with_categories();
    let everyone = Permissions::VIEW_CHANNEL;
    guild.roles.insert(GUILD.everyone(), everyone);
    let made = judge_creation(GUILD, &guild, BEN, (&[], &[]), 1_000);
    let refused = made.expect_err("they lack CONNECT");
    assert_eq!(refused.missing, ["CONNECT"]);
}

#[test]
fn what_the_bot_lacks_is_named_and_of_a_bot_that_is_not_known_nothing() {
    let ours = ChannelId(20);
    let place = |name: &str| {
        let json = serde_json::json!({
            "call": name, "guildId": GUILD, "channelId": ours, "userId": BEN, "locked": true,
            "name": "den", "singleUse": false, "expiresInSeconds": 60,
        });
        serde_json::from_value::<Command>(json).expect("a command")
    };
    let nothing: &[&str] = &[];
    let people: &[&str] = &["MOVE_MEMBERS"];
    let channel: &[&str] = &["MANAGE_CHANNELS"];
    let rights: &[&str] = &["MANAGE_ROLES"];
    let both: &[&str] = &["MOVE_MEMBERS", "MANAGE_ROLES"];
    for (command, lacks) in [
        (place("connectUserToVoiceChannel"), people),
        (place("kickFromRoom"), both),
        (place("blockFromRoom"), both),
        (place("unblockFromRoom"), rights),
        (place("lockRoom"), rights),
        (place("transferRoom"), rights),
        (place("claimRoom"), rights),
        (place("renameRoom"), channel),
        (place("closeRoom"), channel),
        (place("createInvite"), nothing),
        (place("disconnect"), nothing),
        (
            create(None),
            &["MANAGE_CHANNELS", "MOVE_MEMBERS", "MANAGE_ROLES"],
        ),
    ] {
        let guild = with_bot(Permissions::VIEW_CHANNEL | Permissions::CONNECT);
        let missing = missing_of_bot(GUILD, &guild, BOT, &command);
        assert_eq!(missing, lacks, "{command:?}");
        let administrator = with_bot(Permissions::ADMINISTRATOR);
        assert_eq!(
            missing_of_bot(GUILD, &administrator, BOT, &command),
            nothing
        );
        assert_eq!(
            missing_of_bot(GUILD, &guild, UserId(901), &command),
            nothing
        );
    }
}

#[test]
fn a_bot_that_was_invited_for_a_use_lacks_nothing_for_it_and_has_nothing_to_spare() {
    let command = |name: &str| {
        let json = serde_json::json!({
            "call": name, "guildId": GUILD, "channelId": ChannelId(20), "userId": BEN, "locked": true,
            "hidden": true, "name": "den", "limit": 3, "status": "open", "allowReturn": true,
        });
        serde_json::from_value::<Command>(json).expect("a command")
    };
    let of_others = [
        "connectUserToVoiceChannel",
        "renameRoom",
        "setRoomLimit",
        "setRoomStatus",
    ];
    let of_ours = [
        "kickFromRoom",
        "blockFromRoom",
        "lockRoom",
        "hideRoom",
        "transferRoom",
        "closeRoom",
    ];
    let commands: Vec<Command> = of_others.iter().map(|name| command(name)).collect();
    let with_rooms: Vec<Command> = commands
        .iter()
        .cloned()
        .chain(of_ours.iter().map(|name| command(name)))
        .chain([create(None)])
        .collect();
    for (used_for, commands) in [(BotUse::Command, commands), (BotUse::Rooms, with_rooms)] {
        let lacks = |has: Permissions| -> Vec<&'static str> {
            let guild = with_bot(has);
            let lacks = commands.iter();
            lacks
                .flat_map(|command| missing_of_bot(GUILD, &guild, BOT, command))
                .collect()
        };
        let given = used_for.permissions();
        assert_eq!(lacks(given), [""; 0], "{used_for:?}");
        // No command needs this one: it is for the line in a new room's chat.
        for name in given.names().filter(|name| *name != "SEND_MESSAGES") {
            let without = (0..64).map(|bit| Permissions(1 << bit));
            let one = without.clone().find(|one| one.names().any(|it| it == name));
            let has = given.without(one.expect("it has a bit"));
            assert!(lacks(has).contains(&name), "{used_for:?} {name}");
        }
    }
    assert!(
        BotUse::Command
            .permissions()
            .contains(BotUse::Show.permissions())
    );
}

#[test]
fn the_bot_needs_to_see_a_channel_and_to_connect_for_anything_in_it() {
    let kick = |allow_return| Command::KickFromRoom {
        guild_id: GUILD,
        channel_id: ChannelId(20),
        user_id: BEN,
        allow_return,
    };
    let blind = with_bot(Permissions::MOVE_MEMBERS);
    assert_eq!(
        missing_of_bot(GUILD, &blind, BOT, &kick(true)),
        ["VIEW_CHANNEL", "CONNECT"]
    );
    // To be put out for good takes more than to be put out.
    let mover =
        with_bot(Permissions::MOVE_MEMBERS | Permissions::VIEW_CHANNEL | Permissions::CONNECT);
    assert_eq!(missing_of_bot(GUILD, &mover, BOT, &kick(true)), [""; 0]);
    let lacks = missing_of_bot(GUILD, &mover, BOT, &kick(false));
    assert_eq!(lacks, ["MANAGE_ROLES"]);
    let mut hidden = mover;
    room(&mut hidden, ChannelId(20)).rights.obfuscated = true;
    let lacks = missing_of_bot(GUILD, &hidden, BOT, &kick(true));
    assert_eq!(lacks, ["VIEW_CHANNEL"]);
    // Where rooms are made counts, too.
    let all = Permissions(u64::MAX).without(Permissions::ADMINISTRATOR);
    let guild = with_bot(all);
    let lacks = |parent| missing_of_bot(GUILD, &guild, BOT, &create(Some(parent)));
    assert_eq!(lacks(SEEN), [""; 0]);
    assert_eq!(lacks(NO_CONNECT), ["CONNECT"]);
}

fn with_categories() -> Guild {
    let mut guild = rooms(&[], (false, false));
    let deny = |deny| Overwrite {
        target: OverwriteTarget::Role(GUILD.everyone()),
        allow: Permissions::NONE,
        deny,
    };
    let category = |overwrites| Category {
        name: "rooms".to_owned(),
        rights: RoomRights {
            overwrites,
            obfuscated: false,
        },
    };
    guild.categories = [
        (SEEN, category(vec![])),
        (UNSEEN, category(vec![deny(Permissions::VIEW_CHANNEL)])),
        (NO_CONNECT, category(vec![deny(Permissions::CONNECT)])),
    ]
    .into();
    guild
}

/// A bot with these permissions, of everybody else's nothing.
fn with_bot(permissions: Permissions) -> Guild {
    let mut guild = with_categories();
    guild.roles.insert(GUILD.everyone(), Permissions::NONE);
    guild.roles.insert(BOTS, permissions);
    guild
        .memberships
        .insert(BOT, Membership::member(vec![BOTS]));
    guild
}
