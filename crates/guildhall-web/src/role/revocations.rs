//! Where revocations are kept: at whichever gateway the link reaches.

use futures_util::future::BoxFuture;
use guildhall_ports::{Revocation, Unavailable};

use crate::{auth::SharedRevocations, link::Revocations};

impl SharedRevocations for Revocations {
    fn share(&self, revocation: Revocation) -> BoxFuture<'_, Result<(), Unavailable>> {
        Box::pin(self.send(revocation))
    }

    fn are_known(&self) -> bool {
        Revocations::are_known(self)
    }

    fn until_known(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.until_known())
    }
}
