//! Which bytes on disk belong to nothing any more?

use super::{ORPHAN, file, store};
use crate::clock::Time;
use crate::db::Db;
use crate::error::{Error, Result};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Removes bytes that have no row and are at least [`ORPHAN`] old; says how many.
/// Younger ones may belong to an upload whose transaction is still running.
pub fn clear(db: &mut Db, data: &Path, now: Time) -> Result<usize> {
    let mut removed = 0;
    let old: Vec<(String, PathBuf)> = files(data)?.into_iter().filter(|(_, path)| is_old(path, now)).collect();
    for some in old.chunks(500) {
        let names: Vec<String> = some.iter().map(|(name, _)| name.clone()).collect();
        let known: BTreeSet<String> = store::known(db, &names)?.into_iter().collect();
        for (name, path) in some.iter().filter(|(name, _)| !known.contains(name)) {
            match std::fs::remove_file(path) {
                Ok(()) => removed += 1,
                Err(error) => tracing::warn!(%name, %error, "a file without a row could not be removed"),
            }
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

fn files(data: &Path) -> Result<Vec<(String, PathBuf)>> {
    let folder = file::folder(data);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(&folder).map_err(|e| Error::Internal(Box::new(e)))?;
    let named = entries.flatten().filter_map(|e| Some((e.file_name().into_string().ok()?, e.path())));
    Ok(named.collect())
}

fn is_old(path: &Path, now: Time) -> bool {
    let changed = std::fs::metadata(path).and_then(|m| m.modified()).ok();
    changed.is_some_and(|at| now.minus(ORPHAN).system() >= at)
}
