//! How does a letter get out? Written in the transaction that wants it, sent by a worker until it is out or too old.

use crate::app::App;
use crate::clock::Time;
use crate::db::{Bell, Columns, Db, Run, Tx, schema::letters};
use crate::error::{Error, Result};
use crate::setting;
use crate::stop::Stop;
use diesel::{ExpressionMethods, QueryDsl, Queryable, Selectable};
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::time::Duration;

/// A letter that does not get out for so long is dropped.
pub const KEEP: Duration = Duration::from_secs(3 * 24 * 3600);
/// How long one worker holds a letter.
const LEASE: Duration = Duration::from_secs(100);
/// How many letters are looked at to find one that nobody else holds.
const BATCH: i64 = 20;
/// How often to look without being woken.
const IDLE: Duration = Duration::from_secs(30);

/// A letter that waits.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = letters)]
pub struct Letter {
    id: i64,
    /// Where to.
    pub recipient: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    created_at: Time,
    attempts: i64,
}

/// Writes a letter; it is sent after the commit. Line breaks in address or subject cannot become headers: such an
/// address is refused, and in a subject they become spaces.
pub fn post(tx: &mut Tx<'_>, to: &str, subject: &str, body: &str) -> Result<()> {
    if !is_address(to) {
        return Err(Error::invalid("email", "This is not a mail address."));
    }
    let subject: String = subject.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    let row = (
        letters::recipient.eq(to),
        letters::subject.eq(subject),
        letters::body.eq(body),
        letters::created_at.eq(tx.now()),
        letters::next_at.eq(tx.now()),
        letters::leased_until.eq(Time(0)),
        letters::attempts.eq(0i64),
    );
    diesel::insert_into(letters::table).values(row).execute(tx)?;
    tx.ring(Bell::Letters);
    Ok(())
}

/// Whether a letter can be sent to it: one address without a name, spaces or control characters.
pub fn is_address(text: &str) -> bool {
    text.len() <= 254
        && !text.contains(|c: char| c.is_control() || c.is_whitespace() || "<>,;:\"()[]\\".contains(c))
        && text.parse::<lettre::Address>().is_ok()
}

/// Letters that are shown at most.
const MOST: i64 = 500;

/// Letters that wait, oldest first.
pub fn list(db: &mut Db) -> Result<Vec<Letter>> {
    Ok(letters::table.order(letters::id).limit(MOST).select(Letter::as_select()).load(db)?)
}

/// Sends letters until asked to stop. The one in hand is finished first.
pub async fn run(app: App, stop: Stop) {
    let transport = match transport(&app) {
        Ok(transport) => transport,
        Err(error) => {
            tracing::error!(%error, "mail.smtp_url cannot be used; letters wait");
            return;
        }
    };
    while !stop.is_asked() {
        if let Err(error) = send_due(&app, transport.as_ref(), &stop).await {
            tracing::error!(%error, "letters cannot be sent just now");
        }
        tokio::select! {
            () = stop.asked() => {}
            () = app.bells().wait(Bell::Letters) => {}
            () = tokio::time::sleep(IDLE) => {}
        }
    }
}

type Smtp = AsyncSmtpTransport<Tokio1Executor>;

/// None when letters go to the log.
fn transport(app: &App) -> Result<Option<Smtp>> {
    let url = &app.config().mail.smtp_url;
    if url.is_empty() {
        return Ok(None);
    }
    let built = Smtp::from_url(url).map_err(|e| Error::invalid("mail.smtp_url", e.to_string()))?;
    Ok(Some(built.timeout(Some(Duration::from_secs(30))).build()))
}

/// Sends every letter that is due, each once.
async fn send_due(app: &App, transport: Option<&Smtp>, stop: &Stop) -> Result<()> {
    if app.look_up(setting::are_deliveries_paused).await? {
        return Ok(());
    }
    while !stop.is_asked() {
        let Some(letter) = app.write(take).await? else { break };
        let result = deliver(app, transport, &letter).await;
        app.write(move |tx| settle(tx, &letter, result)).await?;
    }
    Ok(())
}

/// Leases the next letter that is due: when its turn comes, so that the lease holds for as long as sending it takes.
fn take(tx: &mut Tx<'_>) -> Result<Option<Letter>> {
    let now = tx.now();
    let due = letters::table
        .filter(letters::next_at.le(now))
        .filter(letters::leased_until.le(now))
        .order(letters::id)
        .limit(BATCH);
    let found: Vec<Letter> = due.select(Letter::as_select()).load(tx)?;
    for letter in found {
        // Another process may have been faster.
        let held = letters::table.filter(letters::id.eq(letter.id)).filter(letters::leased_until.le(now));
        if diesel::update(held).set(letters::leased_until.eq(now.plus(LEASE))).execute(tx)? == 1 {
            return Ok(Some(letter));
        }
    }
    Ok(None)
}

/// Sends one; the error says why not.
async fn deliver(app: &App, transport: Option<&Smtp>, letter: &Letter) -> Result<(), String> {
    let Some(transport) = transport else {
        tracing::info!(
            to = letter.recipient,
            subject = letter.subject,
            "a letter (no mail server is set):\n{}",
            letter.body
        );
        return Ok(());
    };
    let message = message(app, letter).map_err(|e| e.to_string())?;
    transport.send(message).await.map(drop).map_err(|e| e.to_string())
}

fn message(app: &App, letter: &Letter) -> Result<Message> {
    let from = &app.config().mail.from;
    let from = if from.is_empty() { format!("noreply@{}", bare_host(app)) } else { from.clone() };
    let wrong = |e: &dyn std::error::Error| Error::internal(format!("letter: {e}"));
    let from: Mailbox = from.parse().map_err(|e: lettre::address::AddressError| wrong(&e))?;
    let to: lettre::Address = letter.recipient.parse().map_err(|e: lettre::address::AddressError| wrong(&e))?;
    Message::builder()
        .from(from)
        .to(Mailbox::new(None, to))
        .subject(letter.subject.clone())
        .header(ContentType::TEXT_PLAIN)
        .body(letter.body.clone())
        .map_err(|e| wrong(&e))
}

fn bare_host(app: &App) -> &str {
    app.config().server.url.host_str().unwrap_or("localhost")
}

/// Forgets what is out or too old; the rest is tried again after 1, 2, 4 ... minutes, at most 6 hours.
fn settle(tx: &mut Tx<'_>, letter: &Letter, result: Result<(), String>) -> Result<()> {
    let row = letters::table.find(letter.id);
    let Err(error) = result else {
        diesel::delete(row).execute(tx)?;
        return Ok(());
    };
    if tx.now().since(letter.created_at) >= KEEP {
        tracing::error!(to = letter.recipient, error, "a letter was dropped after three days");
        diesel::delete(row).execute(tx)?;
        return Ok(());
    }
    let minutes = 1u64 << letter.attempts.clamp(0, 9);
    let next = tx.now().plus(Duration::from_secs(60 * minutes.min(360)));
    tracing::warn!(to = letter.recipient, error, "a letter was not taken; it is tried again");
    let row = diesel::update(row).set((
        letters::next_at.eq(next),
        letters::leased_until.eq(Time(0)),
        letters::attempts.eq(letter.attempts + 1),
        letters::last_error.eq(Some(error)),
    ));
    row.execute(tx)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::World;

    #[test]
    fn nothing_in_an_address_or_subject_becomes_a_header() {
        let world = World::new();
        for evil in ["a@b.test\r\nBcc: c@d.test", "a@b.test,c@d.test", "A <a@b.test>", "a b@c.test", "nobody", ""] {
            let to = evil.to_owned();
            assert!(world.attempt(move |tx| post(tx, &to, "x", "y")).is_err(), "{evil}");
        }
        world.tx(|tx| post(tx, "a@b.test", "Hello\r\nBcc: c@d.test", "body"));
        assert_eq!(world.read(list)[0].subject, "Hello  Bcc: c@d.test");
    }

    #[test]
    fn a_letter_is_tried_again_later_and_dropped_after_three_days() {
        let world = World::new();
        world.tx(|tx| post(tx, "a@b.test", "x", "y"));
        let fail = |world: &World| {
            world.tx(|tx| {
                let taken = take(tx)?;
                taken.iter().try_for_each(|letter| settle(tx, letter, Err("no line".into())))?;
                Ok(taken.iter().count())
            })
        };
        assert_eq!(fail(&world), 1);
        assert_eq!(fail(&world), 0, "it waits a minute");
        world.pass(Duration::from_secs(60));
        assert_eq!(fail(&world), 1);
        world.pass(KEEP);
        assert_eq!(fail(&world), 1);
        assert!(world.read(list).is_empty());
    }

    #[test]
    fn a_letter_in_one_workers_hands_is_not_taken_by_another() {
        let world = World::new();
        world.tx(|tx| post(tx, "a@b.test", "x", "y"));
        assert!(world.tx(take).is_some());
        assert!(world.tx(take).is_none());
        world.pass(LEASE);
        assert!(world.tx(take).is_some(), "its worker may have died");
    }

    #[test]
    fn each_letter_is_held_from_when_its_turn_comes() {
        let world = World::new();
        for to in ["a@b.test", "c@d.test"] {
            world.tx(move |tx| post(tx, to, "x", "y"));
        }
        let next = |world: &World| world.tx(take).map(|letter| letter.recipient);
        assert_eq!(next(&world).as_deref(), Some("a@b.test"));
        // A slow mail server.
        world.pass(LEASE / 2);
        assert_eq!(next(&world).as_deref(), Some("c@d.test"));
        world.pass(LEASE / 2);
        assert_eq!(next(&world).as_deref(), Some("a@b.test"));
        assert_eq!(next(&world), None, "the second is still in somebody's hands");
    }
}
