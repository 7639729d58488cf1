//! How do the files of work come over from another server, without filling memory or disk?

use crate::app::App;
use crate::error::{Error, Result};
use crate::federation::{Context, fetch};
use crate::measure;
use crate::media::{self, Arriving, Kept};
use crate::submission::note::ReadFile;
use std::time::Duration;
use tokio::sync::mpsc;

/// All files of one piece of work together take no longer, so that a lane of the inbox and its lease hold.
const TOGETHER: Duration = Duration::from_secs(60);
/// Pieces of a file between network and disk.
const PIECES: usize = 8;

/// Fetches the files of work, in the name of the instance, and puts them on disk as they come: `room` bytes at most. After
/// an error none of them stays.
pub(super) async fn download(context: &Context, files: &[ReadFile], mut room: i64) -> Result<Vec<Kept>> {
    fetch::check_budget(context, files.len())?;
    let mut kept = Vec::new();
    let all = async {
        for file in files {
            let one = one(context, file, room).await?;
            room = room.saturating_sub(one.size);
            kept.push(one);
        }
        Ok(())
    };
    let late = || Error::Unavailable("the files took too long".into());
    let result = tokio::time::timeout(TOGETHER, all).await.unwrap_or_else(|_| Err(late()));
    if let Err(error) = result {
        discard(context.app_data(), kept.into_iter().map(|one| one.public_id).collect()).await;
        return Err(error);
    }
    Ok(kept)
}

async fn one(context: &Context, file: &ReadFile, room: i64) -> Result<Kept> {
    let app: &App = context.app_data();
    let most = app.config().server.max_upload;
    let room = usize::try_from(room).unwrap_or(0);
    if room == 0 {
        return Err(media::full());
    }
    let (pieces, mut come) = mpsc::channel::<bytes::Bytes>(PIECES);
    let writer = app.clone();
    let writing = tokio::task::spawn_blocking(move || {
        let mut arriving = Arriving::begin(&writer.config().server.data, writer.chance())?;
        while let Some(piece) = come.blocking_recv() {
            arriving.push(&piece)?;
        }
        Ok::<_, Error>(arriving)
    });
    let fetched = fetch::file(context, &file.url, most.min(room), pieces).await;
    // What the disk says comes first: the fetch ends because of it.
    let arriving = writing.await??;
    match fetched {
        Err(Error::Invalid(_)) if room < most => Err(media::full()),
        Err(error) => {
            if matches!(error, Error::Invalid(_)) {
                measure::file_refused("too-large");
            }
            Err(error)
        }
        Ok(()) => {
            let (name, media_type) = (file.name.clone(), file.media_type.clone());
            tokio::task::spawn_blocking(move || arriving.keep(&name, &media_type)).await?
        }
    }
}

/// Removes files that were not taken in. Should the database have a row all the same, because only its answer was lost, the
/// bytes stay; what cannot be told now is left to the sweep.
pub(super) async fn discard(app: &App, names: Vec<String>) {
    if names.is_empty() {
        return;
    }
    let data = app.config().server.data.clone();
    if let Err(error) = app.read(move |db| media::clear(db, &data, &names)).await {
        tracing::warn!(%error, "files that were not taken in stay until they are swept");
    }
}
