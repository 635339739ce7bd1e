//! The types of which schemas are made, held against recorded streams: what is written piece by
//! piece is what they would write, to the last byte.

use guildhall_model::{
    event::{
        BYE, ByePayload, CHECKPOINT, CheckpointPayload, RESUMED, ROOM_HIDDEN, ROOM_SHOWN,
        ResumedPayload, RoomGone, RoomPicture, SNAPSHOT, STATUS, SnapshotPayload, StatePayload,
        StatusPayload,
    },
    json,
};
use serde::{Serialize, de::DeserializeOwned};

const RECORDED: [&str; 3] = [
    include_str!("../../../../../fixtures/transcripts/curl-first-visit.sse"),
    include_str!("../../../../../fixtures/transcripts/curl-resumed.sse"),
    include_str!("../../../../../fixtures/transcripts/curl-rights.sse"),
];

/// Reads and writes as one type.
fn again<T: DeserializeOwned + Serialize>(data: &str) -> String {
    let payload: T = serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"));
    json::to_string(&payload)
}

#[test]
fn what_streams_say_by_themselves_is_what_its_type_says() {
    let (mut seen, mut rooms) = (0, 0);
    for frame in RECORDED.iter().flat_map(|text| text.split("\n\n")) {
        let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name));
        let (Some(event), Some(data)) = (field("event: "), field("data: ")) else {
            continue;
        };
        let again = match event {
            event if event == SNAPSHOT.name => {
                let state = data.replacen(r#""reason":"#, r#""cursor":"#, 1);
                assert_eq!(again::<StatePayload>(&state), state);
                again::<SnapshotPayload>(data)
            }
            event if [ROOM_SHOWN.name, ROOM_HIDDEN.name].contains(&event) => {
                // Behind where and when.
                let room = if event == ROOM_SHOWN.name {
                    again::<RoomPicture>(data)
                } else {
                    again::<RoomGone>(data)
                };
                assert!(data.starts_with(r#"{"guildId":""#), "{data}");
                assert!(data.ends_with(&room[1..]), "{data}");
                rooms += 1;
                continue;
            }
            event if event == RESUMED.name => again::<ResumedPayload>(data),
            event if event == STATUS.name => again::<StatusPayload>(data),
            event if event == CHECKPOINT.name => again::<CheckpointPayload>(data),
            event if event == BYE.name => again::<ByePayload>(data),
            _ => continue,
        };
        assert_eq!(again, data);
        seen += 1;
    }
    assert!(seen >= RECORDED.len(), "each begins with one");
    assert!(rooms > 1, "one appears and one vanishes");
}
