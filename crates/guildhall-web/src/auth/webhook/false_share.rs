//! What requests cost that are not Discord's: false signatures of one client address are counted.

use std::{net::IpAddr, time::Duration};

use guildhall_ports::{RateLimiter, rate_limiter::RateBucket};
use http::StatusCode;
use tokio::time::Instant;

use crate::http::ApiError;

/// False signatures of one client address: one a second, sixty at once. Discord sends some on
/// purpose, to see them refused.
const FALSE_SHARE: Duration = Duration::from_secs(1);

/// See [`FALSE_SHARE`].
const FALSE_ROOM: Duration = Duration::from_mins(1);

/// What a request costs its address unless it turns out to be Discord's, whatever else becomes of it:
/// whoever sends slowly or hangs up saves nothing.
///
/// Discord may have the address of others, behind a proxy. So that one has no room left refuses
/// nothing by itself.
pub(super) struct FalseShare<'a> {
    limiter: &'a dyn RateLimiter,
    /// None where the client's address is not known.
    buckets: Vec<RateBucket>,
    /// When there is room again, where there was none.
    wait: Option<Duration>,
    is_discords: bool,
}

impl<'a> FalseShare<'a> {
    pub(super) async fn reserve(limiter: &'a dyn RateLimiter, address: Option<IpAddr>) -> Self {
        let buckets: Vec<_> = address.map(bucket).into_iter().collect();
        let reserved = limiter.reserve(&buckets, Instant::now().into_std()).await;
        Self {
            limiter,
            buckets,
            wait: reserved.err().map(|limited| limited.wait),
            is_discords: false,
        }
    }

    /// Whether the address has sent few enough false ones.
    pub(super) fn has_room(&self) -> bool {
        self.wait.is_none()
    }

    /// What is answered to a request that is not Discord's.
    pub(super) fn refusal(&self) -> ApiError {
        self.wait
            .map_or(FALSE_SIGNATURE, |wait| TOO_MANY_FALSE.retry_in(wait))
    }

    /// The request is Discord's: it costs nothing.
    pub(super) fn give_back(mut self) {
        self.is_discords = true;
    }
}

impl Drop for FalseShare<'_> {
    fn drop(&mut self) {
        if !self.has_room() {
            return;
        }
        if !self.is_discords {
            self.limiter
                .charge(&self.buckets, Instant::now().into_std());
        }
        self.limiter.release(&self.buckets);
    }
}

fn bucket(address: IpAddr) -> RateBucket {
    RateBucket {
        key: format!("webhook:{address}"),
        share: FALSE_SHARE,
        room: FALSE_ROOM,
    }
}

const FALSE_SIGNATURE: ApiError = ApiError::new(
    StatusCode::UNAUTHORIZED,
    "false_signature",
    "The signature is missing, or is not that of the application's key.",
);

const TOO_MANY_FALSE: ApiError =
    ApiError::too_many("Too many requests of this address had a false signature.");
