//! The faults that we know of, each in a script of its own.

use std::time::Duration;

use serde_json::{Value, json};

use super::script::{
    End, Greeting, Part, ResumeAt, Script, Step, close, guild, op, seconds, voice_state,
};

/// For a connection that a test of heartbeats does not take long over.
const SHORT: Duration = Duration::from_secs(5);

pub(super) fn scripts() -> Vec<Script> {
    let groups = [
        at_their_best(),
        close_codes(),
        asked_to_leave(),
        sessions(),
        heartbeats(),
        odd_greetings(),
        odd_messages(),
        odd_frames(),
        addresses(),
    ];
    groups.into_iter().flatten().collect()
}

fn script(name: &str, connections: impl IntoIterator<Item = Part>) -> Script {
    Script {
        name: format!("`{name}`"),
        connections: connections.into_iter().collect(),
    }
}

fn one(name: &str, part: Part) -> Script {
    script(name, [part])
}

fn at_their_best() -> Vec<Script> {
    let minutes =
        |count| (0..count).flat_map(|_| [seconds(13), voice_state(), seconds(47), voice_state()]);
    vec![
        one("some minutes", Part::live(minutes(4))),
        one(
            "some minutes, compressed",
            Part::live(minutes(4)).compressed(),
        ),
        one(
            "130 requests at once",
            Part::live([Step::RequestMembers(130), seconds(150)]),
        ),
    ]
}

fn close_codes() -> Vec<Script> {
    let discords = (4000..=4014).filter(|code| *code != 4006);
    let others = [1000, 1001, 1002, 1008, 1011, 1012, 3000, 4242, 4999];
    let live = |code| {
        one(
            &format!("closed with {code}"),
            Part::live([seconds(2), close(code)]),
        )
    };
    let early = |code| {
        let name = format!("closed with {code} for an IDENTIFY");
        one(&name, Part::new([seconds(1), close(code)]))
    };
    let mut all: Vec<Script> = discords.clone().chain(others).map(live).collect();
    all.extend(discords.map(early));
    let bare = Step::End(End::Close(None));
    all.push(one("closed without a code", Part::live([seconds(2), bare])));
    let dropped = Step::End(End::Drop);
    all.push(one("dropped", Part::live([seconds(2), dropped.clone()])));
    let part = Part::live([voice_state(), dropped.clone()]);
    all.push(script("dropped again and again", vec![part; 6]));
    all.push(one("dropped before HELLO", {
        Part::new([dropped.clone()]).greeting(Greeting::Silence)
    }));
    all.push(one(
        "dropped before IDENTIFY is answered",
        Part::new([seconds(1), dropped]),
    ));
    all
}

fn asked_to_leave() -> Vec<Script> {
    let leaves = || Step::End(End::Clients(Duration::from_secs(20)));
    let asked = |op_code, data: &Value| Part::live([seconds(3), op(op_code, data), leaves()]);
    let first = |op_code, data: &Value| {
        Part::new([op(op_code, data), leaves()]).greeting(Greeting::Silence)
    };
    let unestablished = |data: bool| Part::new([Step::AwaitAsk, op(9, &data.into()), leaves()]);
    vec![
        one("op 7", asked(7, &Value::Null)),
        one("op 7 instead of HELLO", first(7, &Value::Null)),
        one(
            "op 7, and the close is not answered",
            asked(7, &Value::Null).leaving_closes_open(),
        ),
        one("op 9 true", asked(9, &true.into())),
        one("op 9 false", asked(9, &false.into())),
        one("op 9 null", asked(9, &Value::Null)),
        one("op 9 text", asked(9, &"true".into())),
        one("op 9 instead of HELLO", first(9, &false.into())),
        one("op 9 false for an IDENTIFY", unestablished(false)),
        one("op 9 true for an IDENTIFY", unestablished(true)),
        script(
            "op 9 false for every IDENTIFY",
            vec![unestablished(false); 4],
        ),
    ]
}

fn sessions() -> Vec<Script> {
    let dropped = || Part::live([voice_state(), seconds(2), Step::End(End::Drop)]);
    let leaves = || Step::End(End::Clients(Duration::from_secs(20)));
    let refused = |resumable: bool| Part::new([seconds(1), op(9, &resumable.into()), leaves()]);
    vec![
        script("a RESUME is refused", [dropped(), refused(false)]),
        script("a RESUME is put off", [dropped(), refused(true)]),
        script(
            "a RESUME is not answered",
            [dropped(), Part::new([seconds(30), close(4000)])],
        ),
        script(
            "a RESUME is closed with 4009",
            [dropped(), Part::new([seconds(1), close(4009)])],
        ),
        script(
            "a RESUME is closed with 4007",
            [dropped(), Part::new([seconds(1), close(4007)])],
        ),
        script(
            "cut in a replay",
            [
                dropped(),
                Part::new([
                    seconds(1),
                    voice_state(),
                    voice_state(),
                    Step::End(End::Drop),
                ]),
                dropped(),
            ],
        ),
        script(
            "RESUMED without a number",
            [dropped(), {
                let resumed = json!({"t": "RESUMED", "s": null, "op": 0, "d": null});
                Part::new([
                    seconds(1),
                    Step::Say(resumed.to_string()),
                    guild(),
                    seconds(2),
                    close(4000),
                ])
            }],
        ),
        script(
            "READY for a RESUME",
            [dropped(), {
                let ready = json!({
                    "t": "READY", "s": 1, "op": 0,
                    "d": {"session_id": "another", "resume_gateway_url": "ws://127.0.0.1:1"},
                });
                Part::new([
                    seconds(1),
                    Step::Say(ready.to_string()),
                    seconds(2),
                    close(4000),
                ])
            }],
        ),
    ]
}

fn heartbeats() -> Vec<Script> {
    let leaves = |seconds| Step::End(End::Clients(Duration::from_secs(seconds)));
    let talk = (0..20).flat_map(|_| [seconds(1), voice_state()]);
    let asked = || Step::AskForHeartbeat;
    vec![
        one("silence", Part::live([leaves(30)]).every(SHORT).deaf()),
        one(
            "silence after HELLO",
            Part::new([leaves(30)]).every(SHORT).deaf(),
        ),
        one(
            "Discord talks and does not listen",
            Part::live(talk).every(SHORT).deaf(),
        ),
        one(
            "op 1",
            Part::live([
                seconds(1),
                asked(),
                seconds(1),
                voice_state(),
                asked(),
                seconds(9),
            ]),
        ),
        one(
            "op 1 again and again",
            Part::live((0..15).flat_map(|_| [asked(), seconds(2)])),
        ),
        one("op 1 before HELLO", {
            Part::new([asked(), seconds(1), close(4000)]).greeting(Greeting::Silence)
        }),
        one(
            "op 1 before READY",
            Part::new([asked(), seconds(2), Step::Answer, seconds(2)]),
        ),
        one("op 11 that nobody waits for", {
            let ack = || op(11, &Value::Null);
            Part::live([ack(), ack(), seconds(12), ack(), seconds(3)]).every(SHORT)
        }),
    ]
}

fn odd_greetings() -> Vec<Script> {
    let hello = |name: &str, interval: Value, kept: Duration, lasts: u64| {
        let mut part = Part::live([seconds(lasts)]);
        part.greeting = Greeting::Hello(interval);
        part.interval = kept;
        one(name, part)
    };
    let huge = 9_000_000_000_000_000_000_u64;
    let half = Duration::from_micros(41_250_500);
    let second = |every: u64| op(10, &json!({"heartbeat_interval": every}));
    vec![
        hello("an interval of 0", 0.into(), SHORT, 1),
        hello("an interval of 1", 1.into(), Duration::from_millis(1), 1),
        hello("an interval of 9e18", huge.into(), Duration::MAX, 9),
        hello("an interval of text", "41250".into(), SHORT, 9),
        hello("an interval of null", Value::Null, SHORT, 9),
        hello("a negative interval", json!(-1), SHORT, 9),
        hello("an interval with a fraction", json!(41_250.5), half, 95),
        one("no HELLO", {
            let leaves = Step::End(End::Clients(Duration::from_mins(2)));
            Part::new([leaves]).greeting(Greeting::Silence)
        }),
        one(
            "two HELLOs",
            Part::live([seconds(1), second(41_250), seconds(60)]),
        ),
        one(
            "two HELLOs before READY",
            Part::new([second(5_000), seconds(1), Step::Answer, seconds(9)]),
        ),
    ]
}

fn odd_messages() -> Vec<Script> {
    let said = |name: &str, text: &str| {
        let text = || Step::Say(text.to_owned());
        let dropped = || Step::End(End::Drop);
        let then = [text(), seconds(1), voice_state(), seconds(9), dropped()];
        script(
            name,
            [
                Part::live([text(), dropped()]),
                Part::live(then).every(SHORT),
            ],
        )
    };
    vec![
        said("an empty message", ""),
        said("broken JSON", r#"{"op":0,"t":"X","s":3,"d":{"#),
        said("a list", "[]"),
        said("a message without op", r#"{"t":"X","s":3,"d":{}}"#),
        said("an op of text", r#"{"op":"0","t":"X","s":3,"d":{}}"#),
        said("an unknown op", r#"{"op":99,"d":{}}"#),
        said("an op of ours", r#"{"op":2,"d":{}}"#),
        said(
            "a dispatch without a number",
            r#"{"op":0,"t":"X","s":null,"d":{}}"#,
        ),
        said(
            "a dispatch without a name",
            r#"{"op":0,"t":null,"s":3,"d":{}}"#,
        ),
        said("a number of text", r#"{"op":0,"t":"X","s":"500","d":{}}"#),
        said("a number of 0", r#"{"op":0,"t":"X","s":0,"d":{}}"#),
        said(
            "a number that goes back",
            r#"{"op":0,"t":"X","s":1,"d":{}}"#,
        ),
        said(
            "a number that leaps",
            r#"{"op":0,"t":"X","s":5000000000,"d":{}}"#,
        ),
        said(
            "an unknown event",
            r#"{"op":0,"t":"NEVER_HEARD_OF","s":3,"d":[1,2]}"#,
        ),
        said(
            "a lone surrogate",
            r#"{"op":0,"t":"X","s":3,"d":{"name":"\ud83d"}}"#,
        ),
        said(
            "an unknown field",
            r#"{"op":0,"t":"X","s":3,"d":{},"new":{"op":9}}"#,
        ),
        said(
            "`d` first",
            r#"{"d":{"op":9,"s":77,"t":"Y"},"s":3,"t":"X","op":0}"#,
        ),
        said("a dispatch of 1 MB", &{
            let name = "x".repeat(1_000_000);
            json!({"op": 0, "t": "X", "s": 3, "d": {"name": name}}).to_string()
        }),
        one("a dispatch before READY", {
            let early = Step::Say(r#"{"op":0,"t":"X","s":41,"d":{}}"#.to_owned());
            Part::new([early, seconds(9), Step::Answer, seconds(6)]).every(SHORT)
        }),
    ]
}

/// A frame announced as 2^40 bytes is none of them: twilight asks for the memory, and the process
/// aborts.
fn odd_frames() -> Vec<Script> {
    let leaves = || Step::End(End::Clients(Duration::from_secs(20)));
    let framed = |name: &str, step: Step| one(name, Part::live([seconds(2), step, leaves()]));
    let text_frame = |payload: &[u8]| {
        let length = u8::try_from(payload.len()).expect("a short payload");
        [&[0x81, length], payload].concat()
    };
    vec![
        framed(
            "a text that is not UTF-8",
            Step::Bytes(text_frame(b"{\"op\":\xff}")),
        ),
        framed("a frame with a reserved op", Step::Bytes(vec![0x83, 0])),
        framed(
            "a masked frame",
            Step::Bytes(vec![0x81, 0x82, 1, 2, 3, 4, b'{', b'}']),
        ),
        framed(
            "a ping that is too long",
            Step::Bytes([&[0x89, 126, 0, 200][..], &[0; 200]].concat()),
        ),
        framed(
            "compressed garbage",
            Step::Binary(b"this is no zstd".to_vec()),
        ),
        one("compressed garbage instead of HELLO", {
            let garbage = Step::Binary(b"this is no zstd".to_vec());
            Part::new([garbage, leaves()]).greeting(Greeting::Silence)
        }),
    ]
}

fn addresses() -> Vec<Script> {
    let dropped = |at| {
        let part = Part::live([voice_state(), seconds(2), Step::End(End::Drop)]);
        part.resumed_at(at)
    };
    let refused = |status| Part::new([]).greeting(Greeting::Refusal(status));
    vec![
        one(
            "nobody answers at the resume address",
            dropped(ResumeAt::Dead),
        ),
        one("READY without a resume address", dropped(ResumeAt::Missing)),
        one(
            "READY with a resume address of null",
            dropped(ResumeAt::Null),
        ),
        script(
            "the resume address answers 503",
            [
                dropped(ResumeAt::Another),
                refused(503),
                refused(503),
                refused(503),
                refused(503),
            ],
        ),
        script("the Gateway answers 503", vec![refused(503); 3]),
    ]
}
