//! The stores in memory keep the contracts of the ports.

use shared_testkit::contracts;
use shared_testkit::memory::MemoryStore;

#[tokio::test]
async fn sessions() {
    contracts::sessions(&MemoryStore::new()).await;
}

#[tokio::test]
async fn contacts() {
    contracts::contacts(&MemoryStore::new()).await;
}

#[tokio::test]
async fn deliveries() {
    let store = MemoryStore::new();
    contracts::deliveries(&store, &store).await;
}

#[tokio::test]
async fn turns() {
    contracts::turns(&MemoryStore::new()).await;
}

#[tokio::test]
async fn cursors() {
    let store = MemoryStore::new();
    contracts::cursors(&store, &store).await;
}

#[tokio::test]
async fn waking() {
    let store = MemoryStore::new();
    contracts::waking(&store, &store, &store, &store).await;
}

#[tokio::test]
async fn parking() {
    let store = MemoryStore::new();
    contracts::parking(&store, &|| store.all_parked().len()).await;
}
