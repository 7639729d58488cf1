//! What is in a backup, and is all of it there as it was written?

use crate::crypto::Sha256;
use crate::db::copy::{Content, Stored};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// The form of backups that this program writes and reads.
pub const FORM: u32 = 1;
/// The file in which it stands.
pub const NAME: &str = "manifest.json";
/// The configuration, as it was.
pub const CONFIGURATION: &str = "hedgeschool.toml";
/// The folder of files that people handed in.
pub const MEDIA: &str = "media";

/// The list of what a backup holds. Written last: without it a backup is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// See [`FORM`].
    pub form: u32,
    /// The program that wrote it.
    pub version: String,
    /// When, by the clock of that machine (RFC 3339).
    pub made_at: String,
    /// server.url: a backup is of this address and of no other.
    pub url: String,
    /// The file of the database.
    pub database: String,
    /// What is in the database.
    pub content: Content,
    /// SHA-256 of each file, by its path in the backup.
    pub files: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads the list of a backup.
    pub fn read(folder: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(folder.join(NAME))
            .map_err(|_| Error::Conflict(format!("{} is no backup, or one that was not finished", folder.display())))?;
        let form = serde_json::from_str::<serde_json::Value>(&text).ok().and_then(|all| all.get("form")?.as_u64());
        if form.is_some_and(|form| form > u64::from(FORM)) {
            return Err(Error::Conflict(
                "the backup was written by a newer hedgeschool; restore it with that one".into(),
            ));
        }
        serde_json::from_str(&text)
            .map_err(|e| Error::Conflict(format!("the backup is damaged: {NAME} cannot be read ({e})")))
    }

    /// Whether a file of the media folder, by its name, is in the backup.
    pub fn has_media(&self, name: &str) -> bool {
        self.files.contains_key(&format!("{MEDIA}/{name}"))
    }

    /// Whether every file is there with every byte.
    pub fn check(&self, folder: &Path) -> Result<()> {
        for (name, expected) in &self.files {
            let found = digest(&folder.join(name))
                .map_err(|_| Error::Conflict(format!("the backup is damaged: {name} is missing")))?;
            if found != *expected {
                return Err(Error::Conflict(format!("the backup is damaged: {name} is not as it was written")));
            }
        }
        Ok(())
    }
}

/// Whether a file of the media folder is what the database says of it.
pub fn is_as_stored(folder: &Path, stored: &Stored) -> bool {
    digest(&folder.join(&stored.name)).is_ok_and(|found| found == stored.sha256)
}

/// SHA-256 in hexadecimal.
pub fn digest(path: &Path) -> std::io::Result<String> {
    let (mut file, mut digest, mut piece) = (std::fs::File::open(path)?, Sha256::default(), vec![0; 64 << 10]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(digest.hex()),
            size => digest.push(piece.get(..size).unwrap_or_default()),
        }
    }
}
