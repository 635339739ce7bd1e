use std::collections::BTreeSet;

use super::{table::SETTINGS, *};

const GOOD: [(&str, &str); 6] = [
    ("DISCORD_BOT_TOKEN", "MTIz.abc.defghi"),
    ("LINK_TOKEN", "8f1c0b7e29d64a35c1f0e8b7d2964a53"),
    ("SESSION_SECRET", "c4d91e07a8b35f62901d7ce4ba86f35e"),
    ("DISCORD_CLIENT_ID", "123"),
    ("DISCORD_CLIENT_SECRET", "hush"),
    ("WEB_PORT", "3100"),
];

fn sources(environment: &[(&str, &str)], dotenv: &[(&str, &str)]) -> Sources {
    let map = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    Sources {
        environment: map(environment),
        dotenv: map(dotenv),
        ..Sources::default()
    }
}

fn resolved(environment: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    judged(&sources(environment, &[]))
}

fn judged(sources: &Sources) -> Result<Settings, ConfigError> {
    let settings = Settings::resolve(sources);
    settings.mistakes.clone().none()?;
    Ok(settings)
}

/// The good settings with one more, which replaces its namesake.
fn with(name: &'static str, value: &'static str) -> Result<Settings, ConfigError> {
    let mut all: Vec<_> = GOOD
        .into_iter()
        .filter(|(known, _)| *known != name)
        .collect();
    all.push((name, value));
    resolved(&all)
}

/// The sentence that refuses these settings for either role.
fn refusal(settings: Result<Settings, ConfigError>) -> String {
    let settings = match settings {
        Err(error) => return error.to_string(),
        Ok(settings) => settings,
    };
    let gateway = gateway(&settings).err();
    let refused = gateway.or_else(|| web(&settings).err());
    refused.map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn a_flag_wins_over_the_environment_over_dotenv_over_the_default() {
    let mut said = sources(
        &[("WEB_PORT", "2")],
        &[("WEB_PORT", "3"), ("WEB_HOST", "::1")],
    );
    let resolve = |said: &Sources| judged(said).expect("nothing to refuse");
    assert_eq!(resolve(&said).get("WEB_PORT"), Some("2"));
    assert_eq!(resolve(&said).get("WEB_HOST"), Some("::1"));
    assert_eq!(resolve(&said).get("GATEWAY_WS_PORT"), Some("8080"));
    said.flags.insert("WEB_PORT".to_owned(), "1".to_owned());
    assert_eq!(resolve(&said).get("WEB_PORT"), Some("1"));
}

#[test]
fn one_environment_serves_both_roles() {
    let settings = resolved(&GOOD).expect("good settings");
    let gateway = gateway(&settings).expect("the gateway's part");
    let WebSettings {
        role: web,
        gateway_url,
    } = web(&settings).expect("web's part");
    assert_eq!(gateway.listen.port(), 8080);
    assert_eq!(web.base_url.as_str(), "http://localhost:3100/");
    assert_eq!(gateway_url.as_str(), "ws://127.0.0.1:8080/link");
    assert_eq!(
        web.link_token.expose(),
        gateway.link_tokens.current.expose()
    );
}

#[test]
fn an_alias_is_the_same_setting_and_a_contradiction_is_refused() {
    let alias = with("VITE_DISCORD_GUILD_ID", "42").expect("an alias");
    assert_eq!(alias.get("DISCORD_GUILD_ID"), Some("42"));
    let both = resolved(&[("VITE_DISCORD_GUILD_ID", "42"), ("DISCORD_GUILD_ID", "43")]);
    let sentence = refusal(both);
    assert!(
        sentence.contains("DISCORD_GUILD_ID and VITE_DISCORD_GUILD_ID"),
        "{sentence}"
    );
}

#[test]
fn a_secret_may_come_from_a_file_but_not_twice() {
    let path = std::env::temp_dir().join(format!("guildhall-secret-{}", std::process::id()));
    std::fs::write(&path, "8f1c0b7e29d64a35c1f0e8b7d2964a53\n").expect("a temporary file");
    let file = path.to_str().expect("UTF-8");
    let settings = resolved(&[("LINK_TOKEN_FILE", file)]).expect("a file");
    assert_eq!(
        settings.get("LINK_TOKEN"),
        Some("8f1c0b7e29d64a35c1f0e8b7d2964a53")
    );
    let twice = resolved(&[("LINK_TOKEN_FILE", file), ("LINK_TOKEN", "x")]);
    assert!(refusal(twice).contains("LINK_TOKEN and LINK_TOKEN_FILE"));
    std::fs::remove_file(&path).expect("to clean up");
    assert!(refusal(resolved(&[("LINK_TOKEN_FILE", file)])).contains("LINK_TOKEN_FILE"));
}

#[test]
fn misspelt_names_are_told() {
    let dotenv = judged(&sources(&[], &[("SESION_SECRET", "x")]));
    assert!(refusal(dotenv).contains("did you mean SESSION_SECRET"));
    let sentence = refusal(resolved(&[("DISCORD_BOT_TOKN", "x")]));
    assert!(
        sentence.contains("did you mean DISCORD_BOT_TOKEN"),
        "{sentence}"
    );
    for (name, meant) in [
        ("DISCORD_BOT_TOKEN_FIEL", "DISCORD_BOT_TOKEN_FILE"),
        ("LINK_TOKEN_FILES", "LINK_TOKEN_FILE"),
        ("LINK_TOKN_FILE", "LINK_TOKEN_FILE"),
        ("WEB_PORT_FILE", "WEB_PORT"),
    ] {
        let sentence = refusal(judged(&sources(&[], &[(name, "x")])));
        let wanted = format!("{name} in .env is no setting: did you mean {meant}?");
        assert!(sentence.contains(&wanted), "{sentence}");
    }
    let elsewhere = resolved(&[("SESION_SECRET", "x")]).expect("a warning is enough");
    assert_eq!(elsewhere.warnings.len(), 1);
    assert!(
        resolved(&[("HOME", "/"), ("PATH", "/"), ("NODE_ENV", "x")])
            .is_ok_and(|settings| settings.warnings.is_empty())
    );
}

#[test]
fn other_programs_names_are_not_taken_for_ours() {
    let foreign = [
        "DB_PORT",
        "DB_HOST",
        "APP_PORT",
        "API_HOST",
        "API_TOKEN",
        "SITE_URL",
        "DATABASE_URI",
        "REDIS_URI",
        "CASH_DIR",
        "APP_HOST",
        "API_PORT",
        "VITE_APP_TITLE",
        "RUST_LOG_FILE",
        "SSL_CERT_DIR",
        "SSL_KEY_FILE",
        "NIX_SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
    ];
    let said = foreign.map(|name| (name, "x"));
    let settings = judged(&sources(&said, &said)).expect("they are somebody else's");
    assert_eq!(settings.warnings().count(), 0, "{:?}", settings.warnings);
}

#[test]
fn a_feature_not_built_is_refused_unless_it_is_said_in_dotenv() {
    let later = [
        "DATABASE_URL",
        "REDIS_URL",
        "SHARDS",
        "DISCORD_CHAT",
        "HISTORY_DAYS",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "DATABASE_URL_FILE",
    ];
    for name in later {
        let shared = judged(&sources(&[], &[(name, "a$b")])).expect("a shared file");
        let warnings: Vec<String> = shared.warnings().collect();
        assert!(
            matches!(&warnings[..], [one] if one.contains("in .env")),
            "{warnings:?}"
        );
        let sentence = refusal(resolved(&[(name, "x")]));
        assert!(
            sentence.contains("no such feature yet"),
            "{name}: {sentence}"
        );
    }
    let platform = resolved(&[("PORT", "8000")]).expect("a platform sets it for everybody");
    assert_eq!(platform.warnings.len(), 1);
}

#[test]
fn other_libraries_words_are_told_with_ours() {
    for (word, meant) in [
        ("DISCORD_TOKEN", "DISCORD_BOT_TOKEN"),
        ("TOKEN", "DISCORD_BOT_TOKEN"),
        ("BOT_TOKEN", "DISCORD_BOT_TOKEN"),
        ("DISCORD_APPLICATION_ID", "DISCORD_CLIENT_ID"),
        ("CLIENT_ID", "DISCORD_CLIENT_ID"),
        ("DISCORD_BOT_ID", "DISCORD_CLIENT_ID"),
    ] {
        let mut all: Vec<_> = GOOD
            .into_iter()
            .filter(|(name, _)| *name != meant)
            .collect();
        all.push((word, "x"));
        let sentence = refusal(resolved(&all));
        let wanted = [&format!("{word} is"), &format!("did you mean {meant}?")];
        assert!(
            wanted.iter().all(|text| sentence.contains(text.as_str())),
            "{sentence}"
        );
        let both = with(word, "x").expect("ours is there");
        let warned = both.warnings().any(|warning| warning.contains(word));
        assert!(warned, "{word}");
    }
}

#[test]
fn other_words_for_settings_that_may_be_unset_are_warned_of() {
    for (word, meant) in [
        ("DISCORD_GUILDS", "DISCORD_GUILD_ID"),
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
    ] {
        let settings = with(word, "x").expect("a warning is enough");
        let wanted = format!("{word} is no setting of ours: did you mean {meant}?");
        assert!(settings.warnings().any(|said| said == wanted), "{word}");
    }
}

#[test]
fn a_value_that_is_no_text_is_told_under_the_name_it_has() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let mut sources = Sources::default();
    for name in [
        "LINK_TOKEN_FILE",
        "WEB_HOST",
        "DISCORD_BOT_TOKN",
        "LESSOPEN",
    ] {
        sources.take(name.into(), OsStr::from_bytes(b"/run/\xff"));
    }
    let settings = Settings::resolve(&sources);
    let ConfigError(said) = settings.mistakes.clone().error();
    for wanted in [
        "LINK_TOKEN_FILE is not UTF-8 text.",
        "WEB_HOST is not UTF-8 text.",
        "did you mean DISCORD_BOT_TOKEN?",
    ] {
        assert!(said.contains(wanted), "{wanted} in:\n{said}");
    }
    assert_eq!(said.lines().count(), 3, "{said}");
    assert_eq!(settings.require("LINK_TOKEN"), Err(ConfigError::told()));
}

#[test]
fn all_that_is_wrong_is_said_in_one_go_and_once() {
    let settings = Settings::resolve(&sources(
        &[
            ("LINK_TOKEN", "short"),
            ("WEB_HOST", "example.com"),
            ("WEB_PORT", "70000"),
            ("LOG_WINDOW", "0"),
            ("STREAMS_MAX", "many"),
            ("SESSION_SECRET_FILE", "/nowhere/at/all"),
            ("DISCORD_BOT_TOKEN", "'a.b.c'"),
            ("DATABASE_URL", "postgres://db"),
        ],
        &[],
    ));
    let mut mistakes = settings.mistakes.clone();
    mistakes.take(gateway(&settings));
    mistakes.take(web(&settings));
    let ConfigError(said) = mistakes.error();
    for name in [
        "LINK_TOKEN",
        "WEB_HOST",
        "WEB_PORT",
        "LOG_WINDOW",
        "STREAMS_MAX",
        "SESSION_SECRET_FILE",
        "DISCORD_BOT_TOKEN",
        "DISCORD_CLIENT_ID",
        "DISCORD_CLIENT_SECRET",
        "DATABASE_URL",
    ] {
        let lines = said
            .lines()
            .filter(|line| line.starts_with(&format!("{name} ")));
        assert_eq!(lines.count(), 1, "{name} in:\n{said}");
    }
    assert_eq!(said.lines().count(), 10, "{said}");
}

#[test]
fn quotation_marks_around_a_value_are_told() {
    for (name, value) in GOOD {
        for mark in ['"', '\'', '`'] {
            let mut all: Vec<_> = GOOD
                .into_iter()
                .filter(|(known, _)| *known != name)
                .collect();
            let quoted = format!("{mark}{value}{mark}");
            all.push((name, &quoted));
            let sentence = refusal(resolved(&all));
            assert!(
                sentence.starts_with(name) && sentence.contains("quotation"),
                "{sentence}"
            );
        }
    }
    for url in [
        "BASE_URL",
        "GATEWAY_WS_URL",
        "DISCORD_URL",
        "DISCORD_GATEWAY_URL",
    ] {
        let sentence = refusal(with(url, "\"wss://example.com\""));
        assert!(sentence.contains("quotation"), "{sentence}");
    }
    let two = "8f1c0b7e29d64a35c1f0e8b7d2964a53,\"c4d91e07a8b35f62901d7ce4ba86f35e\"";
    assert!(refusal(with("LINK_TOKEN", two)).contains("quotation"));
}

#[test]
fn each_mistake_is_refused_by_a_sentence_that_names_its_setting() {
    let mistakes = [
        ("DISCORD_BOT_TOKEN", "short"),
        ("SSL_CERT_FILE", "/not/there.pem"),
        // A file of ours that is none of certificates.
        ("SSL_CERT_FILE", "Cargo.toml"),
        ("DISCORD_BOT_TOKEN", "Bot MTIz.abc.def"),
        ("DISCORD_BOT_TOKEN", "MTIz..def"),
        ("DISCORD_GUILD_ID", "my-guild"),
        ("DISCORD_GUILD_ID", "0"),
        ("DISCORD_INTENTS", "everything"),
        ("DISCORD_INTENTS", "presences"),
        ("LINK_TOKEN", "short"),
        (
            "LINK_TOKEN",
            "your-shared-secret-token-from-openssl-rand-hex-32",
        ),
        (
            "SESSION_SECRET",
            "your-session-secret-from-openssl-rand-hex-32",
        ),
        ("GATEWAY_WS_PORT", "70000"),
        ("GATEWAY_WS_HOST", "example.com"),
        ("GATEWAY_WS_URL", "http://127.0.0.1:8080"),
        ("GATEWAY_WS_URL", "ws://gateway.example.com"),
        ("GATEWAY_WS_URL", "wss://user:pass@gateway.example.com"),
        ("BASE_URL", "http://guild.example.com"),
        ("BASE_URL", "guild.example.com"),
        ("DISCORD_CLIENT_ID", "my-app"),
        ("DISCORD_URL", "https://discord.com/api"),
        ("DISCORD_GATEWAY_URL", "https://gateway.discord.gg"),
        ("DISCORD_GATEWAY_URL", "wss://gateway.discord.gg?v=9"),
        ("ALLOWED_ORIGINS", "app.example.com"),
        ("LOG_WINDOW", "0"),
        ("STREAM_MAX_AGE", "forever"),
        ("STREAM_MAX_AGE", "0s"),
        ("STREAM_MAX_AGE", "99d"),
        ("STREAMS_MAX", "0"),
        ("STREAMS_PER_ADDRESS", "0"),
        ("STREAMS_PER_ADDRESS", "many"),
        ("TRUSTED_PROXIES", "*"),
        ("TRUSTED_PROXIES", "10.0.0.1, proxy.local"),
        ("TRUSTED_PROXIES", "10.0.0.0/33"),
        ("STREAMS_MAX", "18446744073709551616"),
        ("STREAMS_PER_USER", "1000001"),
        ("ALLOWED_ORIGINS", "https://user@app.example.com"),
        ("DISCORD_BOT_TOKEN", "your-bot-token"),
        ("DISCORD_BOT_TOKEN", "MTIz.a bc.def"),
        ("DISCORD_CLIENT_ID", "your-application-id"),
        ("DISCORD_CLIENT_ID", "0"),
        ("DISCORD_CLIENT_SECRET", "your-client-secret"),
        ("DISCORD_CLIENT_SECRET", "changeme"),
        ("DISCORD_CLIENT_SECRET", "00000000000000000000000000000000"),
        ("LINK_TOKEN", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("LINK_TOKEN", "abcabcabcabcabcabcabcabcabcabcabcabc"),
        ("SESSION_SECRET", "1234567890123456789012345678901234567890"),
        ("SESSION_SECRET", "aabbaabbbbaabbabaabbaaabbaabbaabb"),
        ("SESSION_SECRET", "0123456789abcdef 0123456789abcdef"),
        ("REDIS_URL", "redis://127.0.0.1"),
        ("JWT_SECRET", "x"),
        ("DISCORD_CLIENT_SECRET", "********"),
        ("DISCORD_CLIENT_SECRET", "insert-your-secret-here"),
        ("LINK_TOKEN", "generate-with-openssl-rand-hex-32-xx"),
        ("LINK_TOKEN", "0123456789abcdef0123456789abcdef"),
        ("SESSION_SECRET", GOOD[1].1),
    ];
    for (name, value) in mistakes {
        let sentence = refusal(with(name, value));
        assert!(sentence.contains(name), "{name}={value}: {sentence:?}");
        assert!(
            sentence.ends_with('.') || sentence.ends_with('?'),
            "{sentence:?}"
        );
    }
}

#[test]
fn no_refusal_repeats_a_secret() {
    for (name, value) in [
        ("DISCORD_BOT_TOKEN", "sesame"),
        ("LINK_TOKEN", "sesame"),
        ("SESSION_SECRET", "sesame"),
        ("DISCORD_CLIENT_ID", "sesame.sesame.sesame.sesame"),
        ("DISCORD_GUILD_ID", "sesame.sesame.sesame.sesame"),
        ("WEB_PORT", "sesame.sesame.sesame.sesame"),
        ("GATEWAY_WS_URL", "sesame.sesame.sesame.sesame"),
        ("DISCORD_BOT_TOKEN_FILE", "sesame.sesame.sesame.sesame"),
    ] {
        assert!(!refusal(with(name, value)).contains("sesame"), "{name}");
    }
}

#[test]
fn the_example_file_lists_every_setting_and_nothing_else() {
    let example = include_str!("../../../../.env.example");
    let named = |line: &str| {
        let name = line
            .trim_start_matches(['#', ' '])
            .split_once('=')?
            .0
            .to_owned();
        name.bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
            .then_some(name)
    };
    let listed: BTreeSet<String> = example.lines().filter_map(named).collect();
    let known: BTreeSet<String> = SETTINGS
        .iter()
        .map(|setting| setting.name.to_owned())
        .collect();
    assert_eq!(listed, known);
}

#[test]
fn generated_secrets_are_kept_private_and_used_again() {
    use std::os::unix::fs::PermissionsExt;
    let folder = std::env::temp_dir().join(format!("guildhall-data-{}", std::process::id()));
    let generate = || {
        let mut settings = Settings::default();
        settings.set("DATA_DIR", folder.to_str().expect("UTF-8"));
        secrets::generate_missing(&mut settings, &["LINK_TOKEN", "SESSION_SECRET"])
            .expect("a writable folder");
        settings
    };
    let (first, second) = (generate(), generate());
    let file = folder.join("secrets.env");
    let mode = std::fs::metadata(&file)
        .expect("the file")
        .permissions()
        .mode();
    std::fs::remove_dir_all(&folder).expect("to clean up");
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(first.get("LINK_TOKEN"), second.get("LINK_TOKEN"));
    assert_ne!(first.get("LINK_TOKEN"), first.get("SESSION_SECRET"));
    assert_eq!(first.get("LINK_TOKEN").map(str::len), Some(64));
}

#[test]
fn a_kept_secret_that_is_none_is_told_with_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secrets.env");
    std::fs::write(&file, "LINK_TOKEN=short\n").expect("a file");
    let mut said: Vec<_> = GOOD
        .into_iter()
        .filter(|(name, _)| *name != "LINK_TOKEN")
        .collect();
    said.push(("DATA_DIR", folder.path().to_str().expect("UTF-8")));
    let mut settings = resolved(&said).expect("good settings");
    secrets::take_kept(&mut settings, &["LINK_TOKEN", "SESSION_SECRET"]).expect("a readable file");
    let sentence = refusal(Ok(settings));
    let wanted = format!("LINK_TOKEN in {} is shorter", file.display());
    assert!(sentence.contains(&wanted), "{sentence}");
}
