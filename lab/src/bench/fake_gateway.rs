//! A gateway of as many logs as the bench wants: the link's server, with a few guilds whose one
//! person in voice carries the stamps. The product's own gateway has one log for each shard that
//! Discord gives it; what several cost a web role is asked of web alone.

/// The guilds, as its snapshots and events tell of them.
mod guild;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

use super::clock::unix_micros;
use super::process::{Cpu, Process, Program};
use guild::{about, occupant, room_of};

pub(crate) use guild::guild_id;

/// When all logs began; any time will do.
const EPOCH: u64 = 1_767_225_600_000;
/// Letters of base64url.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// What `bench-fake-gateway` is told.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct FakeGatewayOptions {
    /// Logs, numbered from 0
    #[arg(long)]
    pub(crate) logs: u16,

    /// Guilds, in one log after the other
    #[arg(long)]
    pub(crate) guilds: u16,

    /// Who is a member of all of them
    #[arg(long)]
    pub(crate) member: u64,

    /// How many, numbered from that one on
    #[arg(long)]
    pub(crate) members: u16,

    /// Rooms of each guild beside the one that everybody sees
    #[arg(long)]
    pub(crate) rooms: u16,

    /// Each of those is seen by its own members alone, of whom each has an overwrite: the members
    /// are in one after the other
    #[arg(long)]
    pub(crate) private: bool,

    /// Stamps are dealt out to those rooms, instead of all going to the one
    #[arg(long)]
    pub(crate) deal: bool,

    /// Before each stamp a further private room is made and deleted, for the members of one of the
    /// others after the other
    #[arg(long)]
    pub(crate) come_and_go: bool,
}

impl FakeGatewayOptions {
    /// One guild in one log with these members.
    pub(crate) fn of_members(member: u64, members: u16) -> Self {
        Self {
            logs: 1,
            guilds: 1,
            member,
            members,
            rooms: 0,
            private: false,
            deal: false,
            come_and_go: false,
        }
    }

    /// Starts one, and says where it listens: for the link, and for stamps.
    pub(crate) fn start(
        self,
        lab: &Path,
        folder: &Path,
    ) -> anyhow::Result<(Process, SocketAddr, SocketAddr)> {
        let mut arguments = vec![
            "bench-fake-gateway".to_owned(),
            format!("--logs={}", self.logs),
            format!("--guilds={}", self.guilds),
            format!("--member={}", self.member),
            format!("--members={}", self.members),
            format!("--rooms={}", self.rooms),
        ];
        let flags = [
            (self.private, "--private"),
            (self.deal, "--deal"),
            (self.come_and_go, "--come-and-go"),
        ];
        let flags = flags.iter().filter(|(is_set, _)| *is_set);
        arguments.extend(flags.map(|(_, flag)| (*flag).to_owned()));
        let program = Program {
            binary: lab,
            name: "fake-gateway",
            arguments,
            environment: Vec::new(),
            cpu: Cpu::Others,
            piped: true,
        };
        let mut gateway = program.start(folder)?;
        let stdout = gateway.child.stdout.take().context("stdout is a pipe")?;
        let (link_at, stamps_at) = addresses(&mut BufReader::new(stdout))?;
        Ok((gateway, link_at, stamps_at))
    }
}

/// Serves one web role and one who hands stamps in, until either goes. The first line on stdout
/// names both addresses; who links is trusted, since nobody else knows the port.
pub(crate) fn serve(options: FakeGatewayOptions) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let (web_in, stamps_in) = (
            TcpListener::bind(any_port).await?,
            TcpListener::bind(any_port).await?,
        );
        println!("{} {}", web_in.local_addr()?, stamps_in.local_addr()?);
        let (socket, _) = web_in.accept().await?;
        socket.set_nodelay(true)?;
        let mut gateway = FakeGateway {
            options,
            socket: accept_async(socket).await?,
            heads: vec![0; usize::from(options.logs)],
        };
        gateway.greet().await?;
        let mut stamps_from: Option<Lines<tokio::io::BufReader<TcpStream>>> = None;
        loop {
            let stamp = async {
                match &mut stamps_from {
                    Some(lines) => lines.next_line().await,
                    None => std::future::pending().await,
                }
            };
            select! {
                message = gateway.socket.next() => match message {
                    Some(Ok(Message::Text(text))) => gateway.answer(text.as_str()).await?,
                    Some(Ok(Message::Close(_))) | None => return Ok(()),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error.into()),
                },
                accepted = stamps_in.accept() => {
                    let (socket, _) = accepted?;
                    stamps_from = Some(tokio::io::BufReader::new(socket).lines());
                }
                stamp = stamp => match stamp? {
                    Some(stamp) => gateway.tell(&stamp).await?,
                    None => stamps_from = None,
                },
            }
        }
    })
}

struct FakeGateway {
    options: FakeGatewayOptions,
    socket: WebSocketStream<TcpStream>,
    /// The last number of each log.
    heads: Vec<u64>,
}

impl FakeGateway {
    /// All there is to an attachment before events: each log is where it began.
    async fn greet(&mut self) -> anyhow::Result<()> {
        let begin = cursor_at_start(self.options.logs);
        self.say(&json!({"type": "hello", "data": {"version": 2, "heads": begin}}))
            .await?;
        let Some(Ok(Message::Text(subscribe))) = self.socket.next().await else {
            bail!("web did not subscribe");
        };
        let subscribe: Value = serde_json::from_str(&subscribe)?;
        if subscribe["type"] != "subscribe" {
            bail!("web said {subscribe} instead of subscribing");
        }
        // Without a word on sessions that are over web lets nobody in.
        let revoked = json!({"kind": "revoked", "revocations": []});
        self.say(&json!({"type": "tell", "data": revoked})).await?;
        for number in 0..self.options.guilds {
            let (id, floor) = (guild_id(number), position(self.log_of(number), 0));
            let data =
                json!({"guildId": id.to_string(), "floor": floor, "guild": self.options.guild(id)});
            self.say(&json!({"type": "snapshot", "id": floor, "data": data}))
                .await?;
        }
        for log in 0..self.options.logs {
            let at = position(log, 0);
            let data = json!({"at": at, "discord": "live", "since": EPOCH, "complete": true});
            self.say(&json!({"type": "status", "data": data})).await?;
        }
        self.say(&json!({"type": "snapshot_end", "data": {"at": begin}}))
            .await
    }

    /// Whoever is asked about is what the snapshots say.
    async fn answer(&mut self, frame: &str) -> anyhow::Result<()> {
        let frame: Value = serde_json::from_str(frame)?;
        match frame["type"].as_str() {
            Some("request") => {}
            // Who is on which room's page: nothing here depends on it.
            Some("tell") => return Ok(()),
            _ => bail!("web said {frame}"),
        }
        let at = cursor_at_start(self.options.logs);
        let data = json!({"kind": "watch", "at": at, "failed": []});
        self.say(&json!({"type": "reply", "requestId": frame["requestId"], "data": data}))
            .await
    }

    /// A stamp is an event of one guild after the other.
    async fn tell(&mut self, stamp: &str) -> anyhow::Result<()> {
        let (sequence, _) = stamp.split_once(':').context("no stamp")?;
        let sequence = sequence.parse::<u64>()?;
        let number = u16::try_from(sequence % u64::from(self.options.guilds))?;
        let id = guild_id(number);
        let rooms = u64::from(self.options.rooms);
        if self.options.come_and_go {
            let new = rooms + 1;
            let mut room = about(id, new);
            room["rights"] =
                json!({"overwrites": self.options.overwrites(id, 1 + sequence % rooms)});
            self.append(number, "room.created", room).await?;
            let gone = json!({"channelId": room_of(id, new).to_string()});
            self.append(number, "room.deleted", gone).await?;
        }
        let room = if self.options.deal {
            1 + sequence % rooms
        } else {
            0
        };
        self.append(number, "voice.updated", occupant(id, room, stamp))
            .await
    }

    /// The next event of a guild's log.
    async fn append(&mut self, guild: u16, event: &str, mut payload: Value) -> anyhow::Result<()> {
        let log = self.log_of(guild);
        let head = &mut self.heads[usize::from(log)];
        *head += 1;
        let (id, ts) = (position(log, *head), unix_micros() / 1_000);
        payload["guildId"] = guild_id(guild).to_string().into();
        payload["ts"] = ts.into();
        let data = json!({"event": event, "payload": payload});
        self.socket
            .send(Message::text(
                json!({"type": "event", "id": id, "data": data, "ts": ts}).to_string(),
            ))
            .await?;
        Ok(())
    }

    fn log_of(&self, guild: u16) -> u16 {
        guild % self.options.logs
    }

    async fn say(&mut self, frame: &Value) -> anyhow::Result<()> {
        let mut frame = frame.clone();
        frame["ts"] = (unix_micros() / 1_000).into();
        self.socket.send(Message::text(frame.to_string())).await?;
        Ok(())
    }
}

fn position(log: u16, seq: u64) -> String {
    format!("{log}.{EPOCH}-{seq}")
}

/// The cursor of so many logs that all stand where they began. That of several is packed: how many
/// less one, their epoch, two widths of 0, then for each log that none was passed over.
fn cursor_at_start(logs: u16) -> String {
    if logs == 1 {
        return position(0, 0);
    }
    let mut bits = format!("{:07b}{EPOCH:064b}", logs - 1);
    bits.extend(std::iter::repeat_n('0', 7 + 7 + 9 * usize::from(logs)));
    while !bits.len().is_multiple_of(6) {
        bits.push('0');
    }
    let letters = bits.as_bytes().chunks(6).map(|letter| {
        let value = letter
            .iter()
            .fold(0, |value, bit| value << 1 | usize::from(bit - b'0'));
        char::from(ALPHABET[value])
    });
    std::iter::once('~').chain(letters).collect()
}

/// Where one listens that was just started.
fn addresses(stdout: &mut impl BufRead) -> anyhow::Result<(SocketAddr, SocketAddr)> {
    let mut line = String::new();
    stdout.read_line(&mut line)?;
    let (web_in, stamps_in) = line
        .trim()
        .split_once(' ')
        .context("the false gateway did not say where it listens")?;
    Ok((web_in.parse()?, stamps_in.parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_of_several_logs_is_what_the_product_writes() {
        assert_eq!(cursor_at_start(1), "0.1767225600000-0");
        // As `guildhall-model` packs these two.
        assert_eq!(cursor_at_start(2), "~AgAAAzbttVAAAAAAAA");
        assert_eq!(
            cursor_at_start(17).len(),
            1 + (7 + 64 + 14 + 9 * 17_usize).div_ceil(6)
        );
    }
}
