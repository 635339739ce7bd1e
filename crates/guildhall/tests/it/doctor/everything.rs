use serde_json::json;

use super::{
    path::{Before, WELL},
    ward::{doctor, look, overwrite, until_blind},
};

/// A proxy, a portal and a guild as they are often found, all at once.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_several_places_is_named_in_full_and_cured_by_what_is_printed() {
    let before = Before::a_house(&[("TRUSTED_PROXIES", "loopback")]).await;
    let house = &before.house;
    let (discord, members) = (&house.discord, [("DISCORD_INTENTS", "members")]);
    let switch = async |on: bool| {
        let edit = json!({"privilegedIntents": {"guildMembers": on}});
        discord.patch("/sim/application", &edit).await;
    };
    switch(false).await;
    let (room, guild) = (discord.rooms[1].as_str(), discord.guild.as_str());
    let hidden = json!({"id": guild, "type": 0, "allow": "0", "deny": "1024"});
    overwrite(house, room, json!([hidden])).await;
    until_blind(house, 1).await;
    let harm = [
        "gzip on;",
        "gzip_types text/event-stream;",
        "proxy_ignore_headers X-Accel-Buffering;",
    ];
    let no_cursor = "proxy_set_header Last-Event-ID \"\";";
    let all = [&WELL[..], &harm, &[no_cursor]].concat();
    let nginx = before.nginx(&all).await;
    let idle = ["--idle", "1s"];
    let (printed, code) = doctor(house, &members, &idle).await;
    assert_eq!(code, 1, "{printed}");
    for line in [
        "  × intents          DISCORD_INTENTS asks for members, which is not switched on",
        &format!("  ‼ blind-channels   the bot may not view the channel {room} of "),
        "  × buffering        events are held back: 5 that were said within a second came in ",
        "  ‼ compression      streams are compressed on the way (gzip)",
        "  × last-event-id    Last-Event-ID does not arrive",
        "  - first-byte       not looked at: events are held back, and the head with them",
        "cure: nginx: proxy_buffering off;",
        "cure: nginx: gzip off;",
        "cure: nginx: proxy_set_header Last-Event-ID $http_last_event_id;",
        "see:  docs/operate/doctor.md#buffering",
        "  √ idle-cut         a stream lasts through 1 s of silence (--idle)",
        "\nfatal: 3, warnings: 2, passed: 18, not looked at: 1\n",
    ] {
        assert!(printed.contains(line), "{line}:\n{printed}");
    }
    let (short, code) = doctor(house, &members, &[&idle[..], &["-o", "short"]].concat()).await;
    assert_eq!((code, short.lines().count()), (1, 6), "{short}");
    let report = look(house, &members).await;
    let found = [
        "buffering",
        "intents",
        "blind-channels",
        "compression",
        "last-event-id",
    ];
    report.assert_found(&found, "events are held back");
    for secret in [
        &discord.bot_token,
        &discord.client_secret,
        crate::house::SESSION_SECRET,
        crate::house::LINK_TOKEN,
    ] {
        assert!(!printed.contains(secret), "{printed}");
        assert!(!format!("{report:?}").contains(secret));
    }
    drop(nginx);

    // What is printed, one after the other.
    let [unheld, plain, cursor] =
        ["buffering", "compression", "last-event-id"].map(|name| report.nginx_lines(name));
    switch(true).await;
    let seen = json!({"id": discord.application_id, "type": 1, "allow": "1024", "deny": "0"});
    overwrite(house, room, json!([hidden, seen])).await;
    until_blind(house, 0).await;
    let unheld_alone = [&WELL[..], &harm, &[&unheld, &cursor]].concat();
    let nginx = before.nginx(&unheld_alone).await;
    let report = look(house, &members).await;
    report.assert_found(&["compression"], "(gzip)");
    drop(nginx);
    let cured = [&WELL[..], &harm[1..], &[&unheld, &plain, &cursor]].concat();
    let _nginx = before.nginx(&cured).await;
    look(house, &members).await.assert_healthy();
}
