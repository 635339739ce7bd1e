//! Marks of messages sent with `enforce_nonce`: the same mark says nothing twice.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::snowflake::Snowflake;

/// How long a mark is remembered; Discord says some minutes.
const REMEMBERED: Duration = Duration::from_mins(5);
/// Marks remembered at once; one more and the oldest goes.
const MOST: usize = 4096;

/// Recent marks, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Nonces(VecDeque<Mark>);

#[derive(Debug)]
struct Mark {
    channel_id: Snowflake,
    nonce: String,
    message_id: Snowflake,
    ends: Instant,
}

impl Nonces {
    /// The message that carried this mark.
    pub(super) fn said(
        &mut self,
        channel_id: Snowflake,
        nonce: &str,
        now: Instant,
    ) -> Option<Snowflake> {
        self.0.retain(|mark| now < mark.ends);
        let known = |mark: &&Mark| mark.channel_id == channel_id && mark.nonce == nonce;
        self.0.iter().find(known).map(|mark| mark.message_id)
    }

    pub(super) fn note(
        &mut self,
        channel_id: Snowflake,
        nonce: String,
        message_id: Snowflake,
        now: Instant,
    ) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(Mark {
            channel_id,
            nonce,
            message_id,
            ends: now + REMEMBERED,
        });
    }
}
