use guildhall_http::driver_time::now;

use super::*;

const ONE: AttachmentNumber = AttachmentNumber(1);
const TWO: AttachmentNumber = AttachmentNumber(2);

#[test]
fn without_a_web_role_nobody_knows_who_looks() {
    let mut viewers = Viewers::default();
    assert_eq!(viewers.viewed(), None);
    // Attached, and has not told yet.
    viewers.ended(ONE, now());
    assert_eq!((viewers.viewed(), viewers.deadline()), (None, None));
    viewers.told(ONE, table("a", &[(7, 2), (8, 0)]));
    assert_eq!(viewers.viewed(), rooms(&[7]));
    viewers.told(ONE, table("a", &[]));
    assert_eq!(viewers.viewed(), rooms(&[]));
}

#[test]
fn all_instances_count_together_and_a_new_table_takes_the_place_of_the_old() {
    let mut viewers = Viewers::default();
    viewers.told(ONE, table("a", &[(7, 1), (8, 1)]));
    viewers.told(TWO, table("b", &[(8, 1), (9, 1)]));
    assert_eq!(viewers.viewed(), rooms(&[7, 8, 9]));
    viewers.told(ONE, table("a", &[]));
    assert_eq!(viewers.viewed(), rooms(&[8, 9]));
}

#[test]
fn an_instance_that_is_away_counts_for_ten_minutes() {
    let (mut viewers, start) = (Viewers::default(), now());
    viewers.told(ONE, table("a", &[(7, 1)]));
    viewers.told(TWO, table("b", &[]));
    viewers.ended(ONE, start);
    assert_eq!(viewers.deadline(), Some(start + AWAY));
    assert!(!viewers.time_passed(start + AWAY.saturating_sub(Duration::from_millis(1))));
    assert_eq!(viewers.viewed(), rooms(&[7]));
    assert!(viewers.time_passed(start + AWAY));
    assert_eq!((viewers.viewed(), viewers.deadline()), (rooms(&[]), None));
    // With the last one that is there nobody knows, whatever one that is away had told.
    viewers.ended(TWO, start + AWAY);
    assert_eq!(viewers.viewed(), None);
}

#[test]
fn an_instance_that_comes_back_is_away_no_more() {
    let (mut viewers, start) = (Viewers::default(), now());
    viewers.told(ONE, table("a", &[(7, 1)]));
    viewers.ended(ONE, start);
    viewers.told(TWO, table("a", &[(8, 1)]));
    assert_eq!((viewers.viewed(), viewers.deadline()), (rooms(&[8]), None));
    assert!(!viewers.time_passed(start + AWAY * 2));
    assert_eq!(viewers.viewed(), rooms(&[8]));
}

/// The old one's end is noticed after the new one's beginning.
#[test]
fn an_attachment_that_takes_anothers_place_is_no_absence() {
    let (mut viewers, start) = (Viewers::default(), now());
    viewers.told(ONE, table("a", &[(7, 1)]));
    viewers.told(TWO, table("a", &[(8, 1)]));
    viewers.ended(ONE, start);
    viewers.ended(ONE, start);
    assert_eq!((viewers.viewed(), viewers.deadline()), (rooms(&[8]), None));
    viewers.ended(TWO, start);
    assert_eq!(viewers.deadline(), Some(start + AWAY));
}

#[test]
fn an_attachment_that_is_anothers_suddenly_leaves_nothing_behind() {
    let mut viewers = Viewers::default();
    viewers.told(ONE, table("a", &[(7, 1)]));
    viewers.told(ONE, table("b", &[(8, 1)]));
    assert_eq!(
        (viewers.viewed(), viewers.instances.len()),
        (rooms(&[8]), 1)
    );
}

#[test]
fn instances_that_come_and_go_are_not_kept_without_end() {
    let (mut viewers, start) = (Viewers::default(), now());
    for number in 0..2 * INSTANCES_AWAY as u64 {
        let attachment = AttachmentNumber(number);
        viewers.told(
            attachment,
            table(&format!("instance-{number}"), &[(number, 1)]),
        );
        viewers.ended(attachment, start + Duration::from_millis(number));
    }
    assert_eq!(viewers.instances.len(), INSTANCES_AWAY);
    assert!(viewers.attachments.is_empty());
    let kept = viewers.instances.values();
    let oldest = kept.flat_map(|instance| &instance.rooms).min();
    assert_eq!(oldest, Some(&ChannelId(INSTANCES_AWAY as u64)));
}

fn table(instance: &str, rooms: &[(u64, u32)]) -> ViewerTable {
    ViewerTable {
        instance: instance.parse().expect("a name"),
        rooms: rooms
            .iter()
            .map(|(room, count)| (ChannelId(*room), *count))
            .collect(),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what is compared with")]
fn rooms(rooms: &[u64]) -> Option<BTreeSet<ChannelId>> {
    Some(rooms.iter().copied().map(ChannelId).collect())
}

#[tokio::test]
async fn an_attachment_that_is_dropped_has_ended() {
    let tables = ViewerTables::new();
    let mut changes = tables.subscribe();
    let (first, second) = (tables.attach(), tables.attach());
    first.told(table("a", &[(7, 1)]));
    second.told(table("b", &[]));
    changes.changed().await.expect("it is there");
    assert_eq!(changes.borrow_and_update().viewed(), rooms(&[7]));
    drop(first);
    changes.changed().await.expect("it is there");
    let deadline = changes.borrow_and_update().deadline();
    let deadline = deadline.expect("it is away");
    tables.time_passed(now());
    assert!(!changes.has_changed().expect("it is there"));
    tables.time_passed(deadline);
    changes.changed().await.expect("it is there");
    assert_eq!(changes.borrow().viewed(), rooms(&[]));
}
