//! What somebody sees: the picture that a stream paints, frame by frame. Strict: a frame that does not
//! fit the picture is wrong, whatever comes of it.

use std::{collections::BTreeMap, fmt::Write as _, rc::Rc};

use guildhall_model::{ChannelId, GuildId, UserId};
use serde::Deserialize;
use serde_json::Value;

use crate::oracle::observer::Events;

/// A guild, as far as somebody sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GuildPicture {
    pub(crate) name: String,
    pub(crate) icon: Option<String>,
    pub(crate) rooms: BTreeMap<ChannelId, Rc<RoomPicture>>,
}

/// A room with its people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoomPicture {
    pub(crate) facts: RoomFacts,
    pub(crate) people: BTreeMap<UserId, Person>,
}

/// What Discord tells of a room. What the house adds of its own is nobody else's to judge.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoomFacts {
    channel_id: ChannelId,
    name: String,
    kind: String,
    #[serde(default)]
    parent_id: Option<ChannelId>,
    #[serde(default)]
    parent_name: Option<String>,
    position: i64,
    user_limit: u32,
}

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "Discord's own flags")]
pub(crate) struct Person {
    channel_id: ChannelId,
    pub(crate) user_id: UserId,
    username: String,
    display_name: String,
    bot: bool,
    mute: bool,
    deaf: bool,
    self_mute: bool,
    self_deaf: bool,
    streaming: bool,
    video: bool,
    suppressed: bool,
}

#[derive(Deserialize)]
struct RoomEntry {
    #[serde(flatten)]
    facts: RoomFacts,
    members: Vec<Person>,
}

#[derive(Deserialize)]
struct GuildEntry {
    id: GuildId,
    name: String,
    icon: Option<String>,
    rooms: Vec<RoomEntry>,
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, String> {
    T::deserialize(value).map_err(|error| format!("{error} in {value}"))
}

impl GuildPicture {
    /// An entry of a snapshot's `guilds`.
    pub(crate) fn of_entry(entry: &Value) -> Result<(GuildId, Self), String> {
        let entry: GuildEntry = read(entry)?;
        let mut rooms = BTreeMap::new();
        for room in entry.rooms {
            let room = RoomPicture::of(room)?;
            let id = room.facts.channel_id;
            if rooms.insert(id, Rc::new(room)).is_some() {
                return Err(format!("room {id} twice"));
            }
        }
        let picture = Self {
            name: entry.name,
            icon: entry.icon,
            rooms,
        };
        Ok((entry.id, picture))
    }

    /// As far as somebody hears what becomes of it who asks for these events alone.
    pub(crate) fn narrowed(mut self, events: Option<Events>) -> Self {
        let Some(events) = events else {
            return self;
        };
        for (id, room) in &mut self.rooms {
            let room = Rc::make_mut(room);
            match events {
                Events::Room => room.people.clear(),
                Events::Voice => {
                    room.facts = RoomFacts {
                        channel_id: *id,
                        name: String::new(),
                        kind: String::new(),
                        parent_id: None,
                        parent_name: None,
                        position: 0,
                        user_limit: 0,
                    };
                }
            }
        }
        self
    }

    /// A list of people, as `getVoiceChannelMembers` answers it.
    pub(crate) fn people(members: &Value) -> Result<BTreeMap<UserId, Person>, String> {
        people(read(members)?)
    }

    /// Takes an event of the guild's family of rooms and people.
    pub(crate) fn apply(&mut self, name: &str, data: &Value) -> Result<(), String> {
        match name {
            "voice.joined" => {
                let person: Person = read(data)?;
                let (room, user_id) = (person.channel_id, person.user_id);
                if let Some(elsewhere) = self.room_of(user_id) {
                    return Err(format!("{user_id} joins {room} and is in {elsewhere}"));
                }
                self.room(room)?.people.insert(user_id, person);
            }
            "voice.updated" => {
                let person: Person = read(data)?;
                let there = self
                    .room(person.channel_id)?
                    .people
                    .get_mut(&person.user_id);
                let there = there.ok_or_else(|| format!("{} is not there", person.user_id))?;
                *there = person;
            }
            "voice.left" => {
                let (room, user_id) = (id(data, "previousChannelId")?, id(data, "userId")?);
                let room = ChannelId(room);
                if self.room(room)?.people.remove(&UserId(user_id)).is_none() {
                    return Err(format!("{user_id} leaves {room} and was not there"));
                }
            }
            "room.created" => {
                let facts: RoomFacts = read(data)?;
                self.add(RoomPicture {
                    facts,
                    people: BTreeMap::new(),
                })?;
            }
            "room.shown" => self.add(RoomPicture::of(read(data)?)?)?,
            "room.updated" => {
                let facts: RoomFacts = read(data)?;
                let room = self.room(facts.channel_id)?;
                room.facts = facts;
            }
            "room.idle" => {
                self.room(ChannelId(id(data, "channelId")?))?;
            }
            "room.deleted" => {
                let gone = self.remove(data)?;
                if !gone.people.is_empty() {
                    return Err("a room is deleted with people in it".to_owned());
                }
            }
            "room.hidden" => {
                self.remove(data)?;
            }
            "guild.updated" => {
                self.name = read(&data["name"])?;
                self.icon = read(&data["icon"])?;
            }
            _ => return Err("nobody knows this event".to_owned()),
        }
        Ok(())
    }

    fn room(&mut self, id: ChannelId) -> Result<&mut RoomPicture, String> {
        let room = self.rooms.get_mut(&id);
        Ok(Rc::make_mut(
            room.ok_or_else(|| format!("room {id} is not seen"))?,
        ))
    }

    pub(crate) fn room_of(&self, user_id: UserId) -> Option<ChannelId> {
        let there = self
            .rooms
            .iter()
            .find(|(_, room)| room.people.contains_key(&user_id));
        there.map(|(id, _)| *id)
    }

    fn add(&mut self, room: RoomPicture) -> Result<(), String> {
        let id = room.facts.channel_id;
        match self.rooms.insert(id, Rc::new(room)) {
            Some(_) => Err(format!("room {id} is seen already")),
            None => Ok(()),
        }
    }

    fn remove(&mut self, data: &Value) -> Result<Rc<RoomPicture>, String> {
        let id = ChannelId(id(data, "channelId")?);
        self.rooms
            .remove(&id)
            .ok_or_else(|| format!("room {id} is not seen"))
    }
}

impl RoomPicture {
    fn of(room: RoomEntry) -> Result<Self, String> {
        let (facts, people) = (room.facts, people(room.members)?);
        match people
            .values()
            .find(|person| person.channel_id != facts.channel_id)
        {
            Some(person) => Err(format!("{person:?} in room {}", facts.channel_id)),
            None => Ok(Self { facts, people }),
        }
    }
}

fn people(members: Vec<Person>) -> Result<BTreeMap<UserId, Person>, String> {
    let count = members.len();
    let people: BTreeMap<_, _> = members
        .into_iter()
        .map(|person| (person.user_id, person))
        .collect();
    if people.len() < count {
        return Err("somebody is there twice".to_owned());
    }
    Ok(people)
}

fn id(data: &Value, name: &str) -> Result<u64, String> {
    let id = data[name].as_str().and_then(|id| id.parse().ok());
    id.ok_or_else(|| format!("no {name} in {data}"))
}

/// How two pictures differ, in words.
pub(crate) fn difference(seen: Option<&GuildPicture>, due: Option<&GuildPicture>) -> String {
    let (Some(seen), Some(due)) = (seen, due) else {
        let is = |picture: Option<_>| {
            if picture.is_some() {
                "there"
            } else {
                "not there"
            }
        };
        return format!("the guild is {}, and ought to be {}", is(seen), is(due));
    };
    let mut text = String::new();
    let mut differs = |what: String, seen: String, due: String| {
        if seen != due {
            writeln!(text, "  {what}: is {seen}, ought to be {due}").expect("a String takes all");
        }
    };
    differs("guild".to_owned(), seen.name.clone(), due.name.clone());
    for id in seen
        .rooms
        .keys()
        .chain(due.rooms.keys().filter(|id| !seen.rooms.contains_key(id)))
    {
        let (is, ought) = (seen.rooms.get(id), due.rooms.get(id));
        let facts = |room: Option<&Rc<RoomPicture>>| {
            room.map_or("unseen".to_owned(), |room| format!("{:?}", room.facts))
        };
        differs(format!("room {id}"), facts(is), facts(ought));
        let people = |room: Option<&Rc<RoomPicture>>| {
            format!(
                "{:?}",
                room.iter()
                    .flat_map(|room| room.people.values())
                    .collect::<Vec<_>>()
            )
        };
        differs(format!("people in {id}"), people(is), people(ought));
    }
    text
}
