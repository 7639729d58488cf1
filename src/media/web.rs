//! How does a file go out? Always as a download that no browser opens in our name.

use super::{File, Kept, Media, file};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{Answer, Upload};
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;

/// The bytes, after the asker's right was looked at by who knows what the file belongs to (MED-01, MED-02).
pub async fn serve(app: &App, media: &Media) -> Answer {
    let path = file::folder(&app.config().server.data).join(&media.public_id);
    let bytes = tokio::fs::read(&path).await.map_err(|_| Error::NotFound)?;
    let value = |text: &str| HeaderValue::from_str(text).map_err(|e| Error::Internal(Box::new(e)));
    let headers = [
        (header::CONTENT_TYPE, value(&media.media_type)?),
        (header::CONTENT_DISPOSITION, value(&file::disposition(&media.name))?),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    Ok((headers, bytes).into_response())
}

/// Puts the bytes of files on disk, before the transaction that takes them in.
pub async fn write(app: &App, files: Vec<File>) -> Result<Vec<Kept>> {
    let app = app.clone();
    let written = tokio::task::spawn_blocking(move || {
        files.iter().map(|file| file.write(&app.config().server.data, app.chance())).collect()
    });
    written.await?
}

impl From<Upload> for File {
    fn from(upload: Upload) -> Self {
        Self { name: upload.name, media_type: upload.media_type, bytes: upload.bytes }
    }
}

/// How many names are looked up in one visit to the database.
const AT_ONCE: usize = 500;

/// Forgets files that belong to nothing, and removes bytes without a row; says how many. Between small visits to the
/// database everybody else has their turn.
pub async fn sweep(app: &App) -> Result<usize> {
    app.write(super::purge).await?;
    let (data, now) = (app.config().server.data.clone(), app.now());
    let folder = data.clone();
    let old = tokio::task::spawn_blocking(move || super::old(&folder, now));
    let old = old.await??;
    let mut removed = 0;
    for some in old.chunks(AT_ONCE) {
        let (data, some) = (data.clone(), some.to_vec());
        removed += app.read(move |db| super::clear(db, &data, &some)).await?;
    }
    tracing::debug!(removed, "files that belonged to nothing");
    Ok(removed)
}
