//! Who writes? One thread for SQLite, which groups commits; the pool for PostgreSQL.

use super::{Address, Bell, Db, Kept, Opener, Run, Surroundings, Tx, in_transaction};
use crate::error::{Error, Result};
use diesel::{r2d2, sql_query};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// Runs in the writer's transaction, or without a database is told that there is none now.
type Job = Box<dyn FnOnce(Option<&mut Db>) -> Done + Send>;

/// What a job came to.
pub(super) struct Done {
    /// Why the database did not do its part. SQLite takes a whole transaction back by itself when the disk is full: then
    /// nothing of the group may be promised.
    fault: Option<String>,
    /// What to do once it is known whether the commit succeeded.
    answer: Box<dyn FnOnce(bool) + Send>,
}

/// How many jobs may wait before writers are told to come back later.
const QUEUE: usize = 8192;
/// How many jobs share a commit at most, so that the first does not wait for too many others.
const GROUP: usize = 256;
/// Whether somebody waits for the answer of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// A person or another server waits: before everything that is done behind.
    First,
    /// Nobody waits.
    Behind,
}

#[derive(Clone)]
pub(super) enum Writer {
    Thread(SyncSender<(Turn, Job)>),
    Pooled(r2d2::Pool<Opener>),
}

impl Writer {
    /// Starts the thread. It ends when the last sender is gone.
    pub(super) fn thread(address: Address, around: Arc<Surroundings>) -> Result<Self> {
        let mut db = address.open(true).map_err(|e| Error::Internal(Box::new(e)))?;
        let (sender, receiver) = sync_channel(QUEUE);
        std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || run(&address, &around, &mut db, &receiver))
            .map_err(|e| Error::Internal(Box::new(e)))?;
        Ok(Self::Thread(sender))
    }

    /// Hands a job in; `answer` is called once, after the commit or with the error.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        (around, turn): (&Arc<Surroundings>, Turn),
        job: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
        answer: impl FnOnce(Result<T>) + Send + 'static,
    ) -> Result<()> {
        let around = around.clone();
        match self {
            Self::Thread(sender) => {
                let boxed: Job = Box::new(move |db| {
                    let result = match db {
                        Some(db) => in_savepoint(db, |db| attempt(db, &around, job)),
                        None => Err(Error::Unavailable("the database cannot be written to".into())),
                    };
                    let fault = match &result {
                        Err(Error::Unavailable(said)) => Some(said.clone()),
                        _ => None,
                    };
                    Done { fault, answer: Box::new(move |committed| settle(result, committed, &around, answer)) }
                });
                sender.try_send((turn, boxed)).map_err(|error| {
                    Error::Unavailable(match error {
                        TrySendError::Full(_) => "too many writes are waiting".into(),
                        TrySendError::Disconnected(_) => "the database writer has stopped".into(),
                    })
                })
            }
            Self::Pooled(pool) => {
                let pool = pool.clone();
                let run = move || {
                    let result = pool
                        .get()
                        .map_err(|e| Error::Unavailable(format!("database: {e}")))
                        .and_then(|mut link| in_transaction(&mut link.db, |db| attempt(db, &around, job)));
                    settle(result, true, &around, answer);
                };
                match tokio::runtime::Handle::try_current() {
                    Ok(runtime) => drop(runtime.spawn_blocking(run)),
                    Err(_) => run(),
                }
                Ok(())
            }
        }
    }
}

/// One job of a group, which can be taken back without the others.
fn in_savepoint<T>(db: &mut Db, job: impl FnOnce(&mut Db) -> Result<T>) -> Result<T> {
    // The driver's own savepoints are compiled anew for every job.
    Kept(sql_query("SAVEPOINT job")).execute(db)?;
    let result = job(db);
    let taken_back = result.is_ok() || Kept(sql_query("ROLLBACK TO job")).execute(db).is_ok();
    // SQLite may have taken back the whole group, this savepoint with it.
    if !taken_back || Kept(sql_query("RELEASE job")).execute(db).is_err() {
        return Err(match result {
            Err(fault @ Error::Unavailable(_)) => fault,
            _ => Error::Unavailable("the database lost a write".into()),
        });
    }
    result
}

type Worth<T> = (T, Vec<Bell>);

fn attempt<T>(db: &mut Db, around: &Surroundings, job: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<Worth<T>> {
    // A panic in one job must not take the others of its group, nor the thread, with it.
    catch_unwind(AssertUnwindSafe(|| {
        let mut tx = Tx::new(db, around);
        let value = job(&mut tx)?;
        tx.follow_up()?;
        Ok((value, std::mem::take(&mut tx.rung)))
    }))
    .unwrap_or_else(|_| Err(Error::internal("a write panicked")))
}

fn settle<T>(result: Result<Worth<T>>, committed: bool, around: &Surroundings, answer: impl FnOnce(Result<T>)) {
    match result {
        Ok(_) if !committed => answer(Err(Error::Unavailable("the database could not commit".into()))),
        Ok((value, rung)) => {
            for bell in rung {
                around.bells.ring(bell);
            }
            answer(Ok(value));
        }
        Err(error) => answer(Err(error)),
    }
}

fn run(address: &Address, around: &Surroundings, db: &mut Db, jobs: &Receiver<(Turn, Job)>) {
    let mut lines = Lines::default();
    while lines.wait(jobs) {
        let mut answers = Vec::new();
        // Also what panics in the driver must not end the thread: nobody would write any more.
        let outcome =
            catch_unwind(AssertUnwindSafe(|| in_transaction(db, |db| work(db, &mut lines, jobs, &mut answers))));
        let outcome = outcome.unwrap_or_else(|_| Err(Error::internal("the database writer panicked")));
        if let Err(error) = &outcome {
            tracing::error!(%error, jobs = answers.len(), "commit failed");
            if answers.is_empty() {
                lines.refuse(jobs);
            }
            // What the driver remembers of a lost transaction is not to be trusted.
            match address.open(true) {
                Ok(fresh) => *db = fresh,
                Err(error) => tracing::error!(%error, "the database cannot be opened again"),
            }
        }
        let is_broken = outcome.as_ref().is_err_and(Error::is_of_disk) && !is_full(address);
        for answer in answers {
            answer(outcome.is_ok());
        }
        if is_broken {
            return refuse_for_good(around, &mut lines, jobs);
        }
    }
}

/// After an error of the disk nobody knows what of the file is there: what the system says it has written may be gone
/// (fsyncgate). Only a new start, which reads the file anew, may go on.
fn refuse_for_good(around: &Surroundings, lines: &mut Lines, jobs: &Receiver<(Turn, Job)>) {
    tracing::error!("the disk failed: nothing more is written, and the process ends");
    around.bells.ring(Bell::Broken);
    while lines.wait(jobs) {
        lines.refuse(jobs);
    }
}

/// Whether there is only no room: SQLite calls some ways of being full (quotas, limits of a file's size) an error of the
/// disk.
fn is_full(address: &Address) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let Address::Sqlite(path) = address else { return false };
    let log = PathBuf::from(format!("{}-wal", path.display()));
    let length = |path: &Path| path.metadata().map_or(0, |data| data.len());
    let (trial, end) = (path.with_extension("trial"), length(path).max(length(&log)));
    let tried = File::create(&trial).and_then(|mut file| {
        file.seek(SeekFrom::Start(end))?;
        file.write_all(&vec![1; TRIAL])
    });
    drop(std::fs::remove_file(&trial));
    tried.is_err_and(|error| matches!(error.kind(), FileTooLarge | QuotaExceeded | StorageFull))
}

/// As much must fit for the disk not to be full.
const TRIAL: usize = 1 << 20;

/// One group.
fn work(
    db: &mut Db,
    lines: &mut Lines,
    jobs: &Receiver<(Turn, Job)>,
    answers: &mut Vec<Box<dyn FnOnce(bool) + Send>>,
) -> Result<()> {
    let mut promised = false;
    while let Some((turn, job)) = lines.next(jobs, answers.len(), promised) {
        let done = job(Some(db));
        answers.push(done.answer);
        if let Some(said) = done.fault {
            return Err(Error::Unavailable(said));
        }
        promised |= turn == Turn::First;
    }
    Ok(())
}

/// Jobs that were taken from the channel, in two lines.
#[derive(Default)]
struct Lines {
    first: VecDeque<Job>,
    behind: VecDeque<Job>,
}

impl Lines {
    /// Waits until there is a job; says no when there will be none any more.
    fn wait(&mut self, jobs: &Receiver<(Turn, Job)>) -> bool {
        if self.first.is_empty() && self.behind.is_empty() {
            match jobs.recv() {
                Ok((turn, job)) => self.put(turn, job),
                Err(_) => return false,
            }
        }
        true
    }

    /// Tells all who wait that nothing can be written now, rather than to let them wait for as long as it lasts.
    fn refuse(&mut self, jobs: &Receiver<(Turn, Job)>) {
        let arrived = jobs.try_iter().take(QUEUE).map(|(_, job)| job);
        for job in self.first.drain(..).chain(self.behind.drain(..)).chain(arrived) {
            (job(None).answer)(false);
        }
    }

    fn put(&mut self, turn: Turn, job: Job) {
        match turn {
            Turn::First => self.first.push_back(job),
            Turn::Behind => self.behind.push_back(job),
        }
    }

    /// The next job of a group that has `size` already. A group begins with one of the line behind, so that this line
    /// never stands still; with a promise to somebody in it no other of that line joins, so that nobody waits for work
    /// that nobody waits for.
    fn next(&mut self, jobs: &Receiver<(Turn, Job)>, size: usize, promised: bool) -> Option<(Turn, Job)> {
        if size >= GROUP {
            return None;
        }
        while self.first.len() + self.behind.len() < QUEUE {
            let Ok((turn, job)) = jobs.try_recv() else { break };
            self.put(turn, job);
        }
        let starved = size == 0 && !self.behind.is_empty();
        if !starved && let Some(job) = self.first.pop_front() {
            return Some((Turn::First, job));
        }
        if promised {
            return None;
        }
        self.behind.pop_front().map(|job| (Turn::Behind, job))
    }
}
