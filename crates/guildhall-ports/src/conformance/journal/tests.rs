use std::sync::Arc;

use super::*;
use crate::memory::MemoryJournal;

#[tokio::test]
async fn the_reference_keeps_the_promises() {
    journal(|| {
        let kept = MemoryJournal::default();
        async move || Arc::new(kept.clone()) as Arc<dyn Journal>
    })
    .await;
}
