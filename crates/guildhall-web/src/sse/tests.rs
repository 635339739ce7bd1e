use guildhall_model::{
    Change, ChannelId, Event, GuildId, LogId, Position, UserId,
    guild::{GuildInfo, RoomInfo, RoomKind},
};
use proptest::prelude::*;
use serde_json::Value;

use crate::{
    sse::{self, SseBuffer},
    stream::tests::harness::{decode, person},
};

/// Whatever people can type into Discord, and what they can't.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        "[\\x00-\\x1f\u{7f}\u{85}\u{2028}\u{2029}\u{feff}\"\\\\:a]{0,40}",
        Just("\n\nevent: bye\ndata: {}\n\n".to_owned()),
        Just("\r\rid: 0.0-0\r\r".to_owned()),
        (0..3_usize).prop_map(|length| "x\n\r\0".repeat(length * 20_000)),
    ]
}

/// Where Python's `str.splitlines` splits, the widest such set in use.
fn line_end(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

fn changes() -> impl Strategy<Value = Change> {
    (text(), text(), proptest::option::of(text())).prop_flat_map(|(a, b, c)| {
        let mut occupant = person(UserId(5), ChannelId(6));
        occupant.username = a.clone();
        occupant.display_name = b.clone();
        occupant.avatar.clone_from(&c);
        occupant.avatar_url = a.clone();
        let info = RoomInfo {
            channel_id: ChannelId(6),
            name: a.clone(),
            kind: RoomKind::Stage,
            parent_id: None,
            parent_name: c.clone(),
            position: -1,
            user_limit: 0,
            managed: None,
            status: None,
        };
        prop_oneof![
            Just(Change::VoiceJoined(occupant.clone())),
            Just(Change::VoiceUpdated(occupant)),
            Just(Change::RoomUpdated(info)),
            Just(Change::GuildUpdated(GuildInfo { name: b, icon: c })),
        ]
    })
}

proptest! {
    #[test]
    fn no_field_can_break_a_frame(change in changes(), epoch: u64, seq: u64) {
        let at = Position { log: LogId(0), epoch, seq };
        let name = change.name();
        let event = Event { guild_id: GuildId(1), ts: 2, synthetic: true, change };
        let payload = event.public().expect("all of these are public");
        let encoded = sse::encode(name, at, &payload);
        let (mut alone, mut after, mut without) = Default::default();
        SseBuffer::push(&mut alone, &encoded);
        let frame = alone.finish();

        let raw = frame.strip_suffix(b"\n\n").expect("ends with a blank line");
        prop_assert!(!raw.windows(2).any(|pair| pair == b"\n\n"), "one frame");
        prop_assert!(!frame.iter().any(|byte| matches!(byte, b'\r' | 0)), "no CR, no NUL");
        let text = std::str::from_utf8(raw).expect("UTF-8");
        prop_assert_eq!(text.split(line_end).count(), 3, "three lines to any reader");
        let read = decode(std::str::from_utf8(&frame).expect("UTF-8"));
        prop_assert_eq!(read.len(), 1);
        prop_assert_eq!(&read[0].event, name);
        prop_assert_eq!(read[0].id.clone(), Some(at.to_string()));
        let whole: Value = serde_json::to_value(&payload).expect("serialises");
        prop_assert_eq!(&read[0].data, &whole, "what went in came out");

        // The same without its `id:`, which is its last line.
        SseBuffer::push_without_id(&mut without, &encoded);
        let without = without.finish();
        let body = without.strip_suffix(b"\n").expect("ends with a blank line");
        prop_assert_eq!(&frame[..body.len()], body, "the same bytes");
        let rest = format!("id: {at}\n\n");
        prop_assert_eq!(&frame[body.len()..], rest.as_bytes());
        SseBuffer::push_without_id(&mut after, &encoded);
        SseBuffer::push(&mut after, &encoded);
        prop_assert_eq!(after.finish(), [without, frame].concat());
    }
}
