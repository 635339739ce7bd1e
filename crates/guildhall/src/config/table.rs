//! Every setting there is: the flags, the environment, `.env.example` and the README's table all
//! follow this list.

/// Who reads a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Gateway,
    Web,
    Both,
    /// The simulator, alone or inside the demo.
    Simulator,
}

/// What kind of value it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SettingKind {
    /// Has a flag.
    Plain,
    /// Never a flag (everybody can list processes), may be given as `NAME_FILE`, never printed.
    Secret,
    /// Part of the contract, its feature is not in this build: refused when set.
    NotBuilt,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    /// Other names for the same thing.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) reader: Reader,
    pub(crate) kind: SettingKind,
    /// The value when nobody says anything, if it is a fixed one.
    pub(crate) default: Option<&'static str>,
    /// One line for `--help`.
    pub(crate) help: &'static str,
}

impl Setting {
    /// `--gateway-ws-port` for `GATEWAY_WS_PORT`.
    pub(crate) fn flag(&self) -> String {
        self.name.to_ascii_lowercase().replace('_', "-")
    }

    /// Whether the demo chooses it, whatever is said outside: it has a Discord and secrets of its
    /// own, and is not concerned by what a real house needs.
    #[cfg(feature = "simulator")]
    pub(crate) fn is_the_demos(&self) -> bool {
        self.kind != SettingKind::Plain
            || self.name.starts_with("DISCORD_")
            || matches!(
                self.name,
                "DATA_DIR"
                    | "GATEWAY_WS_URL"
                    | "BASE_URL"
                    | "ALLOWED_ORIGINS"
                    | "ALLOWED_HOSTS"
                    | "TLS_CERT"
                    | "TLS_KEY"
                    | "JWT_PUBLIC_KEY"
                    | "TRUSTED_PROXIES"
                    | "SSL_CERT_FILE"
                    | "LOBBIES"
                    | "ROOM_PARENTS"
                    | "ROOM_CREATORS"
            )
    }

    /// Whether a platform sets it for whatever it runs, so that nobody can be asked to unset it.
    pub(crate) fn is_anybodys(&self) -> bool {
        self.name == "PORT"
    }

    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        SETTINGS
            .iter()
            .find(|setting| setting.name == name || setting.aliases.contains(&name))
    }
}

const fn plain(
    name: &'static str,
    reader: Reader,
    default: Option<&'static str>,
    help: &'static str,
) -> Setting {
    Setting {
        name,
        aliases: &[],
        reader,
        kind: SettingKind::Plain,
        default,
        help,
    }
}

const fn secret(name: &'static str, reader: Reader, help: &'static str) -> Setting {
    Setting {
        kind: SettingKind::Secret,
        ..plain(name, reader, None, help)
    }
}

const fn not_built(name: &'static str, reader: Reader, help: &'static str) -> Setting {
    Setting {
        kind: SettingKind::NotBuilt,
        ..plain(name, reader, None, help)
    }
}

use Reader::{Both, Gateway, Simulator, Web};

/// In the order of the README.
pub(crate) const SETTINGS: &[Setting] = &[
    secret(
        "DISCORD_BOT_TOKEN",
        Gateway,
        "The bot's token, from the developer portal's Bot page",
    ),
    Setting {
        aliases: &["VITE_DISCORD_GUILD_ID"],
        ..plain(
            "DISCORD_GUILD_ID",
            Gateway,
            None,
            "Guilds to bridge, comma-separated; unset: all guilds of the bot",
        )
    },
    plain(
        "DISCORD_INTENTS",
        Gateway,
        None,
        "Intents beside guilds and voice states: members, moderation",
    ),
    secret(
        "LINK_TOKEN",
        Both,
        "Secret shared by gateway and web; two, comma-separated, while rotating",
    ),
    plain("GATEWAY_WS_PORT", Gateway, Some("8080"), "Port of the link"),
    plain(
        "GATEWAY_WS_HOST",
        Gateway,
        Some("127.0.0.1"),
        "Address of the link",
    ),
    plain(
        "GATEWAY_WS_URL",
        Web,
        Some("ws://127.0.0.1:8080"),
        "Where web finds the gateway's link",
    ),
    plain(
        "WEB_PORT",
        Web,
        Some("3000"),
        "Port of the page and the streams",
    ),
    plain(
        "WEB_HOST",
        Web,
        Some("127.0.0.1"),
        "Address of the page and the streams",
    ),
    Setting {
        aliases: &["VITE_BASE_URL"],
        ..plain(
            "BASE_URL",
            Both,
            None,
            "The page as browsers reach it; default http://localhost:WEB_PORT",
        )
    },
    secret(
        "SESSION_SECRET",
        Web,
        "Encrypts session cookies; more, comma-separated, still decrypt",
    ),
    plain(
        "DISCORD_CLIENT_ID",
        Web,
        None,
        "The application's id, for login",
    ),
    secret(
        "DISCORD_CLIENT_SECRET",
        Web,
        "The application's OAuth2 secret, for login",
    ),
    plain(
        "DISCORD_PUBLIC_KEY",
        Web,
        None,
        "The application's public key: takes Discord's webhook events",
    ),
    plain(
        "DISCORD_URL",
        Both,
        Some("https://discord.com"),
        "Origin of Discord's API and OAuth2",
    ),
    plain(
        "DISCORD_CDN_URL",
        Both,
        Some("https://cdn.discordapp.com"),
        "Origin of Discord's pictures",
    ),
    plain(
        "DISCORD_PUBLIC_URL",
        Web,
        None,
        "Discord as the browser reaches it; default DISCORD_URL",
    ),
    plain(
        "DISCORD_GATEWAY_URL",
        Gateway,
        None,
        "Discord's Gateway; default what /gateway/bot answers",
    ),
    plain(
        "DATA_DIR",
        Gateway,
        Some("./data"),
        "Folder for the gateway's journal and for generated secrets",
    ),
    secret(
        "API_TOKENS",
        Web,
        "Tokens of your own programs, comma-separated: name[+as][+write]:token",
    ),
    secret(
        "JWT_SECRET",
        Web,
        "Checks the tokens of your own login: HS256",
    ),
    plain(
        "JWT_PUBLIC_KEY",
        Web,
        None,
        "PEM file of the key that checks them: ES256, EdDSA or RS256 by what it is",
    ),
    plain(
        "ALLOWED_ORIGINS",
        Web,
        None,
        "Further origins that pass our paths on to us, comma-separated: login may return there",
    ),
    plain(
        "ALLOWED_HOSTS",
        Both,
        None,
        "Names that this server is asked by, beside BASE_URL's, comma-separated",
    ),
    plain(
        "TLS_CERT",
        Web,
        None,
        "PEM file of a certificate and its chain: https without a proxy",
    ),
    plain("TLS_KEY", Web, None, "PEM file of the certificate's key"),
    secret(
        "ADMIN_TOKEN",
        Both,
        "Opens /admin where OPS_HOST is not a loopback address",
    ),
    plain(
        "TRUSTED_PROXIES",
        Web,
        None,
        "Proxies whose X-Forwarded-For is believed: addresses, networks, loopback, private",
    ),
    plain(
        "LOG_WINDOW",
        Both,
        Some("4096"),
        "Events kept for each guild, for browsers that come back",
    ),
    plain(
        "STREAM_MAX_AGE",
        Web,
        Some("4h"),
        "Streams end after 80 to 100 % of this and come back",
    ),
    plain(
        "STREAMS_PER_USER",
        Web,
        Some("100"),
        "Open streams of one user on one instance",
    ),
    plain(
        "STREAMS_PER_ADDRESS",
        Web,
        Some("1000"),
        "Open streams of one address on one instance; this machine's are not counted",
    ),
    plain(
        "STREAMS_MAX",
        Web,
        Some("50000"),
        "Open streams of one instance",
    ),
    plain(
        "GUILDS_JOIN",
        Both,
        Some("0"),
        "1: signing in by an invite lets people into its guild",
    ),
    plain(
        "OPS_PORT",
        Both,
        None,
        "Port of /healthz, /readyz, /metrics and /admin; default 9090, web alone 9091",
    ),
    plain(
        "OPS_HOST",
        Both,
        Some("127.0.0.1"),
        "Address of /healthz, /readyz, /metrics and /admin",
    ),
    plain(
        "SSL_CERT_FILE",
        Both,
        None,
        "PEM file of certificates to trust beside Mozilla's: a CA of your own",
    ),
    plain("LOG_FORMAT", Both, Some("text"), "Logs as text or json"),
    plain(
        "RUST_LOG",
        Both,
        Some("info"),
        "Which log lines: a level, or target=level, comma-separated",
    ),
    plain(
        "ROOM_PARENTS",
        Gateway,
        None,
        "Categories in which rooms are made, comma-separated; the next when one is full",
    ),
    plain(
        "ROOM_CREATORS",
        Gateway,
        None,
        "Roles that may make rooms, comma-separated; unset: who may connect there",
    ),
    plain(
        "ROOM_MODE",
        Gateway,
        Some("overwrites"),
        "How people are let into rooms: overwrites or role",
    ),
    plain(
        "ROOMS_PER_USER",
        Gateway,
        Some("1"),
        "Rooms that one person may have in a guild",
    ),
    plain(
        "ROOMS_MAX",
        Gateway,
        Some("50"),
        "Rooms that there may be in a guild",
    ),
    plain(
        "ROOM_IDLE",
        Gateway,
        Some("1h"),
        "A room that nobody is in or looks at for so long is deleted",
    ),
    plain(
        "LOBBIES",
        Gateway,
        None,
        "Channels that make a room for who joins them: a JSON list",
    ),
    plain(
        "SIMULATOR_LISTEN",
        Simulator,
        Some("127.0.0.1:4000"),
        "Address of the simulated Discord",
    ),
    not_built("DATABASE_URL", Gateway, "Journal and history in PostgreSQL"),
    not_built(
        "REDIS_URL",
        Both,
        "Bus, sessions, registry and rate limits in Redis",
    ),
    not_built("PORT", Web, "Port that a platform chose; set WEB_PORT"),
    not_built("DISCORD_CHAT", Gateway, "Text channels to bridge"),
    not_built("HISTORY_DAYS", Gateway, "How long history is kept"),
    not_built(
        "GATEWAY_PUBLIC_URL",
        Gateway,
        "Address that a registry announces",
    ),
    not_built("SHARDS", Gateway, "How many shards there are"),
    not_built("SHARD_IDS", Gateway, "The shards of this process"),
    not_built("OTEL_EXPORTER_OTLP_ENDPOINT", Both, "Where traces are sent"),
];

/// What bots, libraries and frameworks call what is ours under another name.
pub(crate) const FOREIGN_WORDS: &[(&str, &str)] = &[
    ("DISCORD_TOKEN", "DISCORD_BOT_TOKEN"),
    ("DISCORD_BOT_SECRET", "DISCORD_BOT_TOKEN"),
    ("BOT_TOKEN", "DISCORD_BOT_TOKEN"),
    ("TOKEN", "DISCORD_BOT_TOKEN"),
    ("DISCORD_APPLICATION_ID", "DISCORD_CLIENT_ID"),
    ("DISCORD_APP_ID", "DISCORD_CLIENT_ID"),
    ("DISCORD_BOT_ID", "DISCORD_CLIENT_ID"),
    ("DISCORD_ID", "DISCORD_CLIENT_ID"),
    ("APPLICATION_ID", "DISCORD_CLIENT_ID"),
    ("BOT_ID", "DISCORD_CLIENT_ID"),
    ("CLIENT_ID", "DISCORD_CLIENT_ID"),
    ("DISCORD_SECRET", "DISCORD_CLIENT_SECRET"),
    ("DISCORD_APP_SECRET", "DISCORD_CLIENT_SECRET"),
    ("DISCORD_APPLICATION_SECRET", "DISCORD_CLIENT_SECRET"),
    ("CLIENT_SECRET", "DISCORD_CLIENT_SECRET"),
    ("DISCORD_SERVER_ID", "DISCORD_GUILD_ID"),
    ("DISCORD_GUILD", "DISCORD_GUILD_ID"),
    ("DISCORD_GUILDS", "DISCORD_GUILD_ID"),
    ("GUILD_ID", "DISCORD_GUILD_ID"),
    ("SERVER_ID", "DISCORD_GUILD_ID"),
    ("LINK_SECRET", "LINK_TOKEN"),
    ("GATEWAY_TOKEN", "LINK_TOKEN"),
    ("GATEWAY_URL", "GATEWAY_WS_URL"),
    ("GATEWAY_PORT", "GATEWAY_WS_PORT"),
    ("COOKIE_SECRET", "SESSION_SECRET"),
    ("AUTH_SECRET", "SESSION_SECRET"),
    ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
];
