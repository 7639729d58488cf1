//! How is everything that an instance is copied while it runs, and how does it come back?

use super::manifest::{self, CONFIGURATION, FORM, MEDIA, Manifest, NAME};
use super::{say, start};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::copy::{self, Stored};
use crate::db::{Address, migrate};
use crate::error::{Error, Result};
use crate::federation::delivery;
use crate::media::file::{HALF, folder as media_folder};
use crate::setting;
use clap::Args;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Where the copy is.
#[derive(Args, Clone, Debug)]
pub struct Place {
    /// Folder of the backup; for a new backup it must not be there yet
    folder: PathBuf,
}

/// What becomes of what waited in the backup.
#[derive(Args, Clone, Debug)]
pub struct Resume {
    /// Drop what was waiting when the backup was made, instead of sending it now
    #[arg(long)]
    drop_waiting: bool,
}

fn failed(what: &Path) -> impl Fn(std::io::Error) -> Error {
    move |e| Error::Unavailable(format!("{}: {e}", what.display()))
}

/// Writes a backup, looks it over and says what is in it.
pub fn backup(config: &Config, file: Option<&Path>, place: &Place) -> Result<()> {
    let folder = &place.folder;
    if folder.exists() {
        return Err(Error::Conflict(format!(
            "{} is there already; a backup gets a folder of its own",
            folder.display()
        )));
    }
    // It holds keys, mail addresses and perhaps passwords of the configuration: for its owner alone.
    DirBuilder::new().recursive(true).mode(0o700).create(folder.join(MEDIA)).map_err(failed(folder))?;
    let address = config.address()?;
    let database = if matches!(address, Address::Sqlite(_)) { "database.sqlite" } else { "database.dump" };
    let media = media_folder(&config.server.data);
    // Before and after: a file that is deleted meanwhile is in the first copy, one that is new in the second.
    copy_media(&media, &folder.join(MEDIA))?;
    let (content, stored) = copy::write(&address, &folder.join(database))?;
    copy_media(&media, &folder.join(MEDIA))?;
    let missing = keep_stored(&media, &folder.join(MEDIA), &stored)?;
    sync_folder(&folder.join(MEDIA))?;
    if let Some(path) = file {
        fs::copy(path, folder.join(CONFIGURATION)).map_err(failed(path))?;
    }
    let manifest = Manifest {
        form: FORM,
        version: env!("CARGO_PKG_VERSION").into(),
        made_at: Clock::System.now().rfc3339(),
        url: config.server.url.to_string(),
        database: database.into(),
        content,
        files: digests(folder)?,
    };
    let mut written = File::create(folder.join(NAME)).map_err(failed(folder))?;
    written.write_all(serde_json::to_string_pretty(&manifest)?.as_bytes()).map_err(failed(folder))?;
    written.sync_all().and_then(|()| File::open(folder)?.sync_all()).map_err(failed(folder))?;
    Manifest::read(folder)?.check(folder)?;
    let rows: i64 = manifest.content.rows.values().sum();
    say(&format!(
        "backed up to {}: {rows} rows, {} files; looked over, and whole",
        folder.display(),
        stored.len().saturating_sub(missing.len())
    ));
    for name in missing {
        say(&format!("note: the file {name} was missing already"));
    }
    if file.is_none() {
        say("note: there is no configuration file; settings from the environment are not in the backup");
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))
}

/// Copies what is not copied yet. Bytes never change under their name.
fn copy_media(from: &Path, to: &Path) -> Result<()> {
    for name in names_in(from)? {
        let target = to.join(&name);
        let is_half = name.to_string_lossy().ends_with(HALF);
        if !is_half && !target.exists() {
            copy_file(&from.join(&name), &target)?;
        }
    }
    Ok(())
}

/// The files of a folder; none when there is no folder.
fn names_in(folder: &Path) -> Result<Vec<OsString>> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed(folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed(folder))?;
        if entry.file_type().map_err(failed(folder))?.is_file() {
            names.push(entry.file_name());
        }
    }
    Ok(names)
}

/// Under another name until all of it is there, so that what broke off is not taken for the file.
fn copy_file(from: &Path, target: &Path) -> Result<()> {
    let half = PathBuf::from(format!("{}{HALF}", target.display()));
    match fs::copy(from, &half) {
        Ok(_) => {
            File::open(&half).and_then(|copied| copied.sync_all()).map_err(failed(&half))?;
            fs::rename(&half, target).map_err(failed(target))
        }
        // Deleted while we looked: then the database no longer knows it.
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(failed(target)(e)),
    }
}

/// Leaves only files that the database of that moment knows. Says which of those are missing or damaged where they come
/// from as well; what is whole there must be whole here.
fn keep_stored(media: &Path, folder: &Path, stored: &[Stored]) -> Result<Vec<String>> {
    let names: BTreeSet<&str> = stored.iter().map(|one| one.name.as_str()).collect();
    for name in names_in(folder)?.iter().filter(|name| !names.contains(name.to_string_lossy().as_ref())) {
        fs::remove_file(folder.join(name)).map_err(failed(folder))?;
    }
    let mut missing = Vec::new();
    for one in stored.iter().filter(|one| !manifest::is_as_stored(folder, one)) {
        if !manifest::is_as_stored(media, one) {
            missing.push(one.name.clone());
            continue;
        }
        copy_file(&media.join(&one.name), &folder.join(&one.name))?;
        if !manifest::is_as_stored(folder, one) {
            return Err(Error::Unavailable(format!("{} cannot be copied as it is", media.join(&one.name).display())));
        }
    }
    Ok(missing)
}

fn digests(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for (inside, prefix) in [(folder.to_owned(), String::new()), (folder.join(MEDIA), format!("{MEDIA}/"))] {
        for name in names_in(&inside)? {
            let digest = manifest::digest(&inside.join(&name)).map_err(failed(&inside))?;
            found.insert(format!("{prefix}{}", name.to_string_lossy()), digest);
        }
    }
    Ok(found)
}

/// Makes a backup the instance of this configuration, which must have no data yet. Nothing goes out until `resume`.
pub fn restore(config: &Config, place: &Place) -> Result<()> {
    let (folder, address) = (&place.folder, config.address()?);
    let manifest = Manifest::read(folder)?;
    fits(&manifest, config, &address)?;
    manifest.check(folder)?;
    let _alone = start::alone(&address)?;
    copy::must_be_empty(&address)?;
    let media = media_folder(&config.server.data);
    // Those of this backup are of an attempt to restore it that broke off.
    let is_of_it = |name: &OsString| manifest.has_media(name.to_string_lossy().trim_end_matches(HALF));
    if !names_in(&media)?.iter().all(is_of_it) {
        return Err(Error::Conflict(format!("{} holds files already", media.display())));
    }
    fs::create_dir_all(&media).map_err(failed(&media))?;
    copy_media(&folder.join(MEDIA), &media)?;
    sync_folder(&media)?;
    let content = copy::restore(&folder.join(&manifest.database), &address, setting::PAUSING)?;
    if content != manifest.content {
        return Err(Error::Conflict("the restored database is not what the backup says; do not use it".into()));
    }
    say(&format!("restored the backup of {}, made at {}", manifest.url, manifest.made_at));
    say("Start the server and look around: it sends nothing to other servers and no mail until `hedgeschool resume`.");
    if folder.join(CONFIGURATION).exists() {
        say(&format!("The configuration of that time is {}.", folder.join(CONFIGURATION).display()));
    }
    Ok(())
}

/// Whether this program and this configuration can take the backup.
fn fits(manifest: &Manifest, config: &Config, address: &Address) -> Result<()> {
    let newer = !migrate::is_known(&manifest.content.migration)?;
    let other_kind = manifest.database.ends_with(".sqlite") != matches!(address, Address::Sqlite(_));
    let url = config.server.url.to_string();
    let why = if newer {
        format!("the backup was written by a newer hedgeschool ({}); restore it with that one", manifest.version)
    } else if manifest.url != url {
        format!("the backup is of {}, but server.url is {url}; ids that others know cannot change", manifest.url)
    } else if other_kind {
        format!("the backup holds {}, which database.url cannot take", manifest.database)
    } else {
        return Ok(());
    };
    Err(Error::Conflict(why))
}

/// Lets deliveries and mail go again after a backup was restored. Works while the server runs.
pub fn resume(config: Config, how: &Resume) -> Result<()> {
    let app = start::open_beside(config)?;
    let drop = how.drop_waiting;
    let (was_paused, dropped) = app.pool().write_blocking(move |tx| {
        let dropped = match setting::paused_at(tx)?.filter(|_| drop) {
            Some(last) => delivery::drop_waiting(tx, last, "waited in a backup that was restored")?,
            None => 0,
        };
        Ok((setting::resume_deliveries(tx)?, dropped))
    })?;
    if drop {
        say(&format!("{dropped} deliveries that waited in the backup were dropped"));
    }
    say(if was_paused { "deliveries and mail go out again" } else { "deliveries and mail were not paused" });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Sha256;

    fn stored(name: &str, bytes: &[u8]) -> Stored {
        let mut digest = Sha256::default();
        digest.push(bytes);
        Stored { name: name.into(), size: bytes.len() as i64, sha256: digest.hex() }
    }

    #[test]
    fn r_23_a_file_that_was_copied_torn_is_copied_again_and_none_is_called_whole_that_is_not() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (from, to) = (from.path(), to.path());
        for (name, text) in [("whole", "all of it"), ("damaged", "bad"), ("new.half", "on its w")] {
            fs::write(from.join(name), text).unwrap();
        }
        fs::write(to.join("whole"), "all o").unwrap();
        fs::write(to.join("unknown"), "x").unwrap();
        copy_media(from, to).unwrap();
        let known = [stored("whole", b"all of it"), stored("damaged", b"good"), stored("gone", b"x")];
        assert_eq!(keep_stored(from, to, &known).unwrap(), ["damaged", "gone"]);
        assert_eq!(fs::read(to.join("whole")).unwrap(), b"all of it");
        assert_eq!(names_in(to).unwrap().len(), 2, "and nothing that the database does not know");
        assert!(names_in(&from.join("nowhere")).unwrap().is_empty());
        assert!(names_in(&from.join("whole")).is_err(), "a folder that cannot be read is no empty one");
    }
}
