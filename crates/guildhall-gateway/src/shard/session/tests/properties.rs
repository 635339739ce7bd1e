use guildhall_ports::journal::{ResumeState, Terms};
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    Limits,
    shard::reconnect_policy::{Close, Next, ReconnectPolicy},
};

/// One thing that happens to a connection.
#[derive(Clone, Debug)]
enum Act {
    Text(String),
    /// The answer to an ask, so many ms from now.
    Permit(u64),
    /// A presence of so many bytes.
    Request(usize),
    /// So many questions for a heartbeat, and as many requests.
    Flood(u8),
    Close(CloseReason),
    PeerClosed(Option<u16>),
    Failed,
    /// So many ms pass, and the driver is there at each deadline.
    Wait(u64),
    /// So many ms pass, and the driver is busy with something else.
    Stall(u64),
}

fn hello() -> impl Strategy<Value = String> {
    let interval = prop_oneof![
        1 => (100_u64..1_000).prop_map(|every| every.to_string()),
        12 => (1_000_u64..100_000).prop_map(|every| every.to_string()),
        1 => any::<u64>().prop_map(|every| every.to_string()),
        1 => any::<f64>().prop_map(|every| json!(every).to_string()),
        1 => Just("null".to_owned()),
        1 => Just("\"x\"".to_owned()),
    ];
    interval.prop_map(|every| format!(r#"{{"op":10,"d":{{"heartbeat_interval":{every}}}}}"#))
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => hello(),
        2 => Just(READY.to_owned()),
        2 => Just(RESUMED.to_owned()),
        4 => any::<u64>().prop_map(|number| format!(r#"{{"op":0,"t":"X","s":{number},"d":1}}"#)),
        2 => Just(r#"{"op":"0","t":"X","s":1,"d":1}"#.to_owned()),
        4 => Just(r#"{"op":1,"d":null}"#.to_owned()),
        6 => Just(ACK.to_owned()),
        1 => Just(r#"{"op":7}"#.to_owned()),
        1 => any::<bool>().prop_map(|resumable| format!(r#"{{"op":9,"d":{resumable}}}"#)),
        1 => "\\PC{0,40}",
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let reason = prop_oneof![
        Just(CloseReason::Stop),
        Just(CloseReason::InboxFull),
        Just(CloseReason::Renewal),
    ];
    prop_oneof![
        20 => text().prop_map(Act::Text),
        4 => (0_u64..10_000).prop_map(Act::Permit),
        8 => prop_oneof![0_usize..200, 3_900_usize..4_300].prop_map(Act::Request),
        3 => (0_u8..80).prop_map(Act::Flood),
        1 => reason.prop_map(Act::Close),
        1 => any::<Option<u16>>().prop_map(Act::PeerClosed),
        1 => Just(Act::Failed),
        12 => (0_u64..70_000).prop_map(Act::Wait),
        1 => (0_u64..200_000).prop_map(Act::Stall),
    ]
}

/// Most scripts come to a session that stands.
fn script() -> impl Strategy<Value = Vec<Act>> {
    let opening = vec![
        Act::Text(HELLO.to_owned()),
        Act::Permit(0),
        Act::Text(READY.to_owned()),
    ];
    let begun = prop_oneof![
        3 => hello().prop_map(move |hello| {
            let mut acts = opening.clone();
            acts[0] = Act::Text(hello);
            acts
        }),
        1 => Just(Vec::new()),
    ];
    (begun, vec(act(), 0..200)).prop_map(|(begun, acts)| [begun, acts].concat())
}

/// What one connection said so far, and whether it might.
struct Watch {
    session: DiscordSession,
    now: Instant,
    sent: Vec<Instant>,
    greeted: Option<Instant>,
    every: Duration,
    last_beat: Option<Instant>,
    /// No deadline was missed since the last heartbeat.
    punctual: bool,
    /// The session has asked whether it may identify: what was granted before that is nothing to it.
    has_asked: bool,
    permit: Option<Instant>,
    opened: usize,
    established: bool,
    end: End,
}

/// What was said of the end.
#[derive(Debug, PartialEq)]
enum End {
    Open,
    Closing,
    Ended,
}

impl Watch {
    fn new(resume: bool, jitter: f64) -> Self {
        let now = Instant::now();
        let resume = resume.then(|| ResumePoint {
            session_id: "a-session".to_owned(),
            sequence: 7,
        });
        Self {
            session: DiscordSession::new(config(resume), jitter, now),
            now,
            sent: Vec::new(),
            greeted: None,
            every: Duration::ZERO,
            last_beat: None,
            punctual: true,
            has_asked: false,
            permit: None,
            opened: 0,
            established: false,
            end: End::Open,
        }
    }

    fn act(&mut self, act: &Act) -> Result<(), TestCaseError> {
        let millis = Duration::from_millis;
        match act {
            Act::Text(text) => {
                let asked = text.contains("\"op\":1,");
                if let Message::Hello {
                    interval: Some(interval),
                } = Message::read(text, 1)
                    && self.greeted.is_none()
                {
                    self.every = interval;
                }
                self.handle(
                    Input::TextCame {
                        text,
                        received_at: 1,
                    },
                    asked,
                )
            }
            Act::Permit(later) => {
                let from = self.now + millis(*later);
                if self.has_asked {
                    self.permit.get_or_insert(from);
                }
                self.handle(Input::MayIdentify { from }, false)
            }
            Act::Request(length) => {
                let text = format!("\"{}\"", "x".repeat(*length));
                let presence = RawValue::from_string(text).expect("JSON");
                self.handle(
                    Input::RequestMade(SessionRequest::Presence(presence)),
                    false,
                )
            }
            Act::Flood(many) => (0..*many).try_for_each(|_| {
                self.act(&Act::Text(r#"{"op":1,"d":null}"#.to_owned()))?;
                self.act(&Act::Request(1))
            }),
            Act::Close(reason) => self.handle(Input::CloseAsked(*reason), false),
            Act::PeerClosed(code) => {
                let close = code.map(|code| Close {
                    code,
                    reason: String::new(),
                });
                self.handle(Input::PeerClosed(close), false)
            }
            Act::Failed => self.handle(Input::ConnectionFailed(String::new()), false),
            Act::Wait(time) => {
                let until = self.now + millis(*time);
                while let Some(deadline) = self.session.deadline().filter(|at| *at <= until) {
                    self.now = self.now.max(deadline);
                    self.handle(Input::TimePassed, false)?;
                    let next = self.session.deadline();
                    prop_assert!(next.is_none_or(|next| next > self.now), "stands still");
                }
                self.now = until;
                Ok(())
            }
            Act::Stall(time) => {
                self.now += millis(*time);
                self.punctual = false;
                Ok(())
            }
        }
    }

    /// `asked`: for a heartbeat.
    fn handle(&mut self, input: Input<'_>, asked: bool) -> Result<(), TestCaseError> {
        self.session.handle(input, self.now);
        let mut answered = !asked;
        while let Some(output) = self.session.poll_output() {
            let may = match self.end {
                End::Open => true,
                End::Closing => matches!(output, Output::Ended(_) | Output::Report(_)),
                End::Ended => false,
            };
            prop_assert!(may, "{output:?} while {:?}", self.end);
            match output {
                Output::Greeted => self.greeted = Some(self.now),
                Output::Established { .. } => self.established = true,
                Output::Close(_) => self.end = End::Closing,
                Output::Ended(_) => self.end = End::Ended,
                Output::Send(message) => self.sent(&message.into_text(), &mut answered)?,
                Output::AskToIdentify => self.has_asked = true,
                Output::Dispatch(_) | Output::Report(_) => {}
            }
        }
        Ok(())
    }

    fn sent(&mut self, text: &str, answered: &mut bool) -> Result<(), TestCaseError> {
        prop_assert!(text.len() <= 4_096);
        let message: Value = serde_json::from_str(text).expect("JSON");
        // Who wants more than a heartbeat in a second does not have Discord's bound.
        if message["op"] != 1 || self.every >= Duration::from_secs(1) {
            self.sent.push(self.now);
        }
        let minute = Duration::from_mins(1);
        let recent = self.sent.iter().filter(|at| self.now - **at < minute);
        prop_assert!(recent.count() <= 120, "more than Discord takes");
        let greeted = self.greeted.expect("nothing is said before HELLO");
        match message["op"].as_u64() {
            Some(1) if !std::mem::replace(answered, true) => {}
            Some(1) => {
                match self.last_beat {
                    None => prop_assert!(self.now - greeted <= self.every || !self.punctual),
                    Some(last) if self.punctual => prop_assert_eq!(self.now - last, self.every),
                    Some(last) => prop_assert!(self.now - last >= self.every, "early"),
                }
                self.last_beat = Some(self.now);
                self.punctual = true;
            }
            Some(2) => {
                prop_assert!(self.permit.is_some_and(|from| from <= self.now));
                self.opened += 1;
            }
            Some(6) => self.opened += 1,
            _ => prop_assert!(
                self.established,
                "asked before the session stands: {}",
                text
            ),
        }
        prop_assert!(self.opened <= 1, "identified or resumed twice");
        Ok(())
    }
}

proptest! {
    #[test]
    fn whatever_happens_it_says_what_it_may_when_it_may(
        acts in script(),
        resume in any::<bool>(),
        jitter in prop_oneof![0.0..1.0, any::<f64>()],
    ) {
        let mut watch = Watch::new(resume, jitter);
        for act in &acts {
            watch.act(act)?;
        }
    }
}

/// How a connection ends in the property below, and whether its session ends with it.
fn end() -> impl Strategy<Value = (Act, bool)> {
    let op_9 = |resumable: bool| Act::Text(format!(r#"{{"op":9,"d":{resumable}}}"#));
    prop_oneof![
        Just((Act::Text(r#"{"op":7}"#.to_owned()), false)),
        Just((op_9(true), false)),
        Just((op_9(false), true)),
        Just((Act::Close(CloseReason::Renewal), true)),
        Just((Act::Close(CloseReason::InboxFull), false)),
        Just((Act::Failed, false)),
        prop_oneof![
            Just(None),
            any::<u16>().prop_map(Some),
            (3_999_u16..4_020).prop_map(Some)
        ]
        .prop_map(|code| {
            let ends = matches!(code, Some(4003 | 4005 | 4007));
            (Act::PeerClosed(code), ends)
        }),
    ]
}

proptest! {
    #[test]
    fn a_session_that_has_ended_is_never_resumed(
        connections in vec((end(), any::<bool>(), 0.0..1.0), 1..12),
    ) {
        let mut policy = ReconnectPolicy::new(Limits::default(), None);
        let mut has_session = false;
        for (number, ((end, ends), stands, chance)) in connections.into_iter().enumerate() {
            let mut run = Run::new(None);
            let resume = policy.resume().map(|resume| ResumePoint {
                session_id: resume.session_id.clone(),
                sequence: resume.sequence,
            });
            prop_assert_eq!(resume.is_some(), has_session);
            run.session = DiscordSession::new(config(resume.clone()), chance, run.now);
            run.text(HELLO);
            let opened = run.handle(Input::MayIdentify { from: run.now });
            prop_assert_eq!(opened.len(), usize::from(!has_session), "IDENTIFY, or RESUME before");
            policy.heard();
            let mut session = resume.map(|resume| resume.session_id);
            if stands && !has_session {
                session = Some(number.to_string());
                run.text(&format!(r#"{{"op":0,"t":"READY","s":1,"d":{{"session_id":"{number}"}}}}"#));
                policy.ready(run.now);
            }
            let mut exit = match &end {
                Act::Text(text) => run.ended(Input::TextCame { text, received_at: 1 }),
                Act::Close(reason) => run.ended(Input::CloseAsked(*reason)),
                Act::PeerClosed(code) => run.ended(Input::PeerClosed(
                    code.map(|code| Close { code, reason: String::new() }),
                )),
                _ => run.ended(Input::ConnectionFailed(String::new())),
            };
            if exit.is_none() {
                exit = run.ended(Input::PeerClosed(None));
            }
            let Some(SessionExit::Disconnected(why)) = exit else {
                return Err(TestCaseError::fail("it ended"));
            };
            if let Next::Misconfigured(_) = policy.disconnected(&why, chance, run.now) {
                return Ok(());
            }
            let kept = session.filter(|_| policy.has_session());
            policy.committed(kept.map(|session_id| ResumeState {
                session_id,
                sequence: 1,
                url: None,
                terms: Terms { shard: [0, 1], intents: 129, guilds: None, world_format: 1 },
            }));
            has_session = (has_session || stands) && !ends;
        }
    }
}

impl Run {
    /// The exit, if that is one.
    fn ended(&mut self, input: Input<'_>) -> Option<SessionExit> {
        self.session.handle(input, self.now);
        let mut outputs = std::iter::from_fn(|| self.session.poll_output());
        outputs.find_map(|output| match output {
            Output::Ended(exit) => Some(exit),
            _ => None,
        })
    }
}
