//! Where we differ from twilight-gateway 0.18, and why ours is right. A difference that no row
//! covers fails the test, and so does a row that covers none.
//!
//! Pages named are those of Discord's documentation.

use std::{fmt, time::Duration};

use serde_json::Value;

use super::{
    compare::{
        Aspect::{
            Address, Answers, Asked, AskedLate, BeatNumbers, BeatTimes, EndedAfter, EndedBy,
            IdentifyField, Query, Requests, UserAgent, Waited,
        },
        Difference,
    },
    script::{Greeting, Part, ResumeAt, Step},
    trace::{self, Ask, Ender},
};

/// One row.
pub(super) struct Listed {
    pub(super) ours: &'static str,
    pub(super) why: &'static str,
    pub(super) covers: fn(&Difference) -> bool,
}

impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.ours, self.why)
    }
}

pub(super) const LISTED: &[Listed] = &[
    Listed {
        ours: "names itself in the upgrade's request",
        why: "Reference, User Agent: a client without a valid one may be blocked. twilight has none",
        covers: |it| {
            let name = |of: Option<&trace::ConnectionTrace>| of?.user_agent.clone();
            let named = name(it.ours()).is_some_and(|name| name.starts_with("DiscordBot ("));
            it.what == UserAgent && named && name(it.theirs()).is_none()
        },
    },
    Listed {
        ours: "identifies with the token alone",
        why: "Gateway Events, Identify: `token` is the authentication token; the scheme before it is \
              a header's",
        covers: |it| is_field(it, &["token"]),
    },
    Listed {
        ours: "says in `properties` who it is",
        why: "Gateway Events, Identify Connection Properties: the library's name",
        covers: |it| is_field(it, &["properties"]),
    },
    Listed {
        ours: "leaves fields of IDENTIFY away that say what is so without them",
        why: "Gateway Events, Identify Structure: they are optional, with these as their defaults",
        covers: |it| {
            is_field(
                it,
                &["capabilities", "compress", "large_threshold", "presence"],
            )
        },
    },
    Listed {
        ours: "waits by chance before it connects again",
        why: "Gateway, Identifying: a bot has 1,000 IDENTIFYs a day, and loses its token with the \
              last. twilight connects within a millisecond, as often as it is cut; older pages ask \
              for one to five seconds after op 9",
        covers: |it| waited(it, |theirs| theirs == Duration::ZERO),
    },
    Listed {
        ours: "waits by chance after an address that was not reached, too",
        why: "bots that were cut by one fault do not come back as one. twilight's waits are powers of \
              two exactly, up to four minutes",
        covers: |it| waited(it, |theirs| theirs >= Duration::from_secs(1)),
    },
    Listed {
        ours: "asks for zlib after a first message that is no zstd",
        why: "Gateway, Transport Compression: there are two. Whoever sends the other one whatever is \
              asked for is dialled by twilight for ever",
        covers: |it| it.what == Query && it.before().any(begins_with_garbage),
    },
    Listed {
        ours: "identifies up to 250 ms later than five seconds after the IDENTIFY before",
        why: "Gateway, Rate Limiting: five seconds are counted at Discord, and the network may bring \
              two nearer together. twilight leaves nothing for that",
        covers: |it| it.what == AskedLate && identifies_with_margin(it),
    },
    Listed {
        ours: "begins a new session after 4003, 4005 and 4007",
        why: "Opcodes and Status Codes, Gateway Close Event Codes: the session is no more, or its \
              number is wrong. twilight resumes it with the same number, for ever",
        covers: |it| {
            let closed = |part: &Part| part.closes_with(&[4003, 4005, 4007]);
            let ours_is_fresh = asks(it) == [Some(false), Some(true)] || it.what == Address;
            matches!(it.what, Asked | Address) && it.before().any(closed) && ours_is_fresh
        },
    },
    Listed {
        ours: "takes an op 9 without a boolean for one that ends the session",
        why: "Gateway Events, Invalid Session: what does not say that it may be resumed does not. \
              twilight passes over the message and goes on with a session that is no more",
        covers: |it| {
            let odd = |part: &Part| part.says(|text| text["op"] == 9 && !text["d"].is_boolean());
            let ended = matches!(it.what, EndedBy | EndedAfter) && it.part().is_some_and(odd);
            ended || matches!(it.what, Asked | Address) && it.part_before().is_some_and(odd)
        },
    },
    Listed {
        ours: "waits a second for the answer to a close of its own",
        why: "a peer that is gone answers nothing. twilight waits for the end of the TCP connection",
        covers: |it| match (it.what.clone(), enders(it)) {
            (
                EndedBy,
                Some(
                    [
                        Ender::Client {
                            code: ours,
                            held: Some(held),
                        },
                        Ender::Client {
                            code: theirs,
                            held: Some(their_held),
                        },
                    ],
                ),
            ) => ours == theirs && held <= Duration::from_secs(1) && their_held > held,
            _ => false,
        },
    },
    Listed {
        ours: "closes a connection without acknowledgements with 4000",
        why: "Gateway, Sending Heartbeats: to be closed with any code but 1000 and 1001. twilight \
              drops it, and Discord waits for a client that is gone",
        covers: |it| {
            let closed = matches!(
                enders(it),
                Some([
                    Ender::Client {
                        code: Some(4000),
                        ..
                    },
                    Ender::Client { code: None, .. },
                ])
            );
            it.what == EndedBy && it.part().is_some_and(|part| !part.acknowledges) && closed
        },
    },
    Listed {
        ours: "leaves a connection that talks and does not acknowledge",
        why: "Gateway, Sending Heartbeats: it is the acknowledgement that shows that the connection \
              is alive. twilight takes any message for one",
        covers: |it| {
            let is_deaf = it.part().is_some_and(|part| !part.acknowledges);
            let left = matches!(
                enders(it),
                Some([
                    Ender::Client {
                        code: Some(4000),
                        ..
                    },
                    Ender::Server { .. }
                ])
            );
            is_deaf && (it.what == EndedBy && left || it.what == EndedAfter)
        },
    },
    Listed {
        ours: "answers ten op 1 in a minute and no more",
        why: "Gateway, Rate Limiting: heartbeats are among the 120 messages of a minute, and more \
              end the connection with 4008. twilight answers each",
        covers: |it| {
            let asked = |step: &&Step| matches!(step, Step::AskForHeartbeat);
            let many = |part: &Part| part.steps.iter().filter(asked).count() > 10;
            it.what == Answers && it.part().is_some_and(many)
        },
    },
    Listed {
        ours: "says nothing before HELLO",
        why: "Gateway, Connection Lifecycle: heartbeats begin with it",
        covers: |it| it.what == Answers && it.part().is_some_and(is_silent_at_first),
    },
    Listed {
        ours: "leaves an address that says no HELLO within ten seconds",
        why: "Gateway, Hello Event: it comes when the connection is made. twilight waits for ever",
        covers: |it| {
            let left = matches!(
                enders(it),
                Some([Ender::Client { code: None, .. }, Ender::Server { .. }])
            );
            it.what == EndedBy && it.part().is_some_and(is_silent_at_first) && left
        },
    },
    Listed {
        ours: "closes with 4000 after a HELLO with an interval of 0, and connects again",
        why: "the one behind it may be better. twilight panics",
        covers: |it| {
            let is_zero = |part: &Part| has_interval(part, |every| *every == 0);
            it.theirs.fate == trace::Fate::Panicked && near(it, is_zero)
        },
    },
    Listed {
        ours: "closes with 4000 after a HELLO with an interval that can't be kept",
        why: "Gateway, Rate Limiting: heartbeats are among the 120 messages of a minute, and without \
              any a connection that is dead is not known. twilight beats each millisecond if HELLO \
              says so, and never if it says 9e18",
        covers: |it| {
            let kept = 100..=300_000;
            let odd = |part: &Part| {
                has_interval(part, |every| {
                    every.as_u64().is_some_and(|it| !kept.contains(&it))
                })
            };
            is_about_hello(it, odd)
        },
    },
    Listed {
        ours: "closes with 4000 after a HELLO without a number, and reads one with a fraction",
        why: "a client that says nothing is cut. twilight does not identify and does not beat, and is \
              connected until somebody looks",
        covers: |it| {
            let odd = |part: &Part| has_interval(part, |every| !every.is_u64());
            is_about_hello(it, odd)
        },
    },
    Listed {
        ours: "passes over a second HELLO",
        why: "Opcodes and Status Codes: a second IDENTIFY ends the connection with 4005. twilight \
              identifies, or resumes, again",
        covers: |it| {
            let twice = |part: &Part| part.says(|text| text["op"] == 10);
            let what = matches!(it.what, Asked | AskedLate | BeatTimes);
            what && it.part().is_some_and(twice)
        },
    },
    Listed {
        ours: "reads a message whatever the order of its fields",
        why: "an object of JSON has no order. twilight takes the first `op` in the text for the \
              message's own",
        covers: |it| {
            let behind = |part: &Part| part.says(|text| text["d"]["op"] == 9);
            matches!(it.what, Asked | BeatNumbers) && near(it, behind)
        },
    },
    Listed {
        ours: "takes no number of a message that is no JSON",
        why: "Gateway, Resuming: what was not read is replayed behind the last number that was. \
              twilight looks for `s` in the text, and never sees the message again",
        covers: |it| {
            // A number is one of the session, through all of its connections.
            let ever = near(it, Part::says_broken_json) || it.before().any(Part::says_broken_json);
            matches!(it.what, Asked | BeatNumbers) && ever
        },
    },
    Listed {
        ours: "takes a number of 0 for none",
        why: "Gateway Events, Payload Structure: numbers are counted, and READY is the first. \
              twilight resumes after 0, which has every dispatch of the session come again",
        covers: |it| {
            let zero = |part: &Part| part.says(|text| text["op"] == 0 && text["s"] == 0);
            matches!(it.what, Asked | BeatNumbers) && near(it, zero)
        },
    },
    Listed {
        ours: "beats with the number of a dispatch before READY",
        why: "Gateway Events, Heartbeat: the last number received. twilight keeps none without a \
              session",
        covers: |it| {
            let said = |step: &Step| matches!(step, Step::Say(text) if text.contains("\"s\":"));
            let unanswered = |step: &&Step| !matches!(step, Step::Answer);
            let early = |part: &Part| part.steps.iter().take_while(unanswered).any(said);
            it.what == BeatNumbers && it.part().is_some_and(early)
        },
    },
    Listed {
        ours: "says why nothing can be read any more, and waits for no answer",
        why: "RFC 6455, 7.4.1: the codes for it; with any but 1000 and 1001 Discord keeps the session. \
              twilight says 4000 for what it can't decompress, and waits for a peer that no longer \
              makes sense",
        covers: |it| {
            let told = matches!(
                enders(it),
                Some([
                    Ender::Client {
                        code: Some(1002 | 1007 | 1009),
                        ..
                    },
                    _
                ])
            );
            let broken = |part: &Part| part.has_broken_frames();
            let what = matches!(it.what, EndedBy | EndedAfter);
            what && it.part().is_some_and(broken) && told
        },
    },
    Listed {
        ours: "resumes a session at the base address if READY named no other",
        why: "Gateway, Resuming: the session is what is resumed. twilight forgets a session whose READY \
              has no address, and each cut costs an IDENTIFY and all that happened meanwhile",
        covers: |it| {
            let unnamed =
                |part: &Part| matches!(part.resume_at, ResumeAt::Missing | ResumeAt::Null);
            let next = it.what == Asked && asks(it) == [Some(true), Some(false)];
            // Without a session it has no number, and keeps requests for a later one.
            let here = matches!(it.what, BeatNumbers | Requests) && it.part().is_some_and(unnamed);
            let later = next || it.what == Requests;
            here || later && it.before().any(unnamed)
        },
    },
    Listed {
        ours: "leaves the resume address after three failures, whatever they are",
        why: "Gateway, Resuming: sessions are best resumed there, so that one failure is too few. \
              twilight leaves it at the first one that is of the network or HTTP, and never for a \
              Gateway that answers and fails",
        covers: |it| it.what == Address && it.at > 1,
    },
    Listed {
        ours: "sends fewer requests in a minute",
        why: "Gateway, Rate Limiting: 120 messages, with room for heartbeats that Discord asks for",
        covers: |it| {
            let most = |of: Option<&trace::ConnectionTrace>| {
                of.map(trace::ConnectionTrace::most_in_a_minute)
            };
            it.what == Requests
                && most(it.ours()) <= Some(120)
                && most(it.ours()) < most(it.theirs())
        },
    },
];

fn is_field(it: &Difference, fields: &[&str]) -> bool {
    matches!(&it.what, IdentifyField(field) if fields.contains(&field.as_str()))
}

fn waited(it: &Difference, theirs: impl Fn(Duration) -> bool) -> bool {
    let longest = Duration::from_secs(61);
    let ours = it.ours().is_some_and(|ours| ours.waited < longest);
    it.what == Waited && ours && it.theirs().is_some_and(|them| theirs(them.waited))
}

/// Whether each resumes with what it asks for first: ours, theirs.
fn asks(it: &Difference) -> [Option<bool>; 2] {
    [it.ours(), it.theirs()].map(|of| {
        let first = of?.asked.first()?;
        Some(matches!(first.what, Ask::Resume { .. }))
    })
}

fn enders(it: &Difference) -> Option<[Ender; 2]> {
    Some([it.ours()?.ended.by, it.theirs()?.ended.by])
}

/// Whether it is so on this connection or the one before it.
fn near(it: &Difference, is_so: impl Fn(&Part) -> bool) -> bool {
    it.part().is_some_and(&is_so) || it.part_before().is_some_and(&is_so)
}

fn is_silent_at_first(part: &Part) -> bool {
    matches!(part.greeting, Greeting::Silence)
}

fn identifies_with_margin(it: &Difference) -> bool {
    let (Some(ours), Some(theirs)) = (it.ours(), it.theirs()) else {
        return false;
    };
    let most = Duration::from_millis(250);
    let mut pairs = ours.asked.iter().zip(&theirs.asked);
    pairs.all(|(ours, theirs)| {
        let identifies = matches!(ours.what, Ask::Identify(_));
        identifies && ours.late <= most && theirs.late <= ours.late
    })
}

fn begins_with_garbage(part: &Part) -> bool {
    is_silent_at_first(part) && matches!(part.steps.first(), Some(Step::Binary(_)))
}

fn has_interval(part: &Part, is_so: impl Fn(&Value) -> bool) -> bool {
    matches!(&part.greeting, Greeting::Hello(every) if is_so(every))
}

/// A client that does not take this HELLO does nothing of what the other does, and has no session
/// on the next connection.
fn is_about_hello(it: &Difference, is_odd: impl Fn(&Part) -> bool) -> bool {
    let here = matches!(it.what, EndedBy | Asked | BeatTimes);
    let next = matches!(it.what, Asked | Address);
    here && it.part().is_some_and(&is_odd) || next && it.part_before().is_some_and(&is_odd)
}
