//! What it costs a web role to read an event of the link: `cargo run --release -p guildhall-link
//! --example read_events`.

#![expect(clippy::print_stdout, reason = "it talks to the person who started it")]
#![expect(clippy::disallowed_methods, reason = "it measures")]

use std::{hint::black_box, time::Instant};

use guildhall_link::Frame;

const TIMES: u32 = 400_000;

/// What most events are: somebody's flags change.
const UPDATED: &str = r#"{"type":"event","id":"0.1795979734426-6","data":{"event":"voice.updated","payload":{"guildId":"542292879049042924","ts":1795979739713,"channelId":"544755931436105433","userId":"541152600413751358","username":"mirelle","displayName":"Mirelle","avatar":"18c80a5e7d1f9b0c18c80a5e7d1f9b0c","avatarUrl":"https://cdn.discordapp.com/avatars/541152600413751358/18c80a5e7d1f9b0c18c80a5e7d1f9b0c.png","bot":false,"since":1795979739713,"mute":false,"deaf":false,"selfMute":true,"selfDeaf":false,"streaming":false,"video":false,"suppressed":false}},"ts":1795979739713}"#;
const LEFT: &str = r#"{"type":"event","id":"0.1795979734426-7","data":{"event":"voice.left","payload":{"guildId":"542292879049042924","ts":1795979740216,"channelId":null,"previousChannelId":"544755931436105433","userId":"541152600413751358"}},"more":true,"ts":1795979740216}"#;

fn main() {
    for (name, text) in [("voice.updated", UPDATED), ("voice.left", LEFT)] {
        let mut rounds: Vec<f64> = (0..9).map(|_| nanos(text)).collect();
        rounds.sort_by(f64::total_cmp);
        let [least, middle, most] = [rounds[0], rounds[4], rounds[8]];
        println!("{name}: {middle:.0} ns ({least:.0} to {most:.0})");
    }
}

/// Of reading it once.
fn nanos(text: &str) -> f64 {
    let began = Instant::now();
    for _ in 0..TIMES {
        let frame = Frame::decode(black_box(text));
        assert!(matches!(black_box(frame), Ok(Frame::Event(_))));
    }
    began.elapsed().as_secs_f64() * 1e9 / f64::from(TIMES)
}
