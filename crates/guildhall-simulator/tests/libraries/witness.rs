//! What twilight says, turned into lines, and what it adds up to.

use std::collections::BTreeMap;

use tokio::time::timeout;
use twilight_gateway::{
    Event, EventTypeFlags, Shard, StreamExt as _,
    error::{ReceiveMessageError, ReceiveMessageErrorType},
};
use twilight_model::{
    application::interaction::Interaction,
    channel::Channel,
    gateway::payload::incoming::{GuildCreate, MemberUpdate},
    guild::Role,
    id::{Id, marker::GuildMarker},
    voice::VoiceState,
};

use crate::{
    house::{Failure, Outcome, PATIENCE},
    told::{self, Told},
};

/// A shard, and the guilds that its events add up to.
pub(crate) struct Witness {
    shard: Shard,
    pub(crate) guilds: BTreeMap<String, Told>,
    /// Lines heard so far.
    heard: usize,
    /// What somebody asked of the bot last.
    asked: Option<Interaction>,
}

impl Witness {
    pub(crate) fn new(shard: Shard) -> Self {
        Self {
            shard,
            guilds: BTreeMap::new(),
            heard: 0,
            asked: None,
        }
    }

    pub(crate) fn shard(&self) -> &Shard {
        &self.shard
    }

    /// The next lines are these, in this order, with nothing between them.
    pub(crate) async fn hears<S: AsRef<str>>(&mut self, chapter: &str, lines: &[S]) -> Outcome {
        for line in lines {
            let wanted = line.as_ref();
            let next = timeout(PATIENCE, self.line()).await;
            let heard =
                next.map_err(|_| format!("{chapter}: {wanted:?} was not heard in time"))??;
            say(&format!("  {heard}"));
            self.heard += 1;
            if heard != wanted {
                return Err(format!("{chapter}: wanted {wanted:?}, heard {heard:?}").into());
            }
        }
        let sum = self.heard;
        say(&format!(
            "== {chapter}: {sum} lines so far, each as expected"
        ));
        Ok(())
    }

    /// The next thing that somebody asks of the bot; lines before it are passed over.
    pub(crate) async fn asked(&mut self) -> Result<Interaction, Failure> {
        self.passes_over_until("somebody asks").await?;
        let asked = self.asked.take();
        asked.ok_or_else(|| "nothing was asked".into())
    }

    /// Listens until this line.
    pub(crate) async fn passes_over_until(&mut self, wanted: &str) -> Outcome {
        loop {
            let next = timeout(PATIENCE, self.line()).await;
            let heard = next.map_err(|_| format!("{wanted:?} was not heard in time"))??;
            say(&format!("  {heard}"));
            if heard == wanted {
                return Ok(());
            }
        }
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
                    self.guilds.insert(guild.id.to_string(), Told::of(&guild));
                    format!("guild {}", guild.id)
                }
                GuildCreate::Unavailable(guild) => format!("guild {} is away", guild.id),
            },
            Event::MemberChunk(chunk) => {
                let members = &mut self.guild(chunk.guild_id)?.members;
                members.extend(chunk.members.iter().map(told::member));
                format!("{} members of {}", chunk.members.len(), chunk.guild_id)
            }
            Event::VoiceStateUpdate(update) => self.voice(&update.0)?,
            Event::ChannelCreate(channel) => self.channel("made", &channel)?,
            Event::ChannelUpdate(channel) => self.channel("changed", &channel)?,
            Event::ChannelDelete(channel) => {
                let guild = self.guild(channel.guild_id?)?;
                guild.channels.remove(&channel.id.to_string());
                format!("channel {} gone", channel.id)
            }
            Event::RoleCreate(it) => self.role("made", it.guild_id, &it.role)?,
            Event::RoleUpdate(it) => self.role("changed", it.guild_id, &it.role)?,
            Event::RoleDelete(it) => {
                let guild = self.guild(it.guild_id)?;
                guild.roles.remove(&it.role_id.to_string());
                format!("role {} gone", it.role_id)
            }
            Event::MemberAdd(it) => {
                let guild = self.guild(it.guild_id)?;
                guild.member_count += 1;
                guild.members.extend([told::member(&it.member)]);
                format!("member {} came", it.member.user.id)
            }
            Event::MemberUpdate(it) => self.member_update(&it)?,
            Event::MemberRemove(it) => {
                let guild = self.guild(it.guild_id)?;
                guild.member_count -= 1;
                guild.members.remove(&it.user.id.to_string());
                format!("member {} went", it.user.id)
            }
            Event::MessageCreate(it) => {
                format!("message {} by {}: {}", it.id, it.author.id, it.content)
            }
            Event::MessageUpdate(it) => format!("message {} now: {}", it.id, it.content),
            Event::InteractionCreate(it) => {
                self.asked = Some(it.0);
                "somebody asks".to_owned()
            }
            Event::MessageDelete(it) => format!("message {} gone", it.id),
            _ => return None,
        })
    }

    fn guild(&mut self, id: Id<GuildMarker>) -> Option<&mut Told> {
        self.guilds.get_mut(&id.to_string())
    }

    fn voice(&mut self, state: &VoiceState) -> Option<String> {
        self.guild(state.guild_id?)?.takes_voice(state);
        let user = state.user_id;
        Some(match state.channel_id {
            Some(channel) if state.self_mute => format!("voice {user} in {channel} muted"),
            Some(channel) => format!("voice {user} in {channel}"),
            None => format!("voice {user} away"),
        })
    }

    fn channel(&mut self, how: &str, it: &Channel) -> Option<String> {
        let name = it.name.clone().unwrap_or_default();
        let guild = self.guild(it.guild_id?)?;
        guild.channels.extend([told::channel(it)]);
        Some(format!("channel {} {how}: {name}", it.id))
    }

    fn role(&mut self, how: &str, guild: Id<GuildMarker>, it: &Role) -> Option<String> {
        self.guild(guild)?.roles.extend([told::role(it)]);
        Some(format!("role {} {how}: {}", it.id, it.name))
    }

    fn member_update(&mut self, it: &MemberUpdate) -> Option<String> {
        self.guild(it.guild_id)?.takes_member_update(it);
        let nick = it.nick.as_deref().unwrap_or("no nick");
        let roles = it.roles.len();
        Some(format!(
            "member {} changed: {nick}, {roles} roles",
            it.user.id
        ))
    }
}

/// What a library saw is what whoever runs this wants to read.
#[expect(clippy::print_stdout, reason = "it is for whoever runs this")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// A connection may tear; what twilight cannot read or unpack is a fault of ours.
fn must_be_the_connection(error: ReceiveMessageError) -> Outcome {
    match error.kind() {
        ReceiveMessageErrorType::Reconnect => Ok(()),
        _ => Err(error.into()),
    }
}
