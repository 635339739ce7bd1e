//! The trace of a run, and which public events must come of it: derived from the simulator's state
//! before and after each act, dispatch by dispatch, by nothing that the product has.

use std::collections::{BTreeMap, BTreeSet};

use guildhall_model::{
    Change, ChannelId, Event, GuildId, UserId,
    guild::{GuildInfo, Occupant, Room, RoomInfo, RoomRights},
};
use tokio::time::Instant;

use crate::simulator_state::{Channel, Guild, SimulatorState};

/// The name that a channel has to who may not view it.
const HIDDEN_NAME: &str = "___hidden___";

#[derive(Debug)]
pub(crate) struct Expectations {
    began: Instant,
    lines: Vec<String>,
    due: BTreeMap<GuildId, Vec<PublicEvent>>,
    known: BTreeMap<GuildId, Known>,
    /// Channels that were deleted: nothing else may end a room.
    pub(crate) deleted: BTreeSet<ChannelId>,
    /// Channels that the bot could not see at some time.
    pub(crate) hidden: BTreeSet<ChannelId>,
}

/// A public event that must come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicEvent {
    /// What it says, apart from times.
    pub(crate) text: String,
    /// The same without the name of a room's category, which may be an old one while it is hidden.
    pub(crate) loose: String,
    /// The room that it is about, apart from who is in it.
    pub(crate) room: Option<ChannelId>,
    /// A guild came whole, or went.
    pub(crate) whole_guild: bool,
    /// Whose voice state it is of.
    pub(crate) person: Option<UserId>,
    /// Told only to who has GUILD_MEMBERS.
    pub(crate) needs_members: bool,
}

/// What a bridge was told of a guild.
#[derive(Debug)]
struct Known {
    available: bool,
    rooms: BTreeMap<ChannelId, RoomInfo>,
    /// Those whose true name was told.
    categories: BTreeMap<ChannelId, String>,
}

impl Expectations {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            lines: Vec::new(),
            due: BTreeMap::new(),
            known: BTreeMap::new(),
            deleted: BTreeSet::new(),
            hidden: BTreeSet::new(),
        }
    }

    /// Writes a line for whoever has to find out what went wrong.
    pub(crate) fn note(&mut self, line: impl AsRef<str>) {
        let at = self.began.elapsed().as_secs_f64();
        self.lines.push(format!("{at:8.3}  {}", line.as_ref()));
    }

    pub(crate) fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// What must come of one guild.
    pub(crate) fn due(&self, guild_id: GuildId) -> &[PublicEvent] {
        self.due.get(&guild_id).map_or(&[], Vec::as_slice)
    }

    /// Guilds of which something is due.
    pub(crate) fn guilds(&self) -> impl Iterator<Item = GuildId> {
        self.due.keys().copied()
    }

    /// Everything is known as it is now, and nothing is due.
    pub(crate) fn open(&mut self, now: &SimulatorState) {
        self.due.clear();
        self.note_hidden(now);
        let guilds = now.bridged().filter(|guild| guild.available);
        self.known = guilds
            .map(|guild| (guild.id, Known::of(guild, None)))
            .collect();
    }

    /// One act turned `before` into `after`.
    pub(crate) fn follow(&mut self, before: &SimulatorState, after: &SimulatorState) {
        self.note_hidden(after);
        let ids: BTreeSet<GuildId> = [before, after]
            .into_iter()
            .flat_map(|state| state.bridged().map(|guild| guild.id))
            .collect();
        for guild_id in ids {
            let bot = after.application.id;
            let there = |state: &'_ SimulatorState| -> Option<Guild> {
                let guild = state.guild(guild_id).filter(|guild| guild.has(bot));
                guild.cloned()
            };
            let changes = self.changes(before, after, there(before), there(after));
            let due = self.due.entry(guild_id).or_default();
            for (change, needs_members) in changes {
                let mut event = public_event(guild_id, change).expect("public");
                event.needs_members = needs_members;
                due.push(event);
            }
        }
    }

    fn changes(
        &mut self,
        before: &SimulatorState,
        after: &SimulatorState,
        was: Option<Guild>,
        is: Option<Guild>,
    ) -> Vec<(Change, bool)> {
        let plain = |changes: Vec<Change>| changes.into_iter().map(|one| (one, false)).collect();
        let (was, is) = match (was, is) {
            (None, Some(is)) if is.available => {
                self.known.insert(is.id, Known::of(&is, None));
                return plain(vec![whole()]);
            }
            (Some(was), None) => {
                self.known.remove(&was.id);
                self.deleted.extend(was.channels.iter().map(|one| one.id));
                return plain(vec![Change::GuildRemoved]);
            }
            (Some(was), Some(is)) => (was, is),
            (None, _) => return Vec::new(),
        };
        self.note_deleted(&was, &is);
        match self.known.get_mut(&is.id) {
            None if is.available => {
                self.known.insert(is.id, Known::of(&is, None));
                plain(vec![whole()])
            }
            Some(known) if known.available && !is.available => {
                known.available = false;
                plain(vec![Change::GuildUnavailable])
            }
            Some(known) if !known.available && is.available => {
                *known = Known::of(&is, Some(known));
                plain(vec![Change::GuildAvailable(None)])
            }
            Some(known) if is.available => {
                let mut changes = voice(before, after, &was, &is);
                let rest = known.follow(&was, &is).into_iter();
                changes.extend(rest.map(|change| (change, false)));
                changes
            }
            None | Some(_) => Vec::new(),
        }
    }

    fn note_hidden(&mut self, now: &SimulatorState) {
        let channels = now.guilds.iter().flat_map(|guild| &guild.channels);
        let hidden = channels.filter(|channel| !channel.bot_sees);
        self.hidden.extend(hidden.map(|channel| channel.id));
    }

    fn note_deleted(&mut self, was: &Guild, is: &Guild) {
        let gone = was.channels.iter().map(|channel| channel.id);
        self.deleted
            .extend(gone.filter(|id| is.channel(*id).is_none()));
    }
}

/// VOICE_STATE_UPDATEs come first, in the order of the voice states; names alone are told by
/// GUILD_MEMBER_UPDATE.
fn voice(
    before: &SimulatorState,
    after: &SimulatorState,
    was: &Guild,
    is: &Guild,
) -> Vec<(Change, bool)> {
    let mut changes = Vec::new();
    let left = |there: &Occupant| Change::VoiceLeft {
        previous_channel_id: there.channel_id,
        user_id: there.user_id,
    };
    for voice_state in &was.voice_states {
        let there = before.occupant(was, voice_state);
        let Some(now_in) = is.voice_state(voice_state.user_id) else {
            changes.push((left(&there), false));
            continue;
        };
        let now = after.occupant(is, now_in);
        if there.channel_id != now.channel_id {
            changes.push((left(&there), false));
            changes.push((Change::VoiceJoined(now), false));
        } else if there != now {
            changes.push((Change::VoiceUpdated(now), there.flags == now_in.flags()));
        }
    }
    for voice_state in &is.voice_states {
        if was.voice_state(voice_state.user_id).is_none() {
            changes.push((Change::VoiceJoined(after.occupant(is, voice_state)), false));
        }
    }
    changes
}

impl Known {
    /// As GUILD_CREATE tells it. `before`: what was known, for what it hides.
    fn of(guild: &Guild, before: Option<&Self>) -> Self {
        let mut known = Self {
            available: true,
            rooms: BTreeMap::new(),
            categories: BTreeMap::new(),
        };
        for channel in guild.channels.iter().filter(|one| one.is_category()) {
            let told = channel.bot_sees.then_some(&channel.name);
            let told = told.or_else(|| before?.categories.get(&channel.id));
            if let Some(name) = told {
                known.categories.insert(channel.id, name.clone());
            }
        }
        for channel in &guild.channels {
            let last = before.and_then(|before| before.rooms.get(&channel.id));
            if let Some(info) = told(channel, last, &known.categories) {
                known.rooms.insert(channel.id, info);
            }
        }
        known
    }

    /// CHANNEL_DELETEs, CHANNEL_CREATEs, then CHANNEL_UPDATEs in the order of the channels, and
    /// GUILD_UPDATE. What did not change is told again here, which must come to nothing.
    fn follow(&mut self, was: &Guild, is: &Guild) -> Vec<Change> {
        let mut changes = Vec::new();
        for channel in &was.channels {
            if is.channel(channel.id).is_none() {
                self.deleted(channel, &mut changes);
            }
        }
        let (old, new): (Vec<_>, Vec<_>) = is
            .channels
            .iter()
            .partition(|channel| was.channel(channel.id).is_some());
        for channel in new.into_iter().chain(old) {
            self.seen(channel, &mut changes);
        }
        if was.name != is.name {
            changes.push(Change::GuildUpdated(GuildInfo {
                name: is.name.clone(),
                icon: is.icon.clone(),
            }));
        }
        changes
    }

    fn deleted(&mut self, channel: &Channel, changes: &mut Vec<Change>) {
        let channel_id = channel.id;
        if self.rooms.remove(&channel_id).is_some() {
            changes.push(Change::RoomDeleted { channel_id });
        }
        if self.categories.remove(&channel_id).is_some() {
            for room in self.rooms.values_mut() {
                if room.parent_id == Some(channel_id) {
                    room.parent_id = None;
                    room.parent_name = None;
                    changes.push(Change::RoomUpdated(room.clone()));
                }
            }
        }
    }

    fn seen(&mut self, channel: &Channel, changes: &mut Vec<Change>) {
        if channel.is_category() && channel.bot_sees {
            let last = self.categories.insert(channel.id, channel.name.clone());
            if last.as_ref() != Some(&channel.name) {
                for room in self.rooms.values_mut() {
                    if room.parent_id == Some(channel.id) {
                        room.parent_name = Some(channel.name.clone());
                        changes.push(Change::RoomUpdated(room.clone()));
                    }
                }
            }
        }
        let last = self.rooms.get(&channel.id);
        let Some(info) = told(channel, last, &self.categories) else {
            return;
        };
        match last {
            None => changes.push(Change::RoomCreated(Room {
                info: info.clone(),
                rights: RoomRights::default(),
            })),
            Some(last) if *last != info => changes.push(Change::RoomUpdated(info.clone())),
            Some(_) => {}
        }
        self.rooms.insert(channel.id, info);
    }
}

/// What is known of a room once its channel object came: nothing new while it is hidden.
fn told(
    channel: &Channel,
    last: Option<&RoomInfo>,
    categories: &BTreeMap<ChannelId, String>,
) -> Option<RoomInfo> {
    let kind = channel.room_kind()?;
    let mut info = channel.info(kind, categories);
    if !channel.bot_sees {
        HIDDEN_NAME.clone_into(&mut info.name);
        info.user_limit = 0;
        info = last.cloned().unwrap_or(info);
        info.parent_name = info.parent_id.and_then(|id| categories.get(&id).cloned());
    }
    Some(info)
}

fn whole() -> Change {
    Change::GuildAvailable(Some(Box::new(guildhall_model::Guild {
        info: GuildInfo {
            name: String::new(),
            icon: None,
        },
        available: true,
        owner_id: UserId(0),
        roles: BTreeMap::new(),
        categories: BTreeMap::new(),
        rooms: BTreeMap::new(),
        voice: BTreeMap::new(),
        pending_voice: BTreeMap::new(),
        memberships: BTreeMap::new(),
    })))
}

/// A public event without its times, and without what a whole guild holds; `None`: it is
/// internal, or a gap.
pub(crate) fn public_event(guild_id: GuildId, change: Change) -> Option<PublicEvent> {
    let (mut person, mut room, mut whole_guild) = (None, None, false);
    match &change {
        Change::VoiceJoined(there) | Change::VoiceUpdated(there) => person = Some(there.user_id),
        Change::VoiceLeft { user_id, .. } => person = Some(*user_id),
        Change::RoomCreated(Room { info, .. }) | Change::RoomUpdated(info) => {
            room = Some(info.channel_id);
        }
        Change::GuildAvailable(Some(_)) | Change::GuildRemoved => whole_guild = true,
        Change::Gap { .. } => return None,
        _ => {}
    }
    let mut public = PublicEvent {
        text: change.name().to_owned(),
        loose: change.name().to_owned(),
        person,
        room,
        whole_guild,
        needs_members: false,
    };
    if matches!(change, Change::GuildAvailable(Some(_))) {
        public.text.push_str(" whole");
        return Some(public);
    }
    let event = Event {
        guild_id,
        ts: 0,
        synthetic: false,
        change,
    };
    let payload = serde_json::to_value(event.public()?).expect("events serialise");
    for (field, value) in payload.as_object().expect("an object") {
        if ["since", "ts", "guildId", "synthetic"].contains(&field.as_str()) {
            continue;
        }
        let said = format!(" {field}={value}");
        public.text.push_str(&said);
        if field != "parentName" {
            public.loose.push_str(&said);
        }
    }
    Some(public)
}
