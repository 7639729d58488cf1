//! How is everything that an instance is copied while it runs, and how does it come back?

use super::manifest::{self, CONFIGURATION, FORM, MEDIA, Manifest, NAME};
use super::{say, start};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::copy::{self, Stored};
use crate::db::{Address, migrate};
use crate::error::{Error, Result};
use crate::federation::delivery;
use crate::media::file::folder as media_folder;
use crate::setting;
use clap::Args;
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::Write;
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
    let missing = keep_stored(&folder.join(MEDIA), &stored)?;
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

/// Copies what is not copied yet. Bytes never change under their name.
fn copy_media(from: &Path, to: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(from) else { return Ok(()) };
    for entry in entries.flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_file() && !target.exists() {
            match fs::copy(entry.path(), &target) {
                Ok(_) => File::open(&target).and_then(|copied| copied.sync_all()).map_err(failed(&target))?,
                // Deleted while we looked: then the database no longer knows it.
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => return Err(failed(&target)(e)),
            }
        }
    }
    Ok(())
}

/// Leaves only files that the database of that moment knows. Says which of those are missing or damaged.
fn keep_stored(folder: &Path, stored: &[Stored]) -> Result<Vec<String>> {
    let names: BTreeMap<&str, &Stored> = stored.iter().map(|one| (one.name.as_str(), one)).collect();
    for entry in fs::read_dir(folder).map_err(failed(folder))?.flatten() {
        if !names.contains_key(entry.file_name().to_string_lossy().as_ref()) {
            fs::remove_file(entry.path()).map_err(failed(folder))?;
        }
    }
    Ok(stored.iter().filter(|one| !manifest::is_as_stored(folder, one)).map(|one| one.name.clone()).collect())
}

fn digests(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for (inside, prefix) in [(folder.to_owned(), String::new()), (folder.join(MEDIA), format!("{MEDIA}/"))] {
        for entry in fs::read_dir(&inside).map_err(failed(&inside))?.flatten() {
            if entry.path().is_file() {
                let digest = manifest::digest(&entry.path()).map_err(failed(&inside))?;
                found.insert(format!("{prefix}{}", entry.file_name().to_string_lossy()), digest);
            }
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
    if fs::read_dir(&media).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::Conflict(format!("{} holds files already", media.display())));
    }
    fs::create_dir_all(&media).map_err(failed(&media))?;
    copy_media(&folder.join(MEDIA), &media)?;
    let content = copy::restore(&folder.join(&manifest.database), &address, setting::pause_deliveries)?;
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
        let dropped = if drop { delivery::drop_waiting(tx, "waited in a backup that was restored")? } else { 0 };
        Ok((setting::resume_deliveries(tx)?, dropped))
    })?;
    if drop {
        say(&format!("{dropped} deliveries that waited in the backup were dropped"));
    }
    say(if was_paused { "deliveries and mail go out again" } else { "deliveries and mail were not paused" });
    Ok(())
}
