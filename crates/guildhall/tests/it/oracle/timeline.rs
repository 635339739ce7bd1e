//! What was so when: each guild after each dispatch about it, and what each viewer sees of it then by
//! discord.py's own `permissions_for`.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    rc::Rc,
    thread,
};

use guildhall_model::{ChannelId, GuildId, UserId};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::oracle::{picture::GuildPicture, recorder::Dispatch, scene::Scene};

/// A guild just after a dispatch about it.
#[derive(Debug)]
pub(crate) struct Moment {
    pub(crate) at: Instant,
    /// The dispatch.
    pub(crate) name: String,
    /// Whom its voice state or member is about.
    pub(crate) about: Option<UserId>,
    /// All of it; `None`: the bot is not in it.
    pub(crate) guild: Option<Rc<GuildPicture>>,
    /// Discord has no outage of it.
    pub(crate) available: bool,
    /// By viewer, then by what they were, one after the other, the present last: the rooms they see
    /// as that; `None`: no member.
    seen: Vec<Vec<Option<Rooms>>>,
}

pub(crate) type Rooms = Rc<BTreeSet<ChannelId>>;

/// Every guild's moments, in order.
pub(crate) type Timeline = BTreeMap<GuildId, Vec<Moment>>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    line: usize,
    guild_id: GuildId,
    guild: Option<Value>,
    viewers: BTreeMap<UserId, Vec<Option<BTreeSet<ChannelId>>>>,
}

impl Moment {
    /// What a viewer sees as what they were at first, then, …; `None`: the guild is none of theirs.
    pub(crate) fn rooms(&self, viewer: usize, version: usize) -> Option<&Rooms> {
        self.seen[viewer].get(version)?.as_ref()
    }

    /// What a viewer is now, counted from 0.
    pub(crate) fn version(&self, viewer: usize) -> usize {
        self.seen[viewer].len().saturating_sub(1)
    }
}

/// Asks discord.py. `heard`: READY first.
pub(crate) fn timeline(scene: &Scene, heard: &[Dispatch]) -> Timeline {
    let said = ask(scene, heard);
    let mut timeline = Timeline::new();
    for text in said.lines() {
        let line: Entry = serde_json::from_str(text).expect("a moment");
        let moments = timeline.entry(line.guild_id).or_default();
        let before = moments.last();
        let dispatch = &heard[line.line];
        let available = line
            .guild
            .as_ref()
            .is_some_and(|guild| guild["available"] == true);
        let guild = line.guild.as_ref().map(|guild| {
            let (_, guild) = GuildPicture::of_entry(guild).expect("a guild");
            Rc::new(shared(
                guild,
                before.and_then(|before| before.guild.as_deref()),
            ))
        });
        let mut seen = line.viewers;
        let mut of = |viewer| {
            let versions: Vec<_> = seen.remove(viewer).unwrap_or_default();
            versions
                .into_iter()
                .map(|rooms| rooms.map(Rc::new))
                .collect()
        };
        moments.push(Moment {
            at: dispatch.at,
            name: dispatch.name.clone(),
            about: about(dispatch),
            guild,
            available,
            seen: scene.viewers.iter().map(&mut of).collect(),
        });
    }
    timeline
}

/// From when to when Discord had outages of a guild. The last of them may not be over.
pub(crate) fn outages(moments: &[Moment]) -> Vec<(Instant, Instant)> {
    let mut outages: Vec<(Instant, Instant)> = Vec::new();
    let mut was_available = true;
    for moment in moments {
        if was_available && !moment.available {
            outages.push((moment.at, moment.at));
        }
        if let Some(last) = outages.last_mut().filter(|_| !was_available) {
            last.1 = moment.at;
        }
        was_available = moment.available;
    }
    outages
}

fn ask(scene: &Scene, heard: &[Dispatch]) -> String {
    let oracle = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/libraries/oracle/oracle.py"
    );
    let mut child = Command::new(python())
        .arg(oracle)
        .args(scene.viewers.iter().map(ToString::to_string))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the oracle starts");
    let mut input = child.stdin.take().expect("it is piped");
    thread::scope(|scope| {
        scope.spawn(move || {
            for dispatch in heard {
                let (name, data) = (&dispatch.name, dispatch.data.get());
                // It tells by its end what it did not like.
                let _gone = writeln!(input, r#"{{"t": "{name}", "d": {data}}}"#);
            }
        });
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "the oracle failed");
        String::from_utf8(output.stdout).expect("JSON")
    })
}

/// The interpreter that has the Python libraries: beneath `target`, wherever in there this test is.
fn python() -> PathBuf {
    let this = std::env::current_exe().expect("this test's own path");
    let mut folders = this.ancestors().skip(1);
    folders
        .find_map(|folder| {
            let python = folder.join("python/bin/python");
            python.is_file().then_some(python)
        })
        .expect("no Python libraries: `python3 tests/libraries/install.py` installs them")
}

/// Rooms that are as they were are the same, which makes comparing cheap.
fn shared(mut guild: GuildPicture, before: Option<&GuildPicture>) -> GuildPicture {
    let Some(before) = before else {
        return guild;
    };
    for (id, room) in &mut guild.rooms {
        if let Some(same) = before.rooms.get(id).filter(|before| *before == room) {
            *room = Rc::clone(same);
        }
    }
    guild
}

fn about(dispatch: &Dispatch) -> Option<UserId> {
    #[derive(Deserialize)]
    struct User {
        id: UserId,
    }
    #[derive(Deserialize)]
    struct About {
        user_id: Option<UserId>,
        user: Option<User>,
        target_id: Option<UserId>,
    }
    let about: About = serde_json::from_str(dispatch.data.get()).ok()?;
    about
        .user_id
        .filter(|_| dispatch.name == "VOICE_STATE_UPDATE")
        .or(about.target_id)
        .or(about.user.map(|user| user.id))
}
