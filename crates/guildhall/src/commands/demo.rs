//! `guildhall demo`: the product with another Discord address. Nothing on the road knows that it
//! is a demo; here it gets its settings, and here its first visitor signs in for the `curl` line.

/// A channel that makes rooms.
mod lobby;
/// Signs in as a browser would.
mod visitor;
/// Where the simulated Discord tells that somebody removed the application.
mod webhook;

use std::net::{SocketAddr, TcpListener};

use anyhow::Context;
use url::Url;

use super::{all, simulator};
use crate::{
    cli::Simulation,
    config::{
        ConfigError, Settings, Sources, ip, misspelt, secrets,
        table::{FOREIGN_WORDS, Setting},
    },
    lifecycle::{Lifecycle, ProcessExit},
};

/// How many ports above a taken default one are tried.
const PORTS_TRIED: u16 = 50;

pub(super) async fn run(
    mut settings: Settings,
    simulation: &Simulation,
) -> Result<(), ProcessExit> {
    let mut said = Vec::new();
    let listen = free_address(
        simulator::listen(&settings)?,
        settings.is_set("SIMULATOR_LISTEN"),
        "simulator",
        &mut said,
    );
    free_port(&mut settings, "WEB_HOST", "WEB_PORT", 3000, &mut said)?;
    free_port(
        &mut settings,
        "GATEWAY_WS_HOST",
        "GATEWAY_WS_PORT",
        8080,
        &mut said,
    )?;
    free_port(&mut settings, "OPS_HOST", "OPS_PORT", 9090, &mut said)?;

    let simulator = simulator::build(listen, simulation).await?;
    let discord = format!("http://{}", simulator.local_addr());
    let application = simulator.application();
    let (id, token) = (application.id.to_string(), &application.bot_token);
    point_at(
        &mut settings,
        &discord,
        &id,
        token,
        &application.client_secret,
    );
    settings.set("DISCORD_PUBLIC_KEY", application.public_key.clone());

    let folder = tempfile::Builder::new().prefix("guildhall-demo-").tempdir();
    let folder = folder.map_err(anyhow::Error::from)?;
    settings.set("DATA_DIR", folder.path().display().to_string());

    let mut lifecycle = Lifecycle::new();
    simulator::start(&mut lifecycle, simulator);
    // The gateway names it in the chats of rooms.
    if let Some(port) = settings.get("WEB_PORT").filter(|port| *port != "0") {
        settings.set("BASE_URL", format!("http://localhost:{port}"));
    }
    let lobby = lobby::open(&discord, &application.guild_id.to_string()).await;
    settings.set("LOBBIES", lobby.context("the demo's lobby")?);
    let started = all::start(&mut lifecycle, settings).await?;
    let page = format!("http://localhost:{}", started.web.port());
    let greeting = Greeting {
        page,
        simulator: discord,
        ops: started.ops,
        guild_id: application.guild_id.to_string(),
        said,
    };
    let visitor = application.member_id.to_string();
    let stop = lifecycle.stop.clone();
    lifecycle.tracker.spawn(async move {
        // Whoever stops the demo while its visitor is still signing in wants no greeting.
        tokio::select! {
            () = greeting.meet(&visitor) => {}
            () = stop.cancelled() => {}
        }
    });
    let ended = lifecycle.wait().await;
    drop(started.stores);
    folder.close().map_err(anyhow::Error::from)?;
    ended
}

/// Keeps out what is said outside about a real house, its mistakes included.
pub(super) fn kept_out(mut sources: Sources) -> Sources {
    let outside = |name: &str| {
        let of_secret = name.strip_suffix("_FILE");
        let of_secret = of_secret.filter(|_| Setting::named(name).is_none());
        let plain = of_secret.unwrap_or(name);
        plain.starts_with("DISCORD_")
            || Setting::named(plain).is_some_and(Setting::is_the_demos)
            || FOREIGN_WORDS.iter().any(|(word, _)| *word == plain)
            || meant_for_a_house(plain)
    };
    for said in [&mut sources.environment, &mut sources.dotenv] {
        said.retain(|name, _| !outside(name));
    }
    sources.mistakes.retain(|mistake| !outside(&mistake.name));
    sources
}

/// Warns of what is said outside about where rooms are made and by whom: how they are kept, which is said
/// beside it, the demo obeys.
pub(super) fn with_its_own_rooms(mut sources: Sources) -> Sources {
    let said = |name: &&str| {
        let places = [&sources.flags, &sources.environment, &sources.dotenv];
        places.iter().any(|place| place.contains_key(*name))
    };
    let passed_over = ["ROOM_PARENTS", "ROOM_CREATORS", "LOBBIES"];
    let passed_over: Vec<&str> = passed_over.into_iter().filter(said).collect();
    if !passed_over.is_empty() {
        sources.warnings.push(format!(
            "The demo passes over {}: ids of a guild's are nothing to the one that it simulates, whose \
             lobby and rooms it chooses itself.",
            passed_over.join(", ")
        ));
    }
    sources
}

/// A slip in the name of something that the demo chooses itself.
fn meant_for_a_house(name: &str) -> bool {
    let meant = misspelt(name).and_then(Setting::named);
    meant.is_some_and(Setting::is_the_demos)
}

/// What is there by the time the roles read it: a stand-in for the simulator's application.
pub(super) fn assume(settings: &mut Settings) {
    let discord = "http://127.0.0.1:4000";
    point_at(settings, discord, "1", "MQ.a.b", &secrets::random_hex());
    all::assume(settings);
}

/// The settings that make it a demo: the simulator's addresses, and secrets for this run only.
fn point_at(settings: &mut Settings, discord: &str, id: &str, token: &str, secret: &str) {
    for name in ["DISCORD_URL", "DISCORD_CDN_URL", "DISCORD_PUBLIC_URL"] {
        settings.set(name, discord);
    }
    settings.set("DISCORD_BOT_TOKEN", token);
    settings.set("DISCORD_CLIENT_ID", id);
    settings.set("DISCORD_CLIENT_SECRET", secret);
    settings.set("LINK_TOKEN", secrets::random_hex());
    settings.set("SESSION_SECRET", secrets::random_hex());
    // The simulated application may have both: a role that is taken away on Discord's side closes
    // its rooms on the page at once.
    settings.set("DISCORD_INTENTS", "members,moderation");
}

/// Replaces a taken default port by the next free one. A port that somebody asked for is left
/// alone, so that the refusal names their setting.
fn free_port(
    settings: &mut Settings,
    host: &'static str,
    port: &'static str,
    default: u16,
    said: &mut Vec<String>,
) -> Result<(), ConfigError> {
    if settings.is_set(port) {
        return Ok(());
    }
    let ip = ip(settings, host)?;
    let free = free_address(SocketAddr::new(ip, default), false, port, said);
    settings.set(port, free.port().to_string());
    Ok(())
}

fn free_address(
    wanted: SocketAddr,
    asked_for: bool,
    what: &str,
    said: &mut Vec<String>,
) -> SocketAddr {
    if asked_for {
        return wanted;
    }
    let candidates = (wanted.port()..wanted.port().saturating_add(PORTS_TRIED))
        .map(|port| SocketAddr::new(wanted.ip(), port));
    for candidate in candidates {
        if TcpListener::bind(candidate).is_ok() {
            if candidate != wanted {
                let (taken, free) = (wanted.port(), candidate.port());
                said.push(format!("{what}: port {taken} is taken, using {free}"));
            }
            return candidate;
        }
    }
    wanted
}

/// What a newcomer sees.
struct Greeting {
    page: String,
    simulator: String,
    ops: SocketAddr,
    /// Of which the visitor is a member.
    guild_id: String,
    said: Vec<String>,
}

impl Greeting {
    /// Signs the visitor in, and says what there is.
    async fn meet(&self, visitor: &str) {
        let cookie = visitor::sign_in(&self.page, visitor).await;
        if let Err(error) = webhook::register(&self.simulator, &self.page).await {
            tracing::warn!("The simulated Discord takes no webhook address: {error:#}");
        }
        self.print(cookie);
    }

    #[expect(
        clippy::print_stdout,
        reason = "the demo talks to the person who started it"
    )]
    fn print(&self, cookie: anyhow::Result<String>) {
        let Self {
            page,
            simulator,
            ops,
            guild_id,
            said,
        } = self;
        println!("\nGuildhall demo: the product, with a simulated Discord\n");
        for line in said {
            println!("  {line}");
        }
        println!("  page       {page}");
        println!("  simulator  {simulator}   the Discord side: let people join and leave here");
        println!(
            "  lobby      whoever joins \"{}\" there is in a room of their own",
            lobby::NAME
        );
        println!("  ops        http://{ops}/readyz");
        match cookie {
            Ok(cookie) => {
                println!("  stream     curl -N -H 'Cookie: {cookie}' {page}/api/stream");
                println!(
                    "  command    curl -H 'Cookie: {cookie}' -H 'Origin: {page}' \
                     -H 'Content-Type: application/json' -d '{{\"guildId\":\"{guild_id}\"}}' \
                     {page}/api/rpc/disconnect"
                );
            }
            Err(error) => println!("  stream     no curl lines: signing in failed: {error:#}"),
        }
        println!("\n  Ctrl-C ends it.\n");
    }
}

/// The URL of a path below the page.
fn below(page: &str, path: &str) -> anyhow::Result<Url> {
    Ok(Url::parse(page)?.join(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Mistakes;

    #[test]
    fn whose_rooms_are_said_outside_is_told_that_the_demo_has_its_own() {
        let said = |name: &str| Sources {
            environment: [(name.to_owned(), "1".to_owned())].into(),
            ..Sources::default()
        };
        for name in ["ROOM_PARENTS", "ROOM_CREATORS", "LOBBIES"] {
            let settings = Settings::resolve(&kept_out(with_its_own_rooms(said(name))));
            let [warning] = &settings.warnings().collect::<Vec<String>>()[..] else {
                panic!("one warning of {name}")
            };
            assert!(warning.contains(name), "{warning}");
            assert_eq!(settings.get(name), None);
        }
        for name in ["ROOM_MODE", "DISCORD_BOT_TOKEN"] {
            let settings = Settings::resolve(&kept_out(with_its_own_rooms(said(name))));
            assert_eq!(settings.warnings().count(), 0, "{name}");
        }
    }

    #[test]
    fn a_real_house_on_the_same_machine_is_no_concern_of_the_demo() {
        let said = |pairs: &[(&str, &str)]| {
            let owned = pairs.iter();
            owned
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let sources = Sources {
            environment: said(&[
                ("REDIS_URL", "redis://127.0.0.1"),
                ("DISCORD_BOT_TOKN", "misspelt"),
                ("LINK_TOKEN", "short"),
                ("LINK_TOKEN_FILE", "/nowhere"),
                ("SSL_CERT_FILE", "/nowhere"),
                ("VITE_DISCORD_GUILD_ID", "1"),
                ("DISCORD_GUILD_ID", "2"),
                ("WEB_PORT", "3100"),
            ]),
            dotenv: said(&[("DATABASE_URL", "postgres://db"), ("LOG_FORMAT", "json")]),
            ..Sources::default()
        };
        let settings = Settings::resolve(&kept_out(sources));
        assert_eq!(
            settings.mistakes,
            Mistakes::default(),
            "nothing is left to refuse"
        );
        assert_eq!(settings.get("WEB_PORT"), Some("3100"));
        assert_eq!(settings.get("LOG_FORMAT"), Some("json"));
        assert_eq!(settings.get("DISCORD_GUILD_ID"), None);
    }
}
