//! A gateway of as many logs as the bench wants: the link's server, with a few guilds whose one
//! person in voice carries the stamps. The product's own gateway has one log for each shard that
//! Discord gives it; what several cost a web role is asked of web alone.

use std::io::BufRead;
use std::net::SocketAddr;

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

use super::clock::unix_micros;

/// When all logs began; any time will do.
const EPOCH: u64 = 1_767_225_600_000;
/// Letters of base64url.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Who carries the stamps.
const LOAD_USER: &str = "900";

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
        let mut stamps_from: Option<Lines<BufReader<TcpStream>>> = None;
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
                    stamps_from = Some(BufReader::new(socket).lines());
                }
                stamp = stamp => match stamp? {
                    Some(stamp) => gateway.tell(&stamp).await?,
                    None => stamps_from = None,
                },
            }
        }
    })
}

/// The guild of a number from 0.
pub(crate) fn guild_id(number: u16) -> u64 {
    10_000 + u64::from(number)
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
        for number in 0..self.options.guilds {
            let (id, floor) = (guild_id(number), position(self.log_of(number), 0));
            let data = json!({"guildId": id.to_string(), "floor": floor, "guild": self.guild(id)});
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
        if frame["type"] != "request" {
            bail!("web said {frame}");
        }
        let at = cursor_at_start(self.options.logs);
        let data = json!({"kind": "watch", "at": at, "failed": []});
        self.say(&json!({"type": "reply", "requestId": frame["requestId"], "data": data}))
            .await
    }

    /// A stamp is an event of one guild after the other.
    async fn tell(&mut self, stamp: &str) -> anyhow::Result<()> {
        let (sequence, _) = stamp.split_once(':').context("no stamp")?;
        let number = sequence.parse::<u64>()? % u64::from(self.options.guilds);
        let number = u16::try_from(number)?;
        let log = self.log_of(number);
        let head = &mut self.heads[usize::from(log)];
        *head += 1;
        let (id, ts) = (position(log, *head), unix_micros() / 1_000);
        let mut payload = occupant(guild_id(number), stamp);
        payload["guildId"] = guild_id(number).to_string().into();
        payload["ts"] = ts.into();
        let data = json!({"event": "voice.updated", "payload": payload});
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

    fn guild(&self, id: u64) -> Value {
        let room = room_of(id).to_string();
        let about = json!({
            "channelId": room, "name": "Table 1", "kind": "voice", "position": 0, "userLimit": 0,
            "rights": {"overwrites": []},
        });
        json!({
            "info": {"name": "Game night", "icon": null},
            "available": true,
            "ownerId": "1",
            // What everybody may do: view channels.
            "roles": {id.to_string(): "1024"},
            "categories": {},
            "rooms": {&room: about},
            "voice": {LOAD_USER: occupant(id, "load")},
            "memberships": {
                self.options.member.to_string(): {"is": "member", "roles": [], "guest": false},
            },
        })
    }

    async fn say(&mut self, frame: &Value) -> anyhow::Result<()> {
        let mut frame = frame.clone();
        frame["ts"] = (unix_micros() / 1_000).into();
        self.socket.send(Message::text(frame.to_string())).await?;
        Ok(())
    }
}

fn room_of(guild: u64) -> u64 {
    guild + 1_000_000
}

/// The load user as they sit in their guild's room.
fn occupant(guild: u64, username: &str) -> Value {
    json!({
        "channelId": room_of(guild).to_string(),
        "userId": LOAD_USER,
        "username": username,
        "displayName": "Load",
        "avatar": null,
        "avatarUrl": "https://cdn.discordapp.com/embed/avatars/0.png",
        "bot": false,
        "since": EPOCH,
        "mute": false, "deaf": false, "selfMute": false, "selfDeaf": false,
        "streaming": false, "video": false, "suppressed": false,
    })
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

/// Where one listens that was just started: for the link, and for stamps.
pub(crate) fn addresses(stdout: &mut impl BufRead) -> anyhow::Result<(SocketAddr, SocketAddr)> {
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
