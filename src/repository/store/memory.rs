//! A store in memory, for tests: it may be damaged, and a test may act before any operation.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Write};
use std::sync::Mutex;

use super::{ObjectStore, PutResult, StoredObject};

/// A store in memory.
#[derive(Debug, Default)]
pub(crate) struct MemoryStore {
    objects: Mutex<BTreeMap<String, (Vec<u8>, jiff::Timestamp)>>,
    now: Mutex<Option<jiff::Timestamp>>,
}

impl MemoryStore {
    /// Sets the store's clock.
    pub(crate) fn set_now(&self, now: jiff::Timestamp) {
        *self.now.lock().unwrap() = Some(now);
    }

    /// The keys.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }

    /// The content of a file.
    pub(crate) fn bytes(&self, key: &str) -> Vec<u8> {
        self.objects.lock().unwrap()[key].0.clone()
    }

    /// Replaces a file, as damage does.
    pub(crate) fn set_bytes(&self, key: &str, bytes: Vec<u8>) {
        self.objects.lock().unwrap().get_mut(key).unwrap().0 = bytes;
    }

    /// Another store with the same files.
    pub(crate) fn copy(&self) -> Self {
        let objects = self.objects.lock().unwrap().clone();
        Self { objects: Mutex::new(objects), now: Mutex::new(*self.now.lock().unwrap()) }
    }

    fn now(&self) -> jiff::Timestamp {
        self.now.lock().unwrap().unwrap_or_else(jiff::Timestamp::now)
    }
}

impl ObjectStore for MemoryStore {
    fn put_new(
        &self,
        key: &str,
        write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<PutResult> {
        let mut bytes = Vec::new();
        write(&mut bytes)?;
        let now = self.now();
        let mut objects = self.objects.lock().unwrap();
        if objects.contains_key(key) {
            return Ok(PutResult::Exists);
        }
        objects.insert(key.to_owned(), (bytes, now));
        Ok(PutResult::Created)
    }

    fn get(&self, key: &str) -> io::Result<Box<dyn Read + Send>> {
        let objects = self.objects.lock().unwrap();
        let (bytes, _) = objects.get(key).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Cursor::new(bytes.clone())))
    }

    fn list(&self, prefix: &str) -> io::Result<Vec<StoredObject>> {
        let objects = self.objects.lock().unwrap();
        let listed = objects.iter().filter(|(key, _)| key.starts_with(prefix));
        let describe = |(key, (bytes, modified)): (&String, &(Vec<u8>, jiff::Timestamp))| {
            StoredObject { key: key.clone(), bytes: bytes.len() as u64, modified: *modified }
        };
        Ok(listed.map(describe).collect())
    }

    fn delete(&self, key: &str) -> io::Result<()> {
        self.objects.lock().unwrap().remove(key);
        Ok(())
    }

    fn head(&self, key: &str) -> io::Result<Option<StoredObject>> {
        Ok(self.list(key)?.into_iter().find(|object| object.key == key))
    }
}
