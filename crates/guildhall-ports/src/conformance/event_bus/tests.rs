use super::*;
use crate::memory::InMemoryEventBus;

#[tokio::test]
async fn the_reference_keeps_the_promises() {
    event_bus(async || Arc::new(InMemoryEventBus::default()) as Arc<dyn EventBus>).await;
}
