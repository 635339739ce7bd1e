//! A stream, over all its connections: each frame is a step of a walk through its guild's time.

use std::{collections::BTreeMap, fmt::Write as _, rc::Rc};

use guildhall_model::GuildId;
use serde_json::Value;
use tokio::time::Instant;

use super::{Judge, is_looked_up};
use crate::oracle::{
    observer::{Frame, Heard, Manner, Query},
    picture::{GuildPicture, difference},
    promise::SOON_ENOUGH,
    rig::Told,
    walk::{Seen, View, Walk},
};

/// What a browser has of one guild.
struct Shown<'a> {
    view: View<'a>,
    /// `None`: nothing was said of it yet.
    walk: Option<Walk>,
    picture: Option<GuildPicture>,
    /// `guild.unavailable` was the last word of that.
    is_unavailable: bool,
    /// A leak was found, and what comes after one says nothing.
    is_broken: bool,
}

/// How a picture of a guild follows the one before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follows {
    /// By one change.
    Next,
    /// By any number of changes.
    Later,
    /// The guild was out, or looked up anew.
    Return,
}

struct Browser<'j, 'a> {
    judge: &'j mut Judge<'a>,
    query: &'a Query,
    name: String,
    guilds: BTreeMap<GuildId, Shown<'a>>,
    /// What came of a group that is still open.
    group: Vec<Frame>,
    /// Nothing came on this connection yet, which began with a cursor or without.
    began: Option<bool>,
    /// When it began.
    opened: Option<Instant>,
    /// What came last, for whoever reads of a leak.
    last: Vec<String>,
}

pub(super) fn judge<'a>(judge: &mut Judge<'a>, manner: &'a Manner, heard: &[(Instant, Heard)]) {
    let guilds = judge.guilds(&manner.query).into_iter().map(|guild| {
        let shown = Shown {
            view: judge.view(guild, manner.viewer, &manner.query),
            walk: None,
            picture: None,
            is_unavailable: false,
            is_broken: false,
        };
        (guild, shown)
    });
    let guilds = guilds.collect();
    let viewer = judge.scene.viewers[manner.viewer];
    let mut browser = Browser {
        name: format!("{viewer}'s stream{}", manner.query.text()),
        judge,
        query: &manner.query,
        guilds,
        group: Vec::new(),
        began: None,
        opened: None,
        last: Vec::new(),
    };
    for (now, heard) in heard {
        browser.hear(*now, heard);
    }
    browser.end();
}

impl<'a> Browser<'_, 'a> {
    fn hear(&mut self, now: Instant, heard: &Heard) {
        match heard {
            Heard::Opened { resumes } => {
                self.group.clear();
                self.began = Some(*resumes);
                self.opened = Some(now);
                self.last.push(format!("-- opened, resumes: {resumes}"));
            }
            Heard::Ended => self.last.push("-- ended".to_owned()),
            Heard::Refused(404) => self.is_none_of_theirs(now),
            Heard::Refused(status) => {
                self.leak(None, &format!("no stream, but {status}"));
            }
            Heard::State { asked, state } => {
                self.judge.tally.states += 1;
                for shown in self.guilds.values_mut() {
                    shown.walk = None;
                }
                self.draw(*asked, now, &state["guilds"]);
            }
            Heard::Frame(frame) => self.frame(now, frame),
        }
    }

    /// Only who asks for guilds by id is refused, and only if one of them is not theirs. Whoever asks for
    /// one alone has nothing more of it, and begins anew when it is theirs again.
    fn is_none_of_theirs(&mut self, now: Instant) {
        let none = |shown: &Shown<'_>| {
            let known = shown.view.excuses.known_before(now, SOON_ENOUGH);
            let walk = Walk::from(&shown.view, shown.view.index_at(known), now);
            walk.places
                .iter()
                .any(|place| shown.view.due(*place).is_none())
        };
        if !self.guilds.values().any(none) {
            return self.leak(None, "404, and the guilds are theirs");
        }
        if let [shown] = &mut *self.guilds.values_mut().collect::<Vec<_>>() {
            (shown.walk, shown.picture) = (None, None);
        }
    }

    fn frame(&mut self, now: Instant, frame: &Frame) {
        let text: String = format!("{} {}", frame.name, frame.data)
            .chars()
            .take(400)
            .collect();
        self.last.push(text);
        let guild = frame.data["guildId"]
            .as_str()
            .and_then(|id| id.parse().ok());
        match (frame.name.as_str(), guild) {
            ("status" | "checkpoint" | "bye", _) => {}
            ("resumed", _) => {
                self.judge.tally.replays += 1;
                if self.began.take() != Some(true) {
                    self.leak(None, "resumed, and there was no cursor");
                }
            }
            ("snapshot", _) => self.snapshot(now, &frame.data),
            (name, Some(guild))
                if self.guilds.contains_key(&guild) && self.query.asks_for_event(name) =>
            {
                self.judge.tally.events += 1;
                if self.began.is_some() {
                    self.leak(None, "an event before `snapshot` or `resumed`");
                }
                match name {
                    "guild.available" | "guild.unavailable" | "guild.removed" => {
                        self.finish(now, false);
                        self.availability(now, guild, name, &frame.data);
                    }
                    _ => {
                        self.group.push(frame.clone());
                        if frame.has_id {
                            self.finish(now, true);
                        }
                    }
                }
            }
            _ => self.leak(None, "an event of nothing that was asked for"),
        }
    }

    fn snapshot(&mut self, now: Instant, data: &Value) {
        self.judge.tally.snapshots += 1;
        let began = self.began.take();
        let for_rights = data["reason"] == "authz_changed";
        match began {
            None => self.leak(None, "a snapshot on an open stream"),
            Some(true) if for_rights => self.is_needed(now),
            Some(_) => {}
        }
        self.finish(now, false);
        self.draw(now, now, &data["guilds"]);
    }

    /// Somebody who comes back is drawn a new picture only if what they may see did change.
    fn is_needed(&mut self, now: Instant) {
        if self.judge.told != Told::Members {
            return;
        }
        let changed = |shown: &Shown<'_>| {
            let Some(walk) = &shown.walk else {
                return true;
            };
            let (first, last) = (walk.first(), shown.view.index_at(now));
            let began = shown.view.moments[first].at;
            let rights = (first..last).any(|index| shown.view.rights_change(index));
            rights || shown.is_unavailable || is_looked_up(&shown.view, began, now)
        };
        if !self.guilds.values().any(changed) {
            self.leak(
                None,
                "a new picture for a change of rights, and there was none",
            );
        }
    }

    /// A whole picture, of all guilds.
    fn draw(&mut self, asked: Instant, now: Instant, entries: &Value) {
        let mut pictures = BTreeMap::new();
        for entry in entries.as_array().into_iter().flatten() {
            match GuildPicture::of_entry(entry) {
                Ok((id, picture)) if self.guilds.contains_key(&id) => {
                    let picture = picture.narrowed(self.query.events);
                    pictures.insert(id, (picture, entry["available"] == true));
                }
                Ok((id, _)) => self.leak(None, &format!("guild {id} was not asked for")),
                Err(wrong) => self.leak(None, &wrong),
            }
        }
        let ids: Vec<GuildId> = self.guilds.keys().copied().collect();
        for id in ids {
            let shown = self.guilds.get_mut(&id).expect("it is one of them");
            let new = pictures.remove(&id);
            // Nor is one of theirs that it does not have: it comes once that is known.
            shown.is_unavailable = new.as_ref().is_some_and(|(_, available)| !available);
            let new = new.map(|(picture, _)| picture);
            let view = &shown.view;
            let known = view.excuses.known_before(asked, SOON_ENOUGH);
            let walk = shown.walk.take();
            let mut walk = walk.unwrap_or_else(|| Walk::from(view, view.index_at(known), now));
            let seen: Seen = new.clone().map(Rc::new);
            let fits = walk.jump(view, &seen, now);
            shown.picture = new;
            shown.walk = Some(walk);
            if fits {
                continue;
            }
            let from = shown.view.moments[shown.walk.as_ref().map_or(0, Walk::first)].at;
            if seen.is_none() && is_looked_up(&shown.view, from.max(known), now) {
                // It comes when that is known.
                self.shown(id).walk = None;
                continue;
            }
            self.unfit(id, now, &seen, "a picture");
        }
    }

    /// The group is whole. `closed`: by an `id:`; else by what replaces the guild's picture, and it
    /// may be several.
    fn finish(&mut self, now: Instant, closed: bool) {
        let group = std::mem::take(&mut self.group);
        let mut by_guild: BTreeMap<GuildId, Vec<Frame>> = BTreeMap::new();
        for frame in group {
            let id = frame.data["guildId"]
                .as_str()
                .and_then(|id| id.parse().ok());
            by_guild
                .entry(id.expect("it has one"))
                .or_default()
                .push(frame);
        }
        for (id, frames) in by_guild {
            self.cause(now, id, &frames, closed);
        }
    }

    /// What one cause did to a guild.
    fn cause(&mut self, now: Instant, id: GuildId, frames: &[Frame], closed: bool) {
        let events = self.query.events;
        let shown = self.shown(id);
        if shown.is_broken {
            return;
        }
        let Some(mut picture) = shown.picture.clone() else {
            return self.leak(Some(id), "an event of a guild that is none of theirs");
        };
        let before = picture.clone();
        for frame in frames.iter().filter(|frame| frame.name != "gap") {
            if let Err(wrong) = picture.apply(&frame.name, &frame.data) {
                return self.leak(Some(id), &format!("{}: {wrong}", frame.name));
            }
            picture = picture.narrowed(events);
        }
        // What the house keeps of its own rooms, or found out late, changes nothing here.
        let own =
            |frame: &Frame| ["room.updated", "room.idle", "gap"].contains(&frame.name.as_str());
        if picture == before {
            if !frames.iter().all(own) {
                self.leak(Some(id), "it was so already");
            }
            return;
        }
        let found = frames.iter().any(|frame| frame.data["synthetic"] == true);
        let how = if found || !closed {
            Follows::Later
        } else {
            Follows::Next
        };
        self.moved(now, id, Some(picture), how);
    }

    fn availability(&mut self, now: Instant, id: GuildId, name: &str, data: &Value) {
        let (events, opened) = (self.query.events, self.opened.unwrap_or(now));
        let shown = self.shown(id);
        let was_out = shown.is_unavailable;
        let was_unavailable = was_out || shown.walk.is_none();
        shown.is_unavailable = name == "guild.unavailable";
        match (name, data.get("guild")) {
            ("guild.available", Some(entry)) => match GuildPicture::of_entry(entry) {
                Ok((_, picture)) => {
                    shown.is_unavailable = entry["available"] != true;
                    // It comes once it is known what the viewer is there, as it is by then.
                    let how = if was_out {
                        Follows::Return
                    } else if was_unavailable || shown.picture.is_none() {
                        Follows::Later
                    } else {
                        Follows::Next
                    };
                    let returned = shown.view.returned(opened, now).filter(|_| was_out);
                    if let Some(settled) = returned {
                        self.judge.settled(settled, &self.name);
                    }
                    self.moved(now, id, Some(picture.narrowed(events)), how);
                }
                Err(wrong) => self.leak(Some(id), &wrong),
            },
            ("guild.removed", _) if was_unavailable => self.moved(now, id, None, Follows::Later),
            ("guild.removed", _) => self.moved(now, id, None, Follows::Next),
            _ => {}
        }
    }

    /// The picture is another one.
    fn moved(&mut self, now: Instant, id: GuildId, picture: Option<GuildPicture>, how: Follows) {
        let shown = self.shown(id);
        let seen: Seen = picture.clone().map(Rc::new);
        let view = &shown.view;
        let mut walk = shown
            .walk
            .take()
            .unwrap_or_else(|| Walk::from(view, 0, now));
        // A guild that is sent again as it was is no change: of what came before nothing was late. What
        // became of one while nobody told of it is late by its return alone.
        let is_same = shown.picture == picture;
        let settled = if is_same || how == Follows::Return {
            None
        } else {
            walk.step(view, &seen, now)
        };
        let leaps = settled.is_none()
            && (is_same || how != Follows::Next || {
                let began = view.moments[walk.first()].at;
                view.excuses.trouble(began, now)
            });
        let fits = settled.is_some() || leaps && walk.jump(view, &seen, now);
        shown.picture = picture;
        shown.walk = Some(walk);
        self.judge.tally.jumps += usize::from(leaps);
        if let Some(settled) = settled {
            self.judge.settled(settled, &self.name);
        }
        if !fits {
            self.unfit(id, now, &seen, "a change");
        }
    }

    fn end(mut self) {
        let now = self.judge.end;
        let ids: Vec<GuildId> = self.guilds.keys().copied().collect();
        for id in ids {
            let shown = self.shown(id);
            let view = &shown.view;
            let Some(mut walk) = shown.walk.take().filter(|_| !shown.is_broken) else {
                continue;
            };
            walk.wait(view, now);
            let over = walk.is_over(view);
            let available = shown.picture.is_none()
                || shown.is_unavailable != view.moments.last().is_some_and(|last| last.available);
            shown.walk = Some(walk);
            if !over {
                let seen = shown.picture.clone().map(Rc::new);
                self.unfit(id, now, &seen, "the end");
            } else if !available {
                self.leak(Some(id), "it is available to one and not to the other");
            }
        }
    }

    fn shown(&mut self, id: GuildId) -> &mut Shown<'a> {
        self.guilds.get_mut(&id).expect("it is one of them")
    }

    fn unfit(&mut self, id: GuildId, now: Instant, seen: &Seen, what: &str) {
        let shown = self.shown(id);
        if shown.is_broken {
            return;
        }
        let mut text = format!("{what} that nothing explains");
        if let Some(walk) = &shown.walk {
            for (place, due) in walk.expected(&shown.view, now).into_iter().take(3) {
                let (seen, due) = (seen.as_deref(), due.as_deref());
                let moment = &shown.view.moments[place.0];
                let ago = now.saturating_duration_since(moment.at);
                let _infallible = write!(
                    text,
                    "\nafter {} {ago:?} ago, at {place:?} of {}:\n{}",
                    moment.name,
                    shown.view.moments.len(),
                    difference(seen, due)
                );
            }
        }
        self.leak(Some(id), &text);
    }

    fn leak(&mut self, guild: Option<GuildId>, what: &str) {
        let last: Vec<&str> = self
            .last
            .iter()
            .rev()
            .take(12)
            .rev()
            .map(String::as_str)
            .collect();
        let text = format!(
            "{}, guild {guild:?}: {what}\nlast heard:\n  {}",
            self.name,
            last.join("\n  ")
        );
        self.judge.tally.leaks.push(text);
        if let Some(id) = guild {
            self.shown(id).is_broken = true;
        }
    }
}
