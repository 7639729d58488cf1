//! Which verb does a planned time call?

use crate::app::App;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::jobs::{self, JobKind};
use crate::media;

/// Does one planned job, in the transaction that ends it.
pub fn run_job(tx: &mut Tx<'_>, kind: JobKind, _subject: i64) -> Result<()> {
    match kind {
        // Features add their lines here, one for each kind. An error keeps the job for later.
        JobKind::AssignmentDue | JobKind::ReviewsDue => Err(Error::Unavailable(format!("nothing does {kind} yet"))),
        JobKind::Purge => {
            media::purge(tx)?;
            jobs::purge(tx)
        }
    }
}

/// Plans what recurs, unless it is planned already.
pub async fn plan_recurring(app: &App) -> Result<()> {
    media::web::sweep(app).await?;
    app.write(|tx| {
        let first = tx.now().plus(jobs::PURGE_EVERY);
        jobs::plan_once(tx, JobKind::Purge, 0, first)
    })
    .await
}
