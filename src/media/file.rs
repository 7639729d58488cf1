//! What is a file before it has a row, and what may it be called and served as?

use crate::chance::Chance;
use crate::crypto::Sha256;
use crate::error::{Error, Result};
use crate::id::public_id;
use std::io::{Error as Io, Write};
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
    /// Writes the bytes as [`Arriving`] does.
    pub fn write(&self, data: &Path, chance: &Chance) -> Result<Kept> {
        let mut arriving = Arriving::begin(data, chance)?;
        arriving.push(&self.bytes)?;
        arriving.keep(&self.name, &self.media_type)
    }
}

/// A file that comes in pieces. Under its random name there are all of its bytes or none; what does not become
/// [`Kept`] leaves nothing behind.
pub struct Arriving {
    folder: PathBuf,
    public_id: String,
    half: PathBuf,
    file: std::fs::File,
    digest: Sha256,
    size: i64,
    looks: Looks,
}

impl Arriving {
    /// Begins one, under a name that no row has. Not inside a transaction, as all of this: disks take long.
    pub fn begin(data: &Path, chance: &Chance) -> Result<Self> {
        let (folder, public_id) = (folder(data), public_id(chance));
        std::fs::create_dir_all(&folder).map_err(|e| unwritable(&e))?;
        let half = folder.join(format!("{public_id}{HALF}"));
        let file = std::fs::OpenOptions::new().write(true).create_new(true).open(&half).map_err(|e| unwritable(&e))?;
        Ok(Self { folder, public_id, half, file, digest: Sha256::default(), size: 0, looks: Looks::default() })
    }

    /// The next piece.
    pub fn push(&mut self, piece: &[u8]) -> Result<()> {
        self.file.write_all(piece).map_err(|e| unwritable(&e))?;
        self.digest.push(piece);
        self.looks.push(piece);
        self.size = self.size.saturating_add_unsigned(piece.len().try_into().unwrap_or(u64::MAX));
        Ok(())
    }

    /// Waits until the disk has all of it. Bytes that get no row are removed by [`super::clear`].
    pub fn keep(mut self, name: &str, media_type: &str) -> Result<Kept> {
        self.file.sync_all().map_err(|e| unwritable(&e))?;
        let whole = self.folder.join(&self.public_id);
        std::fs::rename(&self.half, &whole).map_err(|e| unwritable(&e))?;
        self.half = whole;
        std::fs::File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(|e| unwritable(&e))?;
        self.half = PathBuf::new();
        Ok(Kept {
            public_id: std::mem::take(&mut self.public_id),
            name: harmless_name(name),
            media_type: self.looks.served_as(media_type),
            size: self.size,
            sha256: std::mem::take(&mut self.digest).hex(),
        })
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if !self.half.as_os_str().is_empty() {
            // A failure is left to the next clearing.
            drop(std::fs::remove_file(&self.half));
        }
    }
}

/// Ends the name of a file that is not whole yet.
pub const HALF: &str = ".half";

/// A disk that is full or broken now may do later.
fn unwritable(error: &Io) -> Error {
    tracing::error!(%error, "a file cannot be kept");
    Error::Unavailable(format!("a file cannot be kept: {error}"))
}

/// What the bytes are, as far as they have come.
struct Looks {
    head: Vec<u8>,
    is_text: bool,
    /// The beginning of a character whose end is in the next piece.
    open: Vec<u8>,
}

impl Default for Looks {
    fn default() -> Self {
        Self { head: Vec::new(), is_text: true, open: Vec::new() }
    }
}

impl Looks {
    fn push(&mut self, piece: &[u8]) {
        let missing = HEAD.saturating_sub(self.head.len()).min(piece.len());
        self.head.extend_from_slice(piece.get(..missing).unwrap_or_default());
        if !self.is_text {
            return;
        }
        self.is_text = !piece.contains(&0);
        let mut all = std::mem::take(&mut self.open);
        all.extend_from_slice(piece);
        if let Err(error) = std::str::from_utf8(&all) {
            self.is_text &= error.error_len().is_none();
            self.open = all.split_off(error.valid_up_to());
        }
    }

    /// The type to serve it as: what the bytes are, if that is one of the few that no browser runs; never an ActivityPub
    /// type, whatever it was called (MED-01, CVE-2024-25623).
    fn served_as(&self, claimed: &str) -> &'static str {
        let is_webp = self.head.starts_with(b"RIFF") && self.head.get(8..12) == Some(b"WEBP".as_slice());
        if self.head.starts_with(b"%PDF-") {
            "application/pdf"
        } else if self.head.starts_with(b"\x89PNG\r\n\x1a\n") {
            "image/png"
        } else if self.head.starts_with(b"\xff\xd8\xff") {
            "image/jpeg"
        } else if is_webp {
            "image/webp"
        } else if claimed.starts_with("text/") && self.is_text && self.open.is_empty() {
            "text/plain; charset=utf-8"
        } else {
            "application/octet-stream"
        }
    }
}

/// So many bytes tell every type that is served as itself.
const HEAD: usize = 12;

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

/// The type to serve bytes as, whatever their sender calls them.
pub fn harmless_type(claimed: &str, bytes: &[u8]) -> &'static str {
    let mut looks = Looks::default();
    looks.push(bytes);
    looks.served_as(claimed)
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
