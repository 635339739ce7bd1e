//! Marks of messages sent with `enforce_nonce`: the same mark says nothing twice.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::snowflake::Snowflake;

/// Marks remembered at once; one more and the oldest goes.
const MOST: usize = 4096;

/// Recent marks, oldest first.
#[derive(Debug)]
pub(crate) struct Nonces {
    all: VecDeque<Mark>,
    /// How long a mark is remembered; Discord says some minutes.
    remembered: Duration,
}

#[derive(Debug)]
struct Mark {
    channel_id: Snowflake,
    nonce: String,
    message_id: Snowflake,
    ends: Instant,
}

impl Nonces {
    pub(crate) fn new(remembered: Duration) -> Self {
        Self {
            all: VecDeque::new(),
            remembered,
        }
    }

    /// The message that carried this mark.
    pub(crate) fn said(
        &mut self,
        channel_id: Snowflake,
        nonce: &str,
        now: Instant,
    ) -> Option<Snowflake> {
        self.all.retain(|mark| now < mark.ends);
        let known = |mark: &&Mark| mark.channel_id == channel_id && mark.nonce == nonce;
        self.all.iter().find(known).map(|mark| mark.message_id)
    }

    pub(crate) fn note(
        &mut self,
        channel_id: Snowflake,
        nonce: String,
        message_id: Snowflake,
        now: Instant,
    ) {
        if self.all.len() == MOST {
            self.all.pop_front();
        }
        self.all.push_back(Mark {
            channel_id,
            nonce,
            message_id,
            ends: now + self.remembered,
        });
    }
}
