//! What differs between two clients that were told the same.

use std::{collections::BTreeSet, fmt, time::Duration};

use serde_json::Value;

use super::{
    script::{Part, Script},
    trace::{Ask, BeatFault, ConnectionTrace, Ender, Trace},
};

/// Two times nearer than this are the same.
const SAME: Duration = Duration::from_millis(20);

/// One difference.
pub(super) struct Difference<'a> {
    pub(super) script: &'a Script,
    /// The connection's number, from 0.
    pub(super) at: usize,
    pub(super) what: Aspect,
    pub(super) ours: &'a Trace,
    pub(super) theirs: &'a Trace,
}

/// What it is that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Aspect {
    /// How many connections there are, or what the client does after the last one.
    Fate,
    /// Path or query of the upgrade's request.
    Query,
    UserAgent,
    /// This field of IDENTIFY.
    IdentifyField(String),
    Address,
    /// How long nothing was dialled.
    Waited,
    /// What was asked of Discord, and how often.
    Asked,
    AskedLate,
    BeatTimes,
    BeatNumbers,
    /// What op 1 was answered with, or when.
    Answers,
    Requests,
    Others,
    /// Who ended the connection, or with which code.
    EndedBy,
    /// When the client ended it.
    EndedAfter,
}

impl<'a> Difference<'a> {
    /// What was said on this connection; `None`: the one that follows the script.
    pub(super) fn part(&self) -> Option<&'a Part> {
        self.script.connections.get(self.at)
    }

    /// What was said on the connection before it.
    pub(super) fn part_before(&self) -> Option<&'a Part> {
        self.script.connections.get(self.at.checked_sub(1)?)
    }

    /// What was said on all connections before it.
    pub(super) fn before(&self) -> impl Iterator<Item = &'a Part> {
        self.script.connections.iter().take(self.at)
    }

    pub(super) fn ours(&self) -> Option<&'a ConnectionTrace> {
        self.ours.connections.get(self.at)
    }

    pub(super) fn theirs(&self) -> Option<&'a ConnectionTrace> {
        self.theirs.connections.get(self.at)
    }
}

/// All of them.
pub(super) fn differences<'a>(
    script: &'a Script,
    ours: &'a Trace,
    theirs: &'a Trace,
) -> Vec<Difference<'a>> {
    let mut found = Vec::new();
    let mut add = |at, what| {
        found.push(Difference {
            script,
            at,
            what,
            ours,
            theirs,
        });
    };
    let both = ours.connections.len().min(theirs.connections.len());
    for at in 0..both {
        let (ours, theirs) = (&ours.connections[at], &theirs.connections[at]);
        let interval = script.connections.get(at).map(|part| part.interval);
        for what in aspects(ours, theirs, interval) {
            add(at, what);
        }
    }
    if (ours.fate, ours.connections.len()) != (theirs.fate, theirs.connections.len()) {
        add(both, Aspect::Fate);
    }
    found
}

fn aspects(
    ours: &ConnectionTrace,
    theirs: &ConnectionTrace,
    interval: Option<Duration>,
) -> Vec<Aspect> {
    let mut found = Vec::new();
    let mut compare = |what, is_same: bool| {
        if !is_same {
            found.push(what);
        }
    };
    let query = |of: &ConnectionTrace| {
        let (path, query) = of.path_and_query.split_once('?').unwrap_or_default();
        let path = path.to_owned();
        (
            path,
            query.split('&').map(str::to_owned).collect::<BTreeSet<_>>(),
        )
    };
    compare(Aspect::Query, query(ours) == query(theirs));
    compare(Aspect::UserAgent, ours.user_agent == theirs.user_agent);
    compare(Aspect::Address, ours.address == theirs.address);
    compare(Aspect::Waited, is_same(ours.waited, theirs.waited));
    compare(Aspect::Asked, kinds(ours) == kinds(theirs));
    let mut asked = ours.asked.iter().zip(&theirs.asked);
    let punctual = asked.all(|(ours, theirs)| is_same(ours.late, theirs.late));
    compare(Aspect::AskedLate, punctual);
    if let (Some(ours), Some(theirs)) = (identify(ours), identify(theirs)) {
        for field in fields(ours).union(&fields(theirs)) {
            let what = Aspect::IdentifyField((*field).clone());
            compare(what, ours.get(field) == theirs.get(field));
        }
    }
    let fault = |of: &ConnectionTrace| -> Option<BeatFault> { of.beat_fault(interval?) };
    compare(Aspect::BeatTimes, fault(ours) == fault(theirs));
    let newest = (ours.beats_are_newest(), theirs.beats_are_newest());
    compare(Aspect::BeatNumbers, newest.0 == newest.1);
    compare(Aspect::Answers, ours.answers == theirs.answers);
    let requests = [ours, theirs].map(ConnectionTrace::requests_since_answer);
    compare(Aspect::Requests, requests[0] == requests[1]);
    compare(Aspect::Others, ours.others == theirs.others);
    compare(Aspect::EndedBy, ours.ended.by == theirs.ended.by);
    let by_both = [ours, theirs].map(|of| matches!(of.ended.by, Ender::Client { .. }));
    // Whoever leaves because no heartbeat is answered does so an interval after its own, and chance
    // says when that was.
    let by_beat = match (ours.ended_after_beat(), theirs.ended_after_beat()) {
        (Some(ours), Some(theirs)) => is_same(ours, theirs),
        _ => false,
    };
    let ended = by_beat || is_same(ours.ended.after, theirs.ended.after);
    compare(Aspect::EndedAfter, by_both != [true, true] || ended);
    found
}

fn is_same(one: Duration, other: Duration) -> bool {
    one.abs_diff(other) <= SAME
}

/// What was asked, without the data of IDENTIFY.
fn kinds(of: &ConnectionTrace) -> Vec<Ask> {
    let kind = |what: &Ask| match what {
        Ask::Identify(_) => Ask::Identify(Value::Null),
        resume @ Ask::Resume { .. } => resume.clone(),
    };
    of.asked.iter().map(|asked| kind(&asked.what)).collect()
}

fn identify(of: &ConnectionTrace) -> Option<&Value> {
    of.asked.iter().find_map(|asked| match &asked.what {
        Ask::Identify(data) => Some(data),
        Ask::Resume { .. } => None,
    })
}

fn fields(data: &Value) -> BTreeSet<String> {
    let fields = data.as_object().expect("an object");
    fields.keys().cloned().collect()
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            script, at, what, ..
        } = self;
        writeln!(f, "{what:?} of connection {at} of {}", script.name)?;
        match self.part() {
            Some(part) => writeln!(f, "  said:   {part:?}")?,
            None => writeln!(f, "  said:   nothing but what Discord says at its best")?,
        }
        for (whose, trace, connection) in [
            ("ours:  ", self.ours, self.ours()),
            ("theirs:", self.theirs, self.theirs()),
        ] {
            match connection {
                Some(connection) => writeln!(f, "  {whose} {connection:?}")?,
                None => writeln!(f, "  {whose} {:?}", trace.fate)?,
            }
        }
        Ok(())
    }
}
