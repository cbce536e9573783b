//! Parked originals in memory.

use async_trait::async_trait;
use shared_flow::ports::{Parked, Parking, PortResult};

use super::MemoryStore;

#[async_trait]
impl Parking for MemoryStore {
    async fn park(&self, parked: &Parked) -> PortResult<()> {
        let key = (parked.org.clone(), parked.source.clone(), parked.original.clone());
        self.lock().parked.entry(key).or_insert_with(|| parked.clone());
        Ok(())
    }
}
