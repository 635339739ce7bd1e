//! What a server of Discord's says, connection by connection: the same for both clients.

use std::time::Duration;

use serde_json::{Value, json};

/// What is said on a client's first connection, its second, and so on. One more follows the last of
/// them, on which Discord is at its best: it shows what the end before it led to.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) name: String,
    pub(super) connections: Vec<Part>,
}

/// What is said on one connection.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) greeting: Greeting,
    /// How often a client is to beat that obeys the greeting.
    pub(super) interval: Duration,
    pub(super) encoding: Encoding,
    /// Heartbeats are acknowledged.
    pub(super) acknowledges: bool,
    /// A close of the client's is answered, and the connection ended.
    pub(super) answers_close: bool,
    /// Where READY says that sessions are resumed.
    pub(super) resume_at: ResumeAt,
    pub(super) steps: Vec<Step>,
}

/// How a connection begins.
#[derive(Clone, Debug)]
pub(super) enum Greeting {
    /// HELLO, with this as its interval.
    Hello(Value),
    /// Nothing is said by itself.
    Silence,
    /// The WebSocket is refused with this status.
    Refusal(u16),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Text frames, though compression was asked for.
    Plain,
    /// Binary frames of one zstd stream; text frames where the client asks for none.
    Zstd,
}

/// What READY has for `resume_gateway_url`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ResumeAt {
    /// Another address than the first one, as with Discord.
    Another,
    /// One at which nobody answers.
    Dead,
    /// No such field.
    Missing,
    Null,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Wait(Duration),
    /// Until IDENTIFY or RESUME came, or half a minute has passed.
    AwaitAsk,
    /// The same, and IDENTIFY is answered by READY, RESUME by RESUMED.
    Answer,
    /// A dispatch with the next number.
    Dispatch(&'static str, Value),
    /// Op 1.
    AskForHeartbeat,
    /// Any text.
    Say(String),
    /// A binary frame, as it is.
    Binary(Vec<u8>),
    /// Bytes that are no frame that a server may send.
    Bytes(Vec<u8>),
    /// So many requests for members at once.
    RequestMembers(u64),
    End(End),
}

/// How a connection ends.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// By Discord, with this code; `None`: without one.
    Close(Option<u16>),
    /// Without a word.
    Drop,
    /// By the client, within this; else by [`End::Drop`].
    Clients(Duration),
}

impl Part {
    /// A Discord without faults, which says this after HELLO.
    pub(super) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let every = 41_250;
        Self {
            greeting: Greeting::Hello(every.into()),
            interval: Duration::from_millis(every),
            encoding: Encoding::Plain,
            acknowledges: true,
            answers_close: true,
            resume_at: ResumeAt::Another,
            steps: steps.into_iter().collect(),
        }
    }

    /// A session that stands, in which this happens.
    pub(super) fn live(steps: impl IntoIterator<Item = Step>) -> Self {
        let mut part = Self::new([Step::Answer, guild()]);
        part.steps.extend(steps);
        part
    }

    pub(super) fn every(self, interval: Duration) -> Self {
        let every = u64::try_from(interval.as_millis()).expect("a short time");
        Self {
            greeting: Greeting::Hello(every.into()),
            interval,
            ..self
        }
    }

    pub(super) fn greeting(self, greeting: Greeting) -> Self {
        Self { greeting, ..self }
    }

    pub(super) fn compressed(self) -> Self {
        Self {
            encoding: Encoding::Zstd,
            ..self
        }
    }

    pub(super) fn deaf(self) -> Self {
        Self {
            acknowledges: false,
            ..self
        }
    }

    pub(super) fn leaving_closes_open(self) -> Self {
        Self {
            answers_close: false,
            ..self
        }
    }

    pub(super) fn resumed_at(self, resume_at: ResumeAt) -> Self {
        Self { resume_at, ..self }
    }

    /// Whether Discord closes it with one of these codes, unless the client is faster.
    pub(super) fn closes_with(&self, codes: &[u16]) -> bool {
        self.steps.iter().any(|step| match step {
            Step::End(End::Close(Some(code))) => codes.contains(code),
            _ => false,
        })
    }

    /// Whether one of its steps is a text like this.
    pub(super) fn says(&self, is_said: impl Fn(&Value) -> bool) -> bool {
        self.steps.iter().any(|step| match step {
            Step::Say(text) => serde_json::from_str(text).is_ok_and(|text| is_said(&text)),
            _ => false,
        })
    }

    /// Whether one of its steps is a text with a number that is no JSON.
    pub(super) fn says_broken_json(&self) -> bool {
        self.steps.iter().any(|step| match step {
            Step::Say(text) => {
                text.contains("\"s\":") && serde_json::from_str::<Value>(text).is_err()
            }
            _ => false,
        })
    }

    /// Whether it has frames that can't be read.
    pub(super) fn has_broken_frames(&self) -> bool {
        let broken = |step: &Step| matches!(step, Step::Binary(_) | Step::Bytes(_));
        self.steps.iter().any(broken)
    }
}

/// `{"op": …, "d": …}`, as Discord sends what is no dispatch.
pub(super) fn op(op: u8, data: &Value) -> Step {
    Step::Say(json!({"t": null, "s": null, "op": op, "d": data}).to_string())
}

pub(super) fn seconds(seconds: u64) -> Step {
    Step::Wait(Duration::from_secs(seconds))
}

pub(super) fn close(code: u16) -> Step {
    Step::End(End::Close(Some(code)))
}

/// A GUILD_CREATE in the shape of Discord's documentation ("Gateway Events", Guild Create).
pub(super) fn guild() -> Step {
    let data = json!({
        "id": "1", "name": "Discord Testers", "icon": null, "owner_id": "7", "large": false,
        "joined_at": "2021-03-31T18:45:31.297561+00:00", "member_count": 2, "unavailable": false,
        "roles": [{"id": "1", "name": "@everyone", "permissions": "1049600", "position": 0}],
        "channels": [{"id": "401", "type": 2, "name": "The Moon", "permission_overwrites": []}],
        "members": [{"user": {"id": "5", "username": "bot"}, "roles": []}],
        "voice_states": [], "threads": [], "presences": [], "stage_instances": [],
    });
    Step::Dispatch("GUILD_CREATE", data)
}

/// A VOICE_STATE_UPDATE in the shape of Discord's documentation ("Voice", Voice State Object).
pub(super) fn voice_state() -> Step {
    let data = json!({
        "guild_id": "1", "channel_id": "401", "user_id": "80351110224678912",
        "member": {"user": {"id": "80351110224678912", "username": "Nelly"}, "roles": []},
        "session_id": "90326bd25d71d39b9ef95b299e3872ff", "deaf": false, "mute": false,
        "self_deaf": false, "self_mute": true, "self_video": false, "suppress": false,
        "request_to_speak_timestamp": null,
    });
    Step::Dispatch("VOICE_STATE_UPDATE", data)
}
