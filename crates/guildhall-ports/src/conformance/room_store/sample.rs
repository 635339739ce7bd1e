//! What is kept: rooms in every phase, invites and habits.

use guildhall_model::{
    ChannelId, GuildId, Permissions, RoleId, UserId,
    guild::{Overwrite, OverwriteTarget},
};

use crate::room_store::{
    InviteId, InviteRecord, LobbyHabit, RoomNumber, RoomPhase, RoomRecord, SigningKey,
};

/// Texts that something on the way to a disk and back could trip over.
const TEXTS: [&str; 6] = [
    "",
    "a table",
    "\"quoted\" \\ and 'so'",
    "line\nbreak\r\n\ttab \u{0}\u{1}\u{7f}\u{2028}",
    "Ünë \u{1f3b2}\u{200d}\u{fffd}\u{ffff}",
    "{\"is\":\"open\",\"channelId\":\"1\"}",
];

/// One of many keys.
pub(super) fn key(byte: u8) -> SigningKey {
    let mut key = [byte; 32];
    // Of every value, and with a zero at the end.
    for (at, byte) in (0..).zip(&mut key[..31]) {
        *byte = byte.wrapping_add(at);
    }
    key[31] = 0;
    SigningKey(key)
}

/// One room with this number, the same in each run, in a phase of these.
pub(super) fn room(number: u64, phase: u64) -> RoomRecord {
    let phase = match phase % 4 {
        0 => RoomPhase::Making {
            since: 1_700_000_000_000 + number % 1_000,
        },
        1 => RoomPhase::Open {
            channel_id: ChannelId(number),
        },
        2 => RoomPhase::Closing {
            channel_id: Some(ChannelId(u64::MAX - number)),
        },
        _ => RoomPhase::Closing { channel_id: None },
    };
    RoomRecord {
        number: RoomNumber(number),
        guild_id: GuildId(1),
        owner_id: UserId(number % 5),
        phase,
        name: format!("room {number}"),
        parent_id: None,
        limit: 4,
        private: true,
        locked: false,
        hidden: false,
        role_id: None,
        mark: number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        overwrites: Vec::new(),
        before: Vec::new(),
        set_aside: Vec::new(),
        lobby: None,
        made_at: 1_700_000_000_000,
        command: None,
        unsettled: phase.channel_id().is_none(),
        late_until: None,
    }
}

/// Every phase with every text and the largest numbers, by ascending number.
pub(super) fn rooms() -> Vec<RoomRecord> {
    let numbered = |(number, text): (u64, &'static str)| {
        (0..4_u64).map(move |phase| RoomRecord {
            name: text.to_owned(),
            guild_id: GuildId(u64::MAX),
            owner_id: UserId(u64::MAX - 1),
            parent_id: phase.is_multiple_of(2).then_some(ChannelId(1 << 63)),
            limit: u32::MAX,
            private: phase % 2 == 1,
            locked: phase < 2,
            hidden: phase > 1,
            role_id: (phase > 0).then_some(RoleId(u64::MAX)),
            mark: u64::MAX - phase,
            overwrites: overwrites(phase),
            set_aside: overwrites(3 - phase),
            before: (0..phase).map(|id| ChannelId(u64::MAX - id)).collect(),
            lobby: (phase == 3).then_some(ChannelId(u64::MAX)),
            made_at: u64::MAX,
            command: (phase == 1).then_some(u64::MAX),
            unsettled: phase == 2,
            late_until: (phase > 1).then_some(u64::MAX - 1),
            ..room(number * 4 + phase, phase)
        })
    };
    (1..).zip(TEXTS).flat_map(numbered).collect()
}

/// So many, with the largest numbers.
fn overwrites(many: u64) -> Vec<Overwrite> {
    let one = |number: u64| Overwrite {
        target: match number % 2 {
            0 => OverwriteTarget::Member(UserId(u64::MAX - number)),
            _ => OverwriteTarget::Role(RoleId(number)),
        },
        allow: Permissions(u64::MAX),
        deny: Permissions(number),
    };
    (0..many).map(one).collect()
}

/// An invite to a room, one of many; the higher the second number the more people it has let in.
pub(super) fn invite(id: u8, room: u64, taken: u64) -> InviteRecord {
    let mut bytes = [id; 16];
    bytes[0] = 0;
    bytes[15] = 0xff;
    InviteRecord {
        id: InviteId(bytes),
        room: RoomNumber(room),
        expires_at: u64::MAX - u64::from(id),
        seats: id.is_multiple_of(2).then_some(u32::MAX - u32::from(id)),
        taken: (0..taken).map(|user| UserId(u64::MAX - user)).collect(),
        revoked: id % 3 == 1,
    }
}

/// What somebody made of their room of a lobby, with one of the texts.
pub(super) fn habit(lobby: u64, user: u64, text: usize) -> LobbyHabit {
    LobbyHabit {
        guild_id: GuildId(3),
        lobby: ChannelId(lobby),
        user_id: UserId(user),
        name: TEXTS.get(text).map(|&text| text.to_owned()),
        limit: (text % 2 == 1).then_some(99),
        at: u64::MAX - user % 7,
    }
}

/// With every text, and one without, by ascending lobby and person.
pub(super) fn habits() -> Vec<LobbyHabit> {
    let largest = [(1, 1), (1, u64::MAX), (1 << 63, 2), (u64::MAX, 0)];
    let texts = 0..=TEXTS.len();
    let all = largest.into_iter().flat_map(|(lobby, user)| {
        texts
            .clone()
            .map(move |text| habit(lobby, user ^ (text as u64), text))
    });
    let mut all: Vec<LobbyHabit> = all.collect();
    all.sort_by_key(|habit| (habit.lobby, habit.user_id));
    all.dedup_by_key(|habit| (habit.lobby, habit.user_id));
    all
}
