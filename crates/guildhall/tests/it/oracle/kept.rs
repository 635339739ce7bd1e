//! What a run with leaks leaves behind for whoever looks for their cause: all that was done, told,
//! heard and answered, each with its time.

use std::{
    fmt::Display,
    fs,
    path::{Path, PathBuf},
};

use tokio::time::Instant;

use crate::oracle::{
    asker::Asked,
    observer::{Heard, Manner, Record},
    plan::Plan,
    recorder::Dispatch,
};

/// Writes all of it beneath the folder for tests' files. Answers where.
pub(crate) fn keep(
    plan: Plan,
    began: Instant,
    done: &[(Instant, String)],
    heard: &[Dispatch],
    observers: &[(Manner, Record)],
    asked: &[Asked],
    leaks: &[String],
) -> PathBuf {
    let name = format!("oracle-{}-{:?}-{}", plan.seed, plan.told, plan.logs);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name.to_lowercase());
    fs::create_dir_all(&folder).expect("a folder");
    let write = |name: &str, lines: Vec<(Instant, String)>| {
        let line = |(at, text): &(Instant, String)| {
            let at = at.saturating_duration_since(began).as_secs_f64();
            format!("{at:9.4} {text}\n")
        };
        let text: String = lines.iter().map(line).collect();
        fs::write(folder.join(name), text).expect("a file");
    };
    write("acts", done.to_vec());
    let dispatch = |one: &Dispatch| (one.at, format!("{} {}", one.name, one.data));
    write("dispatches", heard.iter().map(dispatch).collect());
    for (number, (manner, record)) in observers.iter().enumerate() {
        let text = |heard: &Heard| match heard {
            Heard::Frame(frame) => {
                let id = if frame.has_id { " id" } else { "" };
                format!("{}{id} {}", frame.name, frame.data)
            }
            other => format!("{other:?}"),
        };
        let record = record.lock();
        let lines = record.iter().map(|(at, heard)| (*at, text(heard)));
        let looks = (began, format!("{manner:?}"));
        write(
            &format!("stream-{number}"),
            [looks].into_iter().chain(lines).collect(),
        );
    }
    let answer = |one: &Asked| {
        let took = one.answered - one.sent;
        (
            one.sent,
            format!(
                "{} {:?} {took:?} {} {}",
                one.viewer, one.question, one.status, one.body
            ),
        )
    };
    write("answers", asked.iter().map(answer).collect());
    let leak = |leak: &String| (began, leak.clone());
    write("leaks", leaks.iter().map(leak).collect());
    folder
}

/// Something was done.
pub(crate) fn done(what: impl Display) -> (Instant, String) {
    (Instant::now(), what.to_string())
}
