//! What the tools print.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use serde_json::Value;

/// Writes to standard output, with a line's end.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{}", text.trim_end_matches('\n')).and_then(|()| out.flush());
    match written {
        // Whoever reads has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Says something beside what is printed: to whoever sits there, and into no pipe.
pub(super) fn note(text: &str) {
    #[expect(clippy::print_stderr, reason = "the tool talks to whoever started it")]
    {
        eprintln!("guildhall: {}", harmless(text));
    }
}

/// JSON as text for a terminal. What gives orders can only be within its texts, where it is escaped.
pub(super) fn harmless_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if gives_orders(letter) {
            write!(text, "\\u{:04x}", u32::from(letter)).expect("writing to a String can't fail");
        } else {
            text.push(letter);
        }
    }
    text
}

/// What somebody else wrote, as text for a terminal: a name must not give it orders.
pub(super) fn plain(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    harmless(&text)
}

/// The same of a text.
pub(super) fn harmless(text: &str) -> String {
    let clean = |c: char| if gives_orders(c) { '\u{FFFD}' } else { c };
    text.chars().map(clean).collect()
}

/// Control characters, and those that turn the direction of what follows.
fn gives_orders(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
