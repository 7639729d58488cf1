//! Which verb does a planned time call?

use crate::app::App;
use crate::db::Tx;
use crate::error::Result;
use crate::id::AssignmentId;
use crate::jobs::{self, JobKind};
use crate::{media, review};

/// Does one planned job, in the transaction that ends it.
pub fn run_job(tx: &mut Tx<'_>, kind: JobKind, subject: i64) -> Result<()> {
    match kind {
        // Features add their lines here, one for each kind. An error keeps the job for later.
        JobKind::AssignmentDue => review::start(tx, AssignmentId(subject)).map(|_| ()),
        JobKind::ReviewsDue => review::release(tx, None, AssignmentId(subject)),
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
