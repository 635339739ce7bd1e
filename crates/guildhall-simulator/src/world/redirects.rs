//! Where sign-ins may lead back to.

use std::collections::BTreeSet;

/// Redirect URIs that are remembered although nobody registered them.
const REMEMBERED: usize = 100;

/// The application's redirect URIs.
#[derive(Debug, Default)]
pub(crate) struct Redirects {
    /// These exactly; `None`: every one of this machine is registered.
    registered: Option<BTreeSet<String>>,
    /// Those of this machine that were asked for: the part of all of them that can be listed.
    asked: BTreeSet<String>,
}

impl Redirects {
    /// Registers exactly these.
    pub(crate) fn register(&mut self, uris: BTreeSet<String>) {
        self.registered = Some(uris);
    }

    /// Whether a sign-in may lead back there.
    pub(crate) fn takes(&mut self, uri: &str, of_this_machine: bool) -> bool {
        if let Some(registered) = &self.registered {
            return registered.contains(uri);
        }
        if of_this_machine && self.asked.len() < REMEMBERED {
            self.asked.insert(uri.to_owned());
        }
        of_this_machine
    }

    /// As the application's object lists them.
    pub(crate) fn listed(&self) -> &BTreeSet<String> {
        self.registered.as_ref().unwrap_or(&self.asked)
    }
}
