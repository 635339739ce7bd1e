//! Streams, read as a browser reads them.

use std::collections::{BTreeMap, BTreeSet};

/// One event as a browser reads it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sse {
    pub(crate) event: String,
    pub(crate) id: Option<String>,
    pub(crate) retry: Option<u64>,
    pub(crate) data: serde_json::Value,
}

/// Reads a stream as the HTML standard says: lines end with CR, LF or both, a blank line ends an
/// event.
pub(crate) fn decode(text: &str) -> Vec<Sse> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    assert!(
        text.is_empty() || text.ends_with("\n\n"),
        "ends with a whole event: {text:?}"
    );
    let blocks = text.split("\n\n").filter(|block| !block.is_empty());
    let read = |block: &str| {
        let mut fields: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for line in block.split('\n') {
            let (name, value) = line.split_once(": ").expect("name and value");
            fields.entry(name).or_default().push(value);
        }
        let known = BTreeSet::from(["data", "event", "id", "retry"]);
        assert!(fields.keys().all(|name| known.contains(name)), "{block}");
        assert!(
            fields.values().all(|lines| lines.len() == 1),
            "one line each: {block}"
        );
        let one = |name: &str| fields.get(name).map(|lines| lines[0].to_owned());
        Sse {
            event: one("event").expect("a name"),
            id: one("id"),
            retry: one("retry").map(|ms| ms.parse().expect("a number")),
            data: serde_json::from_str(&one("data").expect("data")).expect("JSON"),
        }
    };
    blocks.map(read).collect()
}
