//! A dispatch as Discord sent it: name and number read, its data not yet.

use std::num::NonZeroU64;

use guildhall_model::UnixMs;
use serde_json::value::RawValue;

/// A dispatch (op 0) as Discord sent it. What `data` means is read by family in `normalise`.
#[derive(Clone, Debug)]
pub(crate) struct Dispatch {
    /// Discord's name of the event, `t`, such as `VOICE_STATE_UPDATE`.
    pub name: String,
    /// Its number in Discord's session, `s`, which begins with 1; `None`: it has none that can be read.
    pub sequence: Option<NonZeroU64>,
    /// `d`: some JSON value.
    pub data: Box<RawValue>,
    /// When it came.
    pub received_at: UnixMs,
}
