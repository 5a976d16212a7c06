//! Values that are computed once for each key, also if several tasks ask at the same time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// A value for each key, computed by the first task that asks. The others wait for it.
#[derive(Debug)]
pub(super) struct OnceMap<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for OnceMap<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone> OnceMap<K, V> {
    /// The value of a key. `compute` runs unless there is one.
    pub(super) async fn get(&self, key: K, compute: impl Future<Output = V>) -> V {
        self.cell(key).get_or_init(|| compute).await.clone()
    }

    /// The value of a key. If `compute` fails, the next task computes it.
    pub(super) async fn try_get<E>(
        &self,
        key: K,
        compute: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        self.cell(key).get_or_try_init(|| compute).await.cloned()
    }

    fn cell(&self, key: K) -> Arc<OnceCell<V>> {
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cells.entry(key).or_default())
    }
}
