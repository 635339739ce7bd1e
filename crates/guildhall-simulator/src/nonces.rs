//! Nonces of messages sent with `enforce_nonce`: the same nonce creates no second message.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::snowflake::Snowflake;

/// Nonces remembered at once; one more and the oldest goes.
const MOST: usize = 4096;

/// Recent nonces, oldest first.
#[derive(Debug)]
pub(crate) struct Nonces {
    all: VecDeque<SentNonce>,
    /// How long a nonce is remembered; Discord says some minutes.
    remembered: Duration,
}

#[derive(Debug)]
struct SentNonce {
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

    /// The message that carried this nonce.
    pub(crate) fn message_with(
        &mut self,
        channel_id: Snowflake,
        nonce: &str,
        now: Instant,
    ) -> Option<Snowflake> {
        self.all.retain(|sent| now < sent.ends);
        let known = |sent: &&SentNonce| sent.channel_id == channel_id && sent.nonce == nonce;
        self.all.iter().find(known).map(|sent| sent.message_id)
    }

    pub(crate) fn remember(
        &mut self,
        channel_id: Snowflake,
        nonce: String,
        message_id: Snowflake,
        now: Instant,
    ) {
        if self.all.len() == MOST {
            self.all.pop_front();
        }
        self.all.push_back(SentNonce {
            channel_id,
            nonce,
            message_id,
            ends: now + self.remembered,
        });
    }
}
