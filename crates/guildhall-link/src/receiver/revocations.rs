//! What was revoked, as the gateway tells it.

use guildhall_model::Revocation;

use super::{Output, Receiver};

impl<R> Receiver<R> {
    /// A part of all that there is, or what is new.
    pub(super) fn revoked(&mut self, revocations: Vec<Revocation>, more: bool) {
        if !revocations.is_empty() {
            self.conversation.push(Output::Revoked(revocations));
        }
        if !more && !self.all_revoked_told {
            self.all_revoked_told = true;
            self.conversation.push(Output::AllRevokedTold);
        }
    }
}
