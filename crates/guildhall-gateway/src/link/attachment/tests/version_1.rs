use super::*;

/// What a web role of version 1 said, as it was recorded.
const SAYS: &str = include_str!("../../../../../../fixtures/link/version-1-web.jsonl");

#[tokio::test]
async fn a_web_role_of_version_1_is_told_so_and_one_of_today_is_served_beside_it() {
    let harness = Harness::open().await;
    harness.append(1);
    for _again in 0..2 {
        let mut socket = harness.connect().await;
        for text in SAYS.lines() {
            // It may be closed before all is said.
            let _closed = socket.send(ClientMessage::text(text)).await;
        }
        let (frames, closed) = frames_until_close(&mut socket).await;
        let [Frame::Hello { .. }, Frame::Error { code, message }] = &frames[..] else {
            panic!("{frames:?}")
        };
        assert_eq!(code, "version");
        assert!(message.contains("gateway speaks version 2"), "{message}");
        assert!(message.contains("web role version 1"), "{message}");
        assert_eq!(closed, Some(1002));
    }
    let mut web = harness.dial(Some(at(0))).await;
    web.expect_events(1..=1).await;
}
