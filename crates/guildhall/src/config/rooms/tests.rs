use super::*;

#[test]
fn without_a_word_rooms_are_as_the_documentation_says() {
    let read = read(&[]).expect("nothing is wrong");
    assert_eq!(read, RoomSettings::default());
}

#[test]
fn what_is_said_is_read() {
    let said = [
        ("ROOM_PARENTS", "12, 11,12,"),
        ("ROOM_CREATORS", "21"),
        ("ROOM_MODE", "role"),
        ("ROOMS_PER_USER", "3"),
        ("ROOMS_MAX", "500"),
        ("ROOM_IDLE", "90s"),
        ("BASE_URL", "https://guild.example.com/live/"),
        ("GUILDS_JOIN", "1"),
        (
            "LOBBIES",
            r#"[{"channel":"41"},
                {"channel":"42","template":" Table of {name} ","limit":0,"parent":"13","idle":"5m"}]"#,
        ),
    ];
    let expected = RoomSettings {
        parents: vec![ChannelId(12), ChannelId(11)],
        creators: vec![RoleId(21)],
        mode: RoomMode::Role,
        per_user: 3,
        max: 500,
        idle: Duration::from_secs(90),
        lobbies: vec![
            Lobby {
                channel: ChannelId(41),
                template: "{name}'s room".to_owned(),
                limit: 4,
                parent: None,
                idle: Duration::from_mins(1),
            },
            Lobby {
                channel: ChannelId(42),
                template: "Table of {name}".to_owned(),
                limit: 0,
                parent: Some(ChannelId(13)),
                idle: Duration::from_mins(5),
            },
        ],
        page: Some("https://guild.example.com/live".to_owned()),
        guilds_join: true,
    };
    assert_eq!(read(&said), Ok(expected));
}

#[test]
fn each_mistake_is_refused_by_a_sentence_that_names_its_setting() {
    for (name, value) in [
        ("ROOM_PARENTS", "a category"),
        ("ROOM_PARENTS", "0"),
        ("ROOM_CREATORS", "@everyone"),
        ("GUILDS_JOIN", "yes"),
        ("ROOM_MODE", "roles"),
        ("ROOMS_PER_USER", "0"),
        ("ROOMS_MAX", "501"),
        ("ROOM_IDLE", "an hour"),
        ("ROOM_IDLE", "0s"),
        ("ROOM_IDLE", "31d"),
        ("LOBBIES", "41"),
        ("LOBBIES", "{}"),
        ("LOBBIES", "[41]"),
        ("LOBBIES", "[{}]"),
        ("LOBBIES", r#"[{"channel":41}]"#),
        ("LOBBIES", r#"[{"channel":"0"}]"#),
        ("LOBBIES", r#"[{"channel":"41"},{"channel":"41"}]"#),
        ("LOBBIES", r#"[{"channel":"41","name":"a"}]"#),
        ("LOBBIES", r#"[{"channel":"41","template":""}]"#),
        ("LOBBIES", r#"[{"channel":"41","template":"{game}"}]"#),
        ("LOBBIES", r#"[{"channel":"41","template":7}]"#),
        ("LOBBIES", r#"[{"channel":"41","limit":100}]"#),
        ("LOBBIES", r#"[{"channel":"41","limit":-1}]"#),
        ("LOBBIES", r#"[{"channel":"41","limit":"4"}]"#),
        ("LOBBIES", r#"[{"channel":"41","parent":"here"}]"#),
        ("LOBBIES", r#"[{"channel":"41","idle":60}]"#),
        ("LOBBIES", r#"[{"channel":"41","idle":"0s"}]"#),
        ("LOBBIES", r#"[{"channel":"41","idle":"31d"}]"#),
        ("LOBBIES", r#"[{"channel":"41""#),
        ("BASE_URL", "guild.example.com"),
    ] {
        let ConfigError(said) = read(&[(name, value)]).expect_err(value);
        assert!(said.starts_with(name), "{name}={value}: {said}");
        assert_eq!(said.lines().count(), 1, "{name}={value}: {said}");
        assert!(said.ends_with('.'), "{said}");
    }
}

#[test]
fn all_mistakes_are_said_one_line_each() {
    let said = read(&[
        ("ROOM_MODE", "roles"),
        ("ROOMS_MAX", "none"),
        (
            "LOBBIES",
            r#"[{"limit":100,"colour":"red"},{"channel":"41","idle":"soon"}]"#,
        ),
    ]);
    let ConfigError(said) = said.expect_err("much is wrong");
    let expected = [
        "ROOM_MODE is \"roles\": it knows overwrites and role.",
        "ROOMS_MAX is \"none\": write a number of rooms from 1 to 500.",
        "LOBBIES: lobby 1 has \"colour\": it knows channel, template, limit, parent, idle.",
        "LOBBIES: lobby 1 has no channel: name the voice channel by its id.",
        "LOBBIES: lobby 1 has a limit that is no number from 0 to 99.",
        "LOBBIES: lobby 2 has an idle that is no duration up to 30d, such as \"60s\".",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

fn read(said: &[(&'static str, &str)]) -> Result<RoomSettings, ConfigError> {
    let mut settings = Settings::default();
    for (name, value) in said {
        settings.set(name, *value);
    }
    let mut mistakes = Mistakes::default();
    let read = rooms(&settings, &mut mistakes);
    mistakes.none()?;
    Ok(read.expect("nothing is wrong"))
}
