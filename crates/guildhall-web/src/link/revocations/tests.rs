use super::*;

/// All is known, and no gateway is there to keep more.
pub(crate) fn known(store: Arc<dyn SessionStore>) -> Revocations {
    let revocations = Revocations::new(store);
    revocations.attached(0);
    revocations.detached();
    revocations
}

impl Revocations {
    /// Whether they are, to wait for.
    pub(crate) fn known(&self) -> watch::Receiver<bool> {
        self.0.known.subscribe()
    }
}
