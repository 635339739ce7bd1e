//! What twilight says, turned into lines, and what it adds up to.

use std::collections::BTreeMap;

use tokio::time::timeout;
use twilight_gateway::{
    Event, EventTypeFlags, Shard, StreamExt as _,
    error::{ReceiveMessageError, ReceiveMessageErrorType},
};
use twilight_model::gateway::payload::incoming::GuildCreate;

use crate::house::{Failure, Outcome, PATIENCE};

/// One guild, as far as its events told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) name: String,
    /// Names of channels and roles, by id.
    pub(crate) channels: BTreeMap<u64, String>,
    pub(crate) roles: BTreeMap<u64, String>,
    /// Who is in which channel.
    pub(crate) voice: BTreeMap<u64, u64>,
}

/// A shard, and the guilds that its events add up to.
pub(crate) struct Witness {
    shard: Shard,
    pub(crate) guilds: BTreeMap<u64, Told>,
}

impl Witness {
    pub(crate) fn new(shard: Shard) -> Self {
        Self {
            shard,
            guilds: BTreeMap::new(),
        }
    }

    pub(crate) fn shard(&self) -> &Shard {
        &self.shard
    }

    /// The next lines are these, in this order, with nothing between them.
    pub(crate) async fn hears<S: AsRef<str>>(&mut self, lines: &[S]) -> Outcome {
        for line in lines {
            let next = timeout(PATIENCE, self.line());
            let heard = next
                .await
                .map_err(|_| format!("{:?} was not heard in time", line.as_ref()))??;
            if heard != line.as_ref() {
                return Err(format!("wanted {:?}, heard {heard:?}", line.as_ref()).into());
            }
        }
        Ok(())
    }

    async fn line(&mut self) -> Result<String, Failure> {
        loop {
            let Some(next) = self.shard.next_event(EventTypeFlags::all()).await else {
                return Err("twilight gave up".into());
            };
            match next {
                Ok(event) => {
                    if let Some(line) = self.take(event) {
                        return Ok(line);
                    }
                }
                Err(error) => must_be_the_connection(error)?,
            }
        }
    }

    fn take(&mut self, event: Event) -> Option<String> {
        Some(match event {
            Event::Ready(ready) => {
                self.guilds.clear();
                format!("ready as {}", ready.user.id)
            }
            Event::Resumed => "resumed".to_owned(),
            Event::GuildCreate(created) => match *created {
                GuildCreate::Available(guild) => {
                    let id = guild.id;
                    let told = self.guilds.entry(id.get()).or_default();
                    told.name.clone_from(&guild.name);
                    let channels = guild.channels.iter();
                    told.channels = channels
                        .map(|one| (one.id.get(), one.name.clone().unwrap_or_default()))
                        .collect();
                    let roles = guild.roles.iter();
                    told.roles = roles.map(|one| (one.id.get(), one.name.clone())).collect();
                    let states = guild.voice_states.iter();
                    told.voice = states
                        .filter_map(|one| Some((one.user_id.get(), one.channel_id?.get())))
                        .collect();
                    format!("guild {id}")
                }
                GuildCreate::Unavailable(guild) => format!("guild {} is away", guild.id),
            },
            Event::MemberChunk(chunk) => {
                format!("{} members of {}", chunk.members.len(), chunk.guild_id)
            }
            Event::VoiceStateUpdate(update) => {
                let (user, state) = (update.user_id, &update.0);
                let guild = self.guilds.entry(state.guild_id?.get()).or_default();
                if let Some(channel) = state.channel_id {
                    guild.voice.insert(user.get(), channel.get());
                    let muted = if state.self_mute { " muted" } else { "" };
                    format!("voice {user} in {channel}{muted}")
                } else {
                    guild.voice.remove(&user.get());
                    format!("voice {user} away")
                }
            }
            Event::ChannelCreate(channel) => self.channel("made", &channel)?,
            Event::ChannelUpdate(channel) => self.channel("changed", &channel)?,
            Event::ChannelDelete(channel) => {
                let guild = self.guilds.get_mut(&channel.guild_id?.get())?;
                guild.channels.remove(&channel.id.get());
                format!("channel {} gone", channel.id)
            }
            Event::RoleCreate(it) => self.role("made", it.guild_id.get(), &it.role)?,
            Event::RoleUpdate(it) => self.role("changed", it.guild_id.get(), &it.role)?,
            Event::RoleDelete(it) => {
                let guild = self.guilds.get_mut(&it.guild_id.get())?;
                guild.roles.remove(&it.role_id.get());
                format!("role {} gone", it.role_id)
            }
            Event::MemberAdd(it) => format!("member {} came", it.member.user.id),
            Event::MemberUpdate(it) => format!("member {}: {} roles", it.user.id, it.roles.len()),
            Event::MemberRemove(it) => format!("member {} went", it.user.id),
            Event::MessageCreate(it) => {
                format!("message {} by {}: {}", it.id, it.author.id, it.content)
            }
            Event::MessageUpdate(it) => format!("message {} now: {}", it.id, it.content),
            Event::MessageDelete(it) => format!("message {} gone", it.id),
            _ => return None,
        })
    }

    fn channel(&mut self, how: &str, it: &twilight_model::channel::Channel) -> Option<String> {
        let name = it.name.clone().unwrap_or_default();
        let line = format!("channel {} {how}: {name}", it.id);
        let guild = self.guilds.get_mut(&it.guild_id?.get())?;
        guild.channels.insert(it.id.get(), name);
        Some(line)
    }

    fn role(&mut self, how: &str, guild: u64, it: &twilight_model::guild::Role) -> Option<String> {
        let guild = self.guilds.get_mut(&guild)?;
        guild.roles.insert(it.id.get(), it.name.clone());
        Some(format!("role {} {how}: {}", it.id, it.name))
    }
}

/// A connection may tear; what twilight cannot read or unpack is a fault of ours.
fn must_be_the_connection(error: ReceiveMessageError) -> Outcome {
    match error.kind() {
        ReceiveMessageErrorType::Reconnect => Ok(()),
        _ => Err(error.into()),
    }
}
