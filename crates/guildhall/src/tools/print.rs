//! What the tools print.

use std::io::{self, Write};

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
    // Control characters, and those that turn the direction of what follows.
    let orders =
        |c: char| c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let clean = |c: char| if orders(c) { '\u{FFFD}' } else { c };
    text.chars().map(clean).collect()
}
