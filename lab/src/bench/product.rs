//! The product as it is operated: three processes that know each other by
//! environment variables alone, and a person who signed in.

use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::http::{Client, Response};
use super::process::{Cpu, Process, Program, free_port};

pub(crate) struct Product {
    pub(crate) simulator: Process,
    pub(crate) gateway: Process,
    pub(crate) web: Process,
    pub(crate) simulator_at: SocketAddr,
    pub(crate) web_at: SocketAddr,
    /// The guild whose load user carries the stamps.
    pub(crate) guild_id: String,
    /// `NAME=VALUE` of a session of the guild's first member.
    pub(crate) cookie: String,
}

impl Product {
    /// Starts all three and signs in. `streams` is how many will be open at once.
    pub(crate) fn start(binary: &Path, folder: &Path, streams: usize) -> anyhow::Result<Self> {
        let (simulator_port, web_port) = (free_port()?, free_port()?);
        let simulator_at = SocketAddr::from(([127, 0, 0, 1], simulator_port));
        let web_at = SocketAddr::from(([127, 0, 0, 1], web_port));

        let mut simulator = simulator(binary, simulator_at).start(folder)?;
        simulator.wait_until_ready(simulator_port, "/sim/state")?;
        let world = World::read(&mut Client::new(simulator_at))?;

        let link_port = free_port()?;
        let link_token = secret()?;
        let discord = format!("http://{simulator_at}");
        let ops_port = free_port()?;
        let environment = vec![
            ("DISCORD_URL", discord.clone()),
            ("DISCORD_BOT_TOKEN", world.application.bot_token.clone()),
            ("LINK_TOKEN", link_token.clone()),
            ("GATEWAY_WS_PORT", link_port.to_string()),
            ("OPS_PORT", ops_port.to_string()),
        ];
        let gateway = role(binary, "gateway", Cpu::Others, environment);
        let mut gateway = gateway.start(folder)?;
        gateway.wait_until_ready(ops_port, "/readyz")?;

        let ops_port = free_port()?;
        let application = world.application;
        let environment = vec![
            ("DISCORD_URL", discord),
            ("DISCORD_CLIENT_ID", application.id),
            ("DISCORD_CLIENT_SECRET", application.client_secret),
            ("LINK_TOKEN", link_token),
            ("GATEWAY_WS_URL", format!("ws://127.0.0.1:{link_port}")),
            ("WEB_PORT", web_port.to_string()),
            ("BASE_URL", format!("http://{web_at}")),
            ("SESSION_SECRET", secret()?),
            // One person holds all of them here, and those of the idle
            // measurement may still be closing.
            ("STREAMS_PER_USER", (2 * streams + 100).to_string()),
            ("OPS_PORT", ops_port.to_string()),
        ];
        let web = role(binary, "web", Cpu::Measured, environment);
        let mut web = web.start(folder)?;
        web.wait_until_ready(ops_port, "/readyz")?;

        let guild = world.guilds.first().context("the simulator has no guild")?;
        let member = guild
            .members
            .first()
            .context("the first guild has no member")?;
        let cookie = sign_in(web_at, simulator_at, &member.user_id)?;
        Ok(Self {
            simulator,
            gateway,
            web,
            simulator_at,
            web_at,
            guild_id: guild.id.clone(),
            cookie,
        })
    }

    /// The request that opens one stream.
    pub(crate) fn stream_request(&self) -> String {
        format!(
            "GET /api/stream?guild={} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nCookie: {}\r\n\r\n",
            self.guild_id, self.web_at, self.cookie
        )
    }

    /// Asks the simulator for stamps at a rate by its own clock.
    pub(crate) fn begin_load(&self, per_second: u64, seconds: u64) -> anyhow::Result<()> {
        let body = format!(
            r#"{{"eventsPerSecond":{per_second},"seconds":{seconds},"guilds":["{}"]}}"#,
            self.guild_id
        );
        let response = Client::new(self.simulator_at).post("/sim/load", &body)?;
        if response.status != 202 {
            bail!("no load: {} {}", response.status, response.body);
        }
        Ok(())
    }

    /// How many stamps the simulator has sent, once it is done.
    pub(crate) fn load_sent(&self) -> anyhow::Result<Option<u64>> {
        let response = Client::new(self.simulator_at).get("/sim/load", &[])?;
        let load: LoadProgress = serde_json::from_str(&response.body)?;
        if let Some(why) = load.failed {
            bail!("the simulator's load failed: {why}");
        }
        Ok(load.done.then_some(load.sent))
    }
}

#[derive(Deserialize)]
struct LoadProgress {
    sent: u64,
    done: bool,
    failed: Option<String>,
}

pub(crate) fn simulator(binary: &Path, listen: SocketAddr) -> Program<'_> {
    Program {
        binary,
        name: "simulator",
        arguments: vec![
            "simulator".to_owned(),
            "--listen".to_owned(),
            listen.to_string(),
        ],
        environment: vec![("RUST_LOG", "warn".to_owned())],
        cpu: Cpu::Others,
        piped: false,
    }
}

pub(crate) fn role<'a>(
    binary: &'a Path,
    name: &'static str,
    cpu: Cpu,
    mut environment: Vec<(&'static str, String)>,
) -> Program<'a> {
    environment.push(("RUST_LOG", "warn".to_owned()));
    Program {
        binary,
        name,
        arguments: vec![name.to_owned()],
        environment,
        cpu,
        piped: false,
    }
}

/// The part of `GET /sim/state` that is needed to operate the product on it.
#[derive(Deserialize)]
pub(crate) struct World {
    pub(crate) application: Application,
    pub(crate) guilds: Vec<Guild>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Application {
    pub(crate) id: String,
    pub(crate) bot_token: String,
    pub(crate) client_secret: String,
}

#[derive(Deserialize)]
pub(crate) struct Guild {
    pub(crate) id: String,
    /// The first is a person, neither a bot nor the load user.
    pub(crate) members: Vec<Member>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Member {
    pub(crate) user_id: String,
}

impl World {
    pub(crate) fn read(simulator: &mut Client) -> anyhow::Result<Self> {
        let response = simulator.get("/sim/state", &[])?;
        serde_json::from_str(&response.body).context("GET /sim/state has another shape")
    }
}

/// Walks through the login as a browser does and returns the session's cookie.
pub(crate) fn sign_in(
    web_at: SocketAddr,
    simulator_at: SocketAddr,
    user_id: &str,
) -> anyhow::Result<String> {
    let mut web = Client::new(web_at);
    let begin = redirect(web.get("/auth/login", &[])?, "the login")?;
    let attempt = cookies(&begin.response).join("; ");

    let consent = format!("{}&sim_user={user_id}", path_of(&begin.location));
    let granted = redirect(
        Client::new(simulator_at).get(&consent, &[])?,
        "the simulator's authorize page",
    )?;

    let callback = path_of(&granted.location).to_owned();
    let end = redirect(web.get(&callback, &[("Cookie", &attempt)])?, "the callback")?;
    cookies(&end.response)
        .into_iter()
        .next()
        .context("the callback set no cookie")
}

struct Redirect {
    response: Response,
    location: String,
}

fn redirect(response: Response, who: &str) -> anyhow::Result<Redirect> {
    let location = response.headers("location").next().map(str::to_owned);
    match location {
        Some(location) if (300..400).contains(&response.status) => {
            Ok(Redirect { response, location })
        }
        _ => bail!(
            "{who} answered {} instead of a redirect: {}",
            response.status,
            response.body
        ),
    }
}

/// `NAME=VALUE` of each cookie that was set and not deleted.
fn cookies(response: &Response) -> Vec<String> {
    response
        .headers("set-cookie")
        .filter_map(|cookie| cookie.split(';').next())
        // A deleted cookie has no value; a sealed one may end in `=`.
        .filter(|pair| {
            pair.split_once('=')
                .is_some_and(|(_, value)| !value.is_empty())
        })
        .map(str::to_owned)
        .collect()
}

/// Path and query of an absolute or relative address.
fn path_of(location: &str) -> &str {
    if location.starts_with('/') {
        return location;
    }
    let rest = location
        .split_once("://")
        .map_or(location, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// 64 characters from the kernel's generator.
pub(crate) fn secret() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Ok(digits
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_reduced_to_what_is_asked_for() {
        assert_eq!(
            path_of("http://127.0.0.1:1/a?b=http://c/d"),
            "/a?b=http://c/d"
        );
        assert_eq!(path_of("/a?b=http://c/d"), "/a?b=http://c/d");
        assert_eq!(path_of("http://127.0.0.1:1"), "/");
    }

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let one = secret().expect("the kernel has numbers");
        assert_eq!(one.len(), 64);
        assert_ne!(one, secret().expect("the kernel has numbers"));
    }
}
