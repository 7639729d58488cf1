//! Which bytes on disk belong to nothing any more?

use super::{ORPHAN, file, store};
use crate::clock::Time;
use crate::db::Db;
use crate::error::{Error, Result};
use std::collections::BTreeSet;
use std::path::Path;

/// The names of bytes that are at least [`ORPHAN`] old. Younger ones may belong to an upload whose transaction is still
/// running.
pub fn old(data: &Path, now: Time) -> Result<Vec<String>> {
    let folder = file::folder(data);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(&folder).map_err(|e| Error::Internal(Box::new(e)))?;
    let old = entries.flatten().filter(|entry| is_old(&entry.path(), now));
    Ok(old.filter_map(|entry| entry.file_name().into_string().ok()).collect())
}

/// Removes those of these bytes that have no row; says how many. For a few hundred at once, so that nobody waits long
/// for the database.
pub fn clear(db: &mut Db, data: &Path, names: &[String]) -> Result<usize> {
    let known: BTreeSet<String> = store::known(db, names)?.into_iter().collect();
    let mut removed = 0;
    for name in names.iter().filter(|name| !known.contains(*name)) {
        match std::fs::remove_file(file::folder(data).join(name)) {
            Ok(()) => removed += 1,
            Err(error) => tracing::warn!(%name, %error, "a file without a row could not be removed"),
        }
    }
    Ok(removed)
}

/// Removes the bytes of files whose rows are gone. A failure is left to the next [`clear`].
pub fn remove(data: &Path, public_ids: &[String]) {
    for id in public_ids {
        let _ = std::fs::remove_file(file::folder(data).join(id));
    }
}

fn is_old(path: &Path, now: Time) -> bool {
    let changed = std::fs::metadata(path).and_then(|m| m.modified()).ok();
    changed.is_some_and(|at| now.minus(ORPHAN).system() >= at)
}
