//! What is a file before it has a row, and what may it be called and served as?

use crate::chance::Chance;
use crate::crypto::sha256;
use crate::error::{Error, Result};
use crate::id::public_id;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file as it came.
#[derive(Clone, Debug)]
pub struct File {
    /// What the sender calls it; never a path on our disk.
    pub name: String,
    /// What the sender says it is; believed only where its bytes say the same.
    pub media_type: String,
    /// Its content.
    pub bytes: bytes::Bytes,
}

/// A file whose bytes are on disk for good.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Random; the name of the bytes.
    pub public_id: String,
    /// A harmless name.
    pub name: String,
    /// A harmless type.
    pub media_type: &'static str,
    /// In bytes.
    pub size: i64,
    /// In hexadecimal.
    pub sha256: String,
}

/// Where bytes lie.
pub fn folder(data: &Path) -> PathBuf {
    data.join("media")
}

impl File {
    /// Writes the bytes under a new random name and waits until the disk has them. Not inside a transaction: it takes
    /// long. Bytes that get no row are removed by [`super::clear`].
    pub fn write(&self, data: &Path, chance: &Chance) -> Result<Kept> {
        let folder = folder(data);
        let public_id = public_id(chance);
        let failed = |e: std::io::Error| Error::Internal(Box::new(e));
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).open(folder.join(&public_id)).map_err(failed)?;
        file.write_all(&self.bytes).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        std::fs::File::open(&folder).and_then(|f| f.sync_all()).map_err(failed)?;
        Ok(Kept {
            public_id,
            name: harmless_name(&self.name),
            media_type: harmless_type(&self.media_type, &self.bytes),
            size: i64::try_from(self.bytes.len()).unwrap_or(i64::MAX),
            sha256: data_encoding::HEXLOWER.encode(&sha256(&self.bytes)),
        })
    }
}

/// A name without folders, control characters, changes of writing direction or a leading dot, at most 100 characters
/// long (MED-06).
pub fn harmless_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let clean: String = last.chars().filter(|c| !c.is_control() && !turns(*c) && *c != '"').collect();
    let clean = clean.trim_start_matches(|c: char| c == '.' || c.is_whitespace()).trim_end();
    if clean.chars().count() <= 100 {
        return if clean.is_empty() { "file".into() } else { clean.to_owned() };
    }
    let ending: String = clean.rsplit_once('.').map(|(_, e)| e.chars().take(10).collect()).unwrap_or_default();
    format!("{}.{ending}", clean.chars().take(80).collect::<String>())
}

/// The type to serve it as: what the bytes are, if that is one of the few that no browser runs; never an ActivityPub
/// type, whatever it was called (MED-01, CVE-2024-25623).
pub fn harmless_type(claimed: &str, bytes: &[u8]) -> &'static str {
    let is_webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP".as_slice());
    if bytes.starts_with(b"%PDF-") {
        "application/pdf"
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        "image/png"
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        "image/jpeg"
    } else if is_webp {
        "image/webp"
    } else if claimed.starts_with("text/") && !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok() {
        "text/plain; charset=utf-8"
    } else {
        "application/octet-stream"
    }
}

/// `Content-Disposition` that always downloads, with a plain and an encoded name (RFC 6266 4.3, RFC 8187).
pub fn disposition(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || ".-_ ".contains(c) { c } else { '_' }).collect();
    let encoded: String = name
        .bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b".-_".contains(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}
