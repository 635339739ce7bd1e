//! An answer: what it says must have been so at some moment that the house may have known last when
//! it was asked.

use guildhall_model::{ChannelId, GuildId};
use serde_json::Value;

use super::{Judge, is_looked_up};
use crate::oracle::{
    asker::{Asked, Question},
    observer::Query,
    picture::{GuildPicture, difference},
    promise::SOON_ENOUGH,
    rig::Told,
    walk::Seen,
};

/// What may be said of a guild.
struct MayBe {
    guild: GuildId,
    pictures: Vec<Seen>,
    /// That nothing is said of it, too: its people are being looked up.
    unknown: bool,
}

pub(super) fn judge(judge: &mut Judge<'_>, asked: &Asked) {
    let everything = Query::default();
    let query = match &asked.question {
        Question::State(query) => query,
        _ => &everything,
    };
    let guilds = judge.guilds(query);
    let all: Vec<MayBe> = guilds
        .into_iter()
        .map(|guild| may_be(judge, asked, guild, query))
        .collect();
    match &asked.question {
        Question::State(_) => judge.tally.states += 1,
        _ => judge.tally.answers += 1,
    }
    if let Err(wrong) = said(asked, &all) {
        let viewer = judge.scene.viewers[asked.viewer];
        let took = asked.answered - asked.sent;
        let (question, status, body) = (&asked.question, asked.status, &asked.body);
        let text =
            format!("{viewer} asks {question:?} and hears {status} {body} after {took:?}: {wrong}");
        judge.tally.leaks.push(text);
    }
}

fn may_be(judge: &Judge<'_>, asked: &Asked, guild: GuildId, query: &Query) -> MayBe {
    let view = judge.view(guild, asked.viewer, query);
    let known = view.excuses.known_before(asked.sent, SOON_ENOUGH);
    let (first, last) = (view.index_at(known), view.last_at(asked.answered));
    let mut pictures = Vec::new();
    for index in first..=last {
        let versions = match judge.told {
            Told::Members => view.version(index)..=view.version(index),
            Told::Moderation | Told::Nothing => 0..=view.version(last),
        };
        for version in versions.filter(|version| view.may_count(*version, asked.sent)) {
            let due = view.due((index, version));
            if !pictures.contains(&due) {
                pictures.push(due);
            }
        }
    }
    MayBe {
        guild,
        pictures,
        unknown: is_looked_up(&view, known, asked.answered),
    }
}

fn said(asked: &Asked, all: &[MayBe]) -> Result<(), String> {
    let body = &asked.body;
    let of = |guild: &GuildId| {
        all.iter()
            .find(|one| one.guild == *guild)
            .expect("a guild of the run")
    };
    // A room is in one guild at most: it is said of none if it may be in none of them.
    let unseen = |room: &ChannelId| {
        all.iter()
            .all(|one| one.any(|seen| seen.is_none_or(|guild| !guild.rooms.contains_key(room))))
    };
    let ok = match (&asked.question, asked.status) {
        (_, 503) => all.iter().any(|one| one.unknown),
        (Question::State(_), 200) => return states(body, all),
        (Question::State(query), 404) => query
            .guilds
            .iter()
            .any(|guild| of(guild).any(|seen| seen.is_none())),
        (Question::RoomExists(room), 200) if body["exists"] == true => {
            all.iter().any(|one| one.sees(*room))
        }
        (Question::RoomExists(room), 200) | (Question::RoomMembers(room), 404) => unseen(room),
        (Question::RoomMembers(room), 200) => {
            let people = GuildPicture::people(&body["members"])?;
            let fits = |seen: &GuildPicture| {
                seen.rooms
                    .get(room)
                    .is_some_and(|room| room.people == people)
            };
            all.iter().any(|one| one.any(|seen| seen.is_some_and(fits)))
        }
        (Question::RoomOf(guild, _), 404) => of(guild).any(|seen| seen.is_none()),
        (Question::RoomOf(guild, user), 200) => {
            let room = body["channelId"].as_str().and_then(|id| id.parse().ok());
            of(guild).any(|seen| seen.is_some_and(|seen| seen.room_of(*user) == room))
        }
        (Question::InGuild(guild), 200) => of(guild).any(|seen| body["member"] == seen.is_some()),
        _ => return Err("nobody knows this answer".to_owned()),
    };
    if ok {
        Ok(())
    } else {
        Err("it is not so".to_owned())
    }
}

fn states(body: &Value, all: &[MayBe]) -> Result<(), String> {
    let entries = body["guilds"].as_array().ok_or("no guilds")?;
    let mut shown = std::collections::BTreeMap::new();
    for entry in entries {
        let (id, picture) = GuildPicture::of_entry(entry)?;
        shown.insert(id, picture);
    }
    for one in all {
        let seen = shown.remove(&one.guild);
        let fits = one.any(|due| due == seen.as_ref()) || seen.is_none() && one.unknown;
        if !fits {
            let due = one.pictures.last().and_then(|due| due.as_deref());
            let one_of = one.pictures.len();
            return Err(format!(
                "guild {} is none of {one_of}, the last of which differs:\n{}",
                one.guild,
                difference(seen.as_ref(), due)
            ));
        }
    }
    match shown.keys().next() {
        Some(id) => Err(format!("guild {id} was not asked for")),
        None => Ok(()),
    }
}

impl MayBe {
    fn any(&self, fits: impl Fn(Option<&GuildPicture>) -> bool) -> bool {
        self.pictures.iter().any(|seen| fits(seen.as_deref()))
    }

    fn sees(&self, room: ChannelId) -> bool {
        self.any(|seen| seen.is_some_and(|guild| guild.rooms.contains_key(&room)))
    }
}
