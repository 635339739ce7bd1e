use std::sync::Arc;

use super::*;
use crate::memory::MemoryJournals;

#[tokio::test]
async fn the_reference_keeps_the_promises() {
    journal(|| {
        let kept = MemoryJournals::default();
        async move || Arc::new(kept.reopened()) as Arc<dyn Journals>
    })
    .await;
}
