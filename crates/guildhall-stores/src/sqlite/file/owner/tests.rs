use super::*;

#[tokio::test]
async fn a_caller_who_does_not_wait_for_a_slow_disk_is_refused() {
    let (asks, inbox) = sync_channel(ASKS_WAITING);
    let (open, closed) = sync_channel(0);
    let owner: Owner<()> = Owner {
        path: "guildhall.db".into(),
        asks: Some(asks),
        thread: None,
        closed: closed.into(),
    };
    for _ in 0..ASKS_WAITING {
        drop(owner.ask(|_, ()| Ok(())));
    }
    let error = owner.ask(|_, ()| Ok(())).await.expect_err("is too much");
    assert!(
        matches!(&error, FileError::Failed(why) if why.contains("slower")),
        "{error:?}"
    );
    drop((inbox, open));
    let error = owner
        .ask(|_, ()| Ok(()))
        .await
        .expect_err("nobody is there");
    assert!(
        matches!(&error, FileError::Failed(why) if why.contains("ended")),
        "{error:?}"
    );
}
