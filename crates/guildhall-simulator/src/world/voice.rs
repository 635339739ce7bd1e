//! Joining, moving, leaving, muting; load stamps.

use serde_json::{Value, json};

use super::{
    ChannelKind, Edit, Event, Guild, Intents, Table, User, VoiceState, World,
    audit::{Action, changed},
    change::{Changed, Refusal},
    payload::VoiceStateObject,
};
use crate::snowflake::Snowflake;

/// What somebody's voice state becomes; `None` leaves a part as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct VoiceEdit {
    /// `Clear` disconnects.
    pub(crate) channel_id: Edit<Snowflake>,
    pub(crate) self_mute: Option<bool>,
    pub(crate) self_deaf: Option<bool>,
    pub(crate) self_stream: Option<bool>,
    pub(crate) self_video: Option<bool>,
    /// By the server.
    pub(crate) mute: Option<bool>,
    /// By the server.
    pub(crate) deaf: Option<bool>,
    pub(crate) suppress: Option<bool>,
}

/// How a moderator ended up moving somebody, for the audit log.
fn moderated(edit: VoiceEdit) -> Option<Action> {
    match edit.channel_id {
        Edit::Set(_) => Some(Action::MemberMove),
        Edit::Clear => Some(Action::MemberDisconnect),
        Edit::Keep => None,
    }
}

impl World {
    /// Puts a member into a voice channel, takes them out, or changes their flags,
    /// whatever permissions and limits say. Tells nothing if nothing changed. A person is
    /// in one voice channel overall: who comes in here has left where they were, in
    /// whichever guild. A bot may be in one of each guild.
    pub(crate) fn set_voice(
        &mut self,
        guild_id: Snowflake,
        user_id: Snowflake,
        edit: VoiceEdit,
    ) -> Changed<()> {
        let elsewhere = self.elsewhere(guild_id, user_id, edit);
        let ((), mut events) = self.set_voice_here(guild_id, user_id, edit)?;
        for other in elsewhere {
            let leaves = VoiceEdit {
                channel_id: Edit::Clear,
                ..VoiceEdit::default()
            };
            // What the other guild's log would say is nobody's doing there.
            let cause = self.cause.take();
            let left = self.set_voice_here(other, user_id, leaves);
            self.cause = cause;
            events.splice(0..0, left?.1);
        }
        Ok(((), events))
    }

    /// The other guilds in whose voice channels a person is who comes into one of this.
    fn elsewhere(
        &self,
        guild_id: Snowflake,
        user_id: Snowflake,
        edit: VoiceEdit,
    ) -> Vec<Snowflake> {
        let comes_in = matches!(edit.channel_id, Edit::Set(_));
        let is_person = self.users.get(user_id).is_some_and(|user| !user.bot);
        if !comes_in || !is_person {
            return Vec::new();
        }
        self.guilds
            .iter()
            .filter(|guild| guild.id != guild_id && guild.voice_states.contains(user_id))
            .map(|guild| guild.id)
            .collect()
    }

    fn set_voice_here(
        &mut self,
        guild_id: Snowflake,
        user_id: Snowflake,
        edit: VoiceEdit,
    ) -> Changed<()> {
        let session_id = self.voices.hex();
        // People who move by themselves stand in no log.
        let moderated = self.cause.as_ref().and_then(|_| moderated(edit));
        // Being connected shows the bot a channel it may not view otherwise.
        let touches_rights = user_id == self.bot_id();
        self.run(guild_id, touches_rights, |guild, users, effects| {
            let before = guild.voice_states.get(user_id).cloned();
            let flags_before = server_flags(guild, user_id);
            apply(guild, user_id, edit, session_id)?;
            let changes = changed(&flags_before, &server_flags(guild, user_id));
            let after = guild.voice_states.get(user_id);
            if before.as_ref() != after || !changes.is_empty() {
                effects
                    .events
                    .extend(voice_state_update(guild, users, user_id, before.as_ref()));
                match moderated {
                    Some(Action::MemberMove) => {
                        let to = after.map(|state| state.channel_id);
                        let options = json!({"channel_id": to, "count": "1"});
                        effects.record_with(Action::MemberMove, None, Some(options), Vec::new());
                    }
                    Some(action) => {
                        let options = json!({"count": "1"});
                        effects.record_with(action, None, Some(options), Vec::new());
                    }
                    None => {}
                }
                effects.record_changes(Action::MemberUpdate, user_id, changes);
            }
            let entered = guild.voice_states.get(user_id);
            let rooms = before.iter().chain(entered).map(|state| state.channel_id);
            effects.voice_channels.extend(rooms);
            Ok(())
        })
    }

    /// Renames the guild's load user to `stamp` and toggles their `self_mute`, in
    /// one VOICE_STATE_UPDATE and nothing else.
    pub(crate) fn stamp(&mut self, guild_id: Snowflake, stamp: &str) -> Changed<()> {
        let guild = self
            .guilds
            .get_mut(guild_id)
            .ok_or(Refusal::Unknown("guild"))?;
        let user_id = guild
            .load_user_id
            .ok_or(Refusal::Unknown("load user of this guild"))?;
        let Some(state) = guild.voice_states.get_mut(user_id) else {
            return Err(Refusal::invalid("the load user is in no voice channel"));
        };
        let user = self
            .users
            .get_mut(user_id)
            .ok_or(Refusal::Unknown("user"))?;
        state.self_mute = !state.self_mute;
        stamp.clone_into(&mut user.username);
        if !guild.available || !guild.members.contains(self.application.id) {
            return Ok(((), Vec::new()));
        }
        Ok((
            (),
            voice_state_update(guild, &self.users, user_id, None)
                .into_iter()
                .collect(),
        ))
    }
}

/// VOICE_STATE_UPDATE of the user's present state, or of having left `before`.
pub(super) fn voice_state_update(
    guild: &Guild,
    users: &Table<User>,
    user_id: Snowflake,
    before: Option<&VoiceState>,
) -> Option<Event> {
    let (member, user) = (guild.members.get(user_id)?, users.get(user_id)?);
    let object = match guild.voice_states.get(user_id) {
        Some(state) => VoiceStateObject::of_event(guild.id, state, member, user),
        None => VoiceStateObject::of_event(guild.id, before?, member, user).gone(),
    };
    Some(Event::new(
        "VOICE_STATE_UPDATE",
        Intents::GUILD_VOICE_STATES,
        guild.id,
        &object,
    ))
}

/// What the server itself did to a member.
fn server_flags(guild: &Guild, user_id: Snowflake) -> Value {
    guild.members.get(user_id).map_or(
        Value::Null,
        |member| json!({"mute": member.mute, "deaf": member.deaf}),
    )
}

/// Changes the guild.
fn apply(
    guild: &mut Guild,
    user_id: Snowflake,
    edit: VoiceEdit,
    session_id: String,
) -> Result<(), Refusal> {
    if !guild.members.contains(user_id) {
        return Err(Refusal::Unknown("member"));
    }
    let kind = match edit.channel_id {
        Edit::Set(channel_id) => {
            let channel = guild
                .channels
                .get(channel_id)
                .ok_or(Refusal::Unknown("channel"))?;
            if !channel.kind.is_voice() {
                return Err(Refusal::invalid(
                    "nobody can connect to a channel of this type",
                ));
            }
            Some((channel_id, channel.kind))
        }
        Edit::Clear => {
            guild.voice_states.remove(user_id);
            return Ok(());
        }
        Edit::Keep => None,
    };
    if let Some((channel_id, kind)) = kind {
        move_to(guild, user_id, channel_id, kind, session_id);
    }
    let Some(state) = guild.voice_states.get_mut(user_id) else {
        return Err(Refusal::invalid("the user is in no voice channel"));
    };
    let set = |flag: &mut bool, to: Option<bool>| *flag = to.unwrap_or(*flag);
    set(&mut state.self_mute, edit.self_mute);
    set(&mut state.self_deaf, edit.self_deaf);
    set(&mut state.self_stream, edit.self_stream);
    set(&mut state.self_video, edit.self_video);
    set(&mut state.suppress, edit.suppress);
    if let Some(member) = guild.members.get_mut(user_id) {
        set(&mut member.mute, edit.mute);
        set(&mut member.deaf, edit.deaf);
    }
    Ok(())
}

fn move_to(
    guild: &mut Guild,
    user_id: Snowflake,
    channel_id: Snowflake,
    kind: ChannelKind,
    session_id: String,
) {
    let audience = kind == ChannelKind::Stage;
    match guild.voice_states.get_mut(user_id) {
        Some(state) if state.channel_id == channel_id => {}
        Some(state) => {
            state.channel_id = channel_id;
            state.suppress = audience;
            state.self_stream = false;
            state.request_to_speak = None;
        }
        None => guild.voice_states.insert(
            user_id,
            VoiceState {
                user_id,
                channel_id,
                session_id,
                self_mute: false,
                self_deaf: false,
                self_stream: false,
                self_video: false,
                suppress: audience,
                request_to_speak: None,
            },
        ),
    }
}
