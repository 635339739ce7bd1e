//! How many requests came, route by route.

use std::collections::BTreeMap;

use serde::Serialize;

/// Counted when a request comes, whatever becomes of it: one that waits, hangs or is refused is
/// there as soon as it is here.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct RequestCounts(BTreeMap<String, u64>);

impl RequestCounts {
    /// One more of a method and a template, such as `GET` and `/channels/{channel_id}`.
    pub(crate) fn add(&mut self, method: &str, template: &str) {
        *self.0.entry(format!("{method} {template}")).or_default() += 1;
    }
}
