//! The suite of [`SessionStore`].

use std::sync::Arc;

use crate::session_store::{Revocation, SessionId, SessionStore};

/// Every promise of [`SessionStore`]. `fresh` opens one that is empty.
pub async fn session_store<Store: SessionStore>(fresh: impl AsyncFn() -> Arc<Store>) {
    let store = fresh().await;
    let [one, two] = ["one", "two"].map(|text| SessionId::new(text.to_owned()));
    let revoke = async |session: &SessionId, ends_at, now| {
        let session = session.clone();
        let answer = store.revoke(Revocation { session, ends_at }, now).await;
        assert_eq!(answer, Ok(()));
    };
    assert!(!store.is_revoked(&one));

    revoke(&one, 1_000, 0).await;
    assert!(store.is_revoked(&one) && !store.is_revoked(&two));
    revoke(&one, 1_000, 10).await;
    revoke(&two, 2_000, 999).await;
    assert!(store.is_revoked(&one) && store.is_revoked(&two));

    // The end of the first has come: nobody asks for it any more, and the second stays.
    let three = SessionId::new("three".to_owned());
    revoke(&three, 3_000, 1_000).await;
    assert!(store.is_revoked(&two) && store.is_revoked(&three));
}
