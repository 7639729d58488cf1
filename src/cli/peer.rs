//! How does who owns the machine see other servers, try them again, and decide about them?

use super::{say, start};
use crate::app::App;
use crate::clock::Time;
use crate::config::Config;
use crate::domain::csv::{self, LARGEST};
use crate::domain::{self, EVERY, NewRule, Reach, Severity, name};
use crate::error::{Error, Result};
use crate::federation::peer::LineState;
use crate::federation::peer::book::{self, Filter, Row};
use crate::federation::peer::trouble;
use clap::{Args, Subcommand};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// What can be done about other servers. All of it works while the server runs, which minds it within seconds.
#[derive(Clone, Debug, Subcommand)]
pub enum PeerCommand {
    /// List servers, those in trouble first: name, line, rule, waiting and given up deliveries, last success, last failure,
    /// signatures, software
    List {
        /// Only lines in this state: healthy, failing, unreachable
        #[arg(long)]
        state: Option<LineState>,
        /// Only where this rule holds: suspend, limit, admit
        #[arg(long)]
        rule: Option<Severity>,
        /// Only names with these letters
        #[arg(long, default_value = "")]
        search: String,
    },
    /// Show all that is known of one server
    Show {
        /// Its name, such as masto.example
        host: String,
    },
    /// Try what waits for a server now, however long it was to wait
    Retry {
        /// Its name
        host: String,
    },
    /// Block a domain and all below it: nothing in, nothing out
    Block(Decision),
    /// Limit a domain and all below it: its people need approval
    Limit(Decision),
    /// Admit a domain and all below it, where an outer rule or an allow-list would not
    Admit(Decision),
    /// Take the rule for a domain away, whether it blocks, limits or admits
    Unblock {
        /// The domain
        domain: String,
    },
    /// List all rules
    Rules,
    /// Decide about servers without a rule: admit, limit, or suspend (allow-list)
    Others {
        /// admit, limit or suspend
        severity: Severity,
    },
    /// Print all rules in Mastodon's CSV
    Export {
        /// Only the names of those that are admitted, as Mastodon writes its allow-list
        #[arg(long)]
        admitted: bool,
    },
    /// Read rules in Mastodon's CSV; says what it would change, and changes it with --apply
    Import {
        /// The file; - is standard input
        file: PathBuf,
        /// What a list of names alone means: admit, limit or suspend
        #[arg(long)]
        names: Option<Severity>,
        /// Do it
        #[arg(long)]
        apply: bool,
        /// Also change rules that are other than in the list
        #[arg(long)]
        replace: bool,
    },
}

/// A rule for one domain.
#[derive(Args, Clone, Debug)]
pub struct Decision {
    /// The domain, such as evil.example
    domain: String,
    /// Reason that everyone may read at /blocked
    #[arg(long, default_value = "")]
    reason: String,
    /// Note for administrators
    #[arg(long, default_value = "")]
    note: String,
    /// Fetch no files from there
    #[arg(long)]
    no_media: bool,
    /// Take no reports from there
    #[arg(long)]
    no_reports: bool,
    /// Show the name in part only
    #[arg(long)]
    obfuscate: bool,
}

/// Examples of the whole command.
pub const EXAMPLES: &str = "\
Examples:
  hedgeschool peer list --state unreachable
  hedgeschool peer show masto.example
  hedgeschool peer retry masto.example
  hedgeschool peer block evil.example --reason \"Spam\"
  hedgeschool peer unblock evil.example
  hedgeschool peer import blocks.csv                see what it would change
  hedgeschool peer import blocks.csv --apply        and change it
  hedgeschool peer import allows.csv --names admit  a list of names alone
  hedgeschool peer export > blocks.csv
  hedgeschool peer others suspend                   talk only to admitted servers

Ends with 1 when there is no such server or rule, with 2 when a domain or file cannot be used.";

/// Does it, on the database of the configuration.
pub fn run(config: Config, command: &PeerCommand) -> Result<()> {
    let app = start::open_beside(config)?;
    match command {
        PeerCommand::List { state, rule, search } => {
            list(&app, Filter { letters: search.clone(), state: *state, software: None, rule: *rule })
        }
        PeerCommand::Show { host } => show(&app, host),
        PeerCommand::Retry { host } => retry(&app, host),
        PeerCommand::Block(decision) => decide(&app, decision, Severity::Suspend),
        PeerCommand::Limit(decision) => decide(&app, decision, Severity::Limit),
        PeerCommand::Admit(decision) => decide(&app, decision, Severity::Admit),
        PeerCommand::Unblock { domain } => unblock(&app, domain),
        PeerCommand::Rules => rules(&app),
        PeerCommand::Others { severity } => others(&app, *severity),
        PeerCommand::Export { admitted } => export(&app, *admitted),
        PeerCommand::Import { file, names, apply, replace } => import(&app, file, *names, (*apply, *replace)),
    }
}

fn list(app: &App, filter: Filter) -> Result<()> {
    let day = |at: Option<Time>| at.map_or_else(|| "-".to_owned(), |at| at.rfc3339());
    for page in 0.. {
        let (rows, more) = app.pool().read_blocking(|db| book::list(db, &filter, page))?;
        for row in rows {
            let runs = if row.runs().is_empty() { "-".to_owned() } else { row.runs() };
            let (peer, rule) = (&row.peer, row.rule().unwrap_or("-"));
            let (success, failure) = (day(peer.last_success_at), day(peer.last_failure_at));
            let scheme = peer.scheme.map_or_else(|| "-".to_owned(), |scheme| scheme.to_string());
            say(&format!(
                "{:<40} {:<12} {rule:<8} {:>6} {:>6} {success:<20} {failure:<20} {scheme:<8} {runs}",
                peer.host, peer.state, row.waiting, row.dropped
            ));
        }
        if !more {
            break;
        }
    }
    Ok(())
}

fn unknown(host: &str) -> Error {
    Error::Conflict(format!("there is no server {host}; `hedgeschool peer list` shows all"))
}

fn show(app: &App, host: &str) -> Result<()> {
    let name = host.to_ascii_lowercase();
    let row: Row = app.pool().read_blocking(|db| book::find(db, &name))?.ok_or_else(|| unknown(host))?;
    let time = |at: Option<Time>| at.map_or_else(|| "never".to_owned(), |at| at.rfc3339());
    let peer = &row.peer;
    let (received, dropped, unworked) = app.pool().read_blocking(|db| {
        let (dropped, unworked) = (trouble::list_dropped(db, &name, 20)?, trouble::list_unworked(db, &name, 20)?);
        Ok((trouble::count_received(db, &name)?, dropped, unworked))
    })?;
    let rule = match &row.standing.by {
        Some(by) => format!("{} by the rule for {by}", row.standing.severity),
        None => "none".to_owned(),
    };
    let lines = [
        ("server", peer.host.clone()),
        ("line", peer.state.to_string()),
        ("rule", rule),
        ("runs", row.runs()),
        ("waiting", row.waiting.to_string()),
        ("oldest", row.oldest.map(|at| at.rfc3339()).unwrap_or_default()),
        ("given up", row.dropped.to_string()),
        ("came in", format!("{received} wait, {} without effect", unworked.0)),
        ("next try", time(peer.due_at)),
        ("last success", time(peer.last_success_at)),
        ("last failure", time(peer.last_failure_at)),
        ("reason", peer.last_error.clone().unwrap_or_default()),
        ("failures", peer.failures.to_string()),
        ("signatures", peer.scheme.map_or_else(|| "cavage first".to_owned(), |scheme| scheme.to_string())),
        ("known since", peer.created_at.rfc3339()),
        ("note", peer.note.clone()),
    ];
    for (name, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
        say(&format!("{name:<14} {value}"));
    }
    show_waiting(app, &peer.host)?;
    for one in dropped {
        say(&format!("given up       {} to {} at {}: {}", one.kind, one.inbox, one.at.rfc3339(), one.reason));
    }
    for one in unworked.1 {
        let word = if one.failed { "failed" } else { "refused" };
        say(&format!("{word:<14} {} by {} at {}: {}", one.kind, one.actor, one.at.rfc3339(), one.reason));
    }
    Ok(())
}

/// What waits for it, the oldest first.
fn show_waiting(app: &App, host: &str) -> Result<()> {
    for one in app.pool().read_blocking(|db| book::waiting(db, host, 20))? {
        let error = one.error.unwrap_or_else(|| "not tried yet".to_owned());
        say(&format!(
            "waits          {} to {} since {}, tries {}: {error}",
            one.kind,
            one.inbox,
            one.since.rfc3339(),
            one.attempts
        ));
    }
    Ok(())
}

fn retry(app: &App, host: &str) -> Result<()> {
    let name = host.to_ascii_lowercase();
    let asked = name.clone();
    let waits = app.pool().write_blocking(move |tx| book::retry(tx, &asked)).map_err(|error| match error {
        Error::NotFound => unknown(host),
        other => other,
    })?;
    say(&if waits {
        format!("{name} is tried within seconds, when the server runs")
    } else {
        format!("nothing waits for {name}")
    });
    Ok(())
}

fn decide(app: &App, decision: &Decision, severity: Severity) -> Result<()> {
    let new = NewRule {
        domain: decision.domain.clone(),
        severity,
        reject_media: decision.no_media,
        reject_reports: decision.no_reports,
        obfuscate: decision.obfuscate,
        public_comment: decision.reason.clone(),
        private_comment: decision.note.clone(),
    };
    let reach = app.pool().write_blocking(move |tx| domain::put(tx, None, &new))?;
    tell(&format!("{severity} holds for {}", name::canonical(&decision.domain).unwrap_or_default()), &reach);
    Ok(())
}

fn tell(what: &str, reach: &Reach) {
    say(&format!(
        "{what}: {} servers known, {} people and courses there, {} follows from there, {} from here, {} deliveries waited",
        reach.hosts, reach.actors, reach.followers, reach.followed, reach.waiting
    ));
}

fn unblock(app: &App, domain: &str) -> Result<()> {
    let named = domain.to_owned();
    let reach = app.pool().write_blocking(move |tx| domain::lift(tx, None, &named)).map_err(|error| match error {
        Error::NotFound => {
            Error::Conflict(format!("there is no rule for {domain}; `hedgeschool peer rules` shows all"))
        }
        other => other,
    })?;
    tell(&format!("no rule for {domain} any more"), &reach);
    say("follows and places that were kept hold again; what was dropped or refused meanwhile does not come back");
    Ok(())
}

fn rules(app: &App) -> Result<()> {
    if let Some(every) = app.pool().read_blocking(|db| domain::find(db, EVERY))? {
        say(&format!("{:<40} {:<8} servers without a rule of their own", EVERY, every.severity));
    }
    app.pool().read_blocking(|db| {
        domain::each(db, |rule| {
            say(&format!("{:<40} {:<8} {}", rule.domain, rule.severity, rule.public_comment));
            Ok(())
        })
    })
}

fn others(app: &App, severity: Severity) -> Result<()> {
    let reach = app.pool().write_blocking(move |tx| match severity {
        Severity::Admit if domain::find(tx, EVERY)?.is_none() => Ok(Reach::default()),
        Severity::Admit => domain::lift(tx, None, EVERY),
        stricter => domain::put(tx, None, &NewRule::of(EVERY, stricter)),
    })?;
    tell(&format!("{severity} holds for servers without a rule"), &reach);
    Ok(())
}

fn export(app: &App, admitted: bool) -> Result<()> {
    let write = if admitted { csv::write_admitted } else { csv::write_all };
    let text = app.pool().read_blocking(write)?;
    std::io::stdout().write_all(text.as_bytes()).map_err(|e| Error::Unavailable(format!("cannot be written: {e}")))
}

fn import(app: &App, file: &Path, names: Option<Severity>, (apply, replace): (bool, bool)) -> Result<()> {
    let mut bytes = Vec::new();
    let most = u64::try_from(LARGEST).unwrap_or(u64::MAX).saturating_add(1);
    let read = if file.as_os_str() == "-" {
        std::io::stdin().take(most).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(most).read_to_end(&mut bytes))
    };
    read.map_err(|e| Error::invalid("file", format!("{} cannot be read: {e}", file.display())))?;
    let read = csv::read(&bytes, names)?;
    for bad in &read.bad {
        say(&format!("line {} is left out: {}", bad.number, bad.reason));
    }
    let rules: Vec<NewRule> = read.lines.into_iter().map(|line| line.rule).collect();
    let known = app.pool().read_blocking(|db| domain::find_all(db, rules.iter().map(|rule| rule.domain.as_str())))?;
    let (mut new, mut other, mut same) = (0, 0, 0);
    for rule in &rules {
        match known.get(&rule.domain) {
            None => {
                new += 1;
                say(&format!("new    {} {}", rule.domain, rule.severity));
            }
            Some(old) if rule.says(old) => same += 1,
            Some(old) => {
                other += 1;
                say(&format!("other  {} {} (now {})", rule.domain, rule.severity, old.severity));
            }
        }
    }
    say(&format!("{new} new, {other} other than now, {same} as now, {} left out", read.bad.len()));
    if !apply {
        say("nothing was changed; --apply does it, with --replace also where a rule is other than in the list");
        return Ok(());
    }
    let done = app.pool().write_blocking(move |tx| domain::put_all(tx, None, &rules, replace))?;
    say(&format!("{done} rules were made or changed"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::World;

    #[test]
    fn a_list_changes_nothing_until_it_is_applied() {
        let world = World::new();
        let app = world.app();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("blocks.csv");
        std::fs::write(&file, "#domain,#severity\nevil.test,suspend\nbad line.,suspend\nslow.test,silence\n").unwrap();
        import(&app, &file, None, (false, false)).unwrap();
        assert_eq!(world.read(domain::count), 0);
        import(&app, &file, None, (true, false)).unwrap();
        assert_eq!(world.read(domain::count), 2);
        std::fs::write(&file, "evil.test,suspend\nslow.test\n").unwrap();
        assert!(import(&app, &file, None, (true, false)).is_err(), "nobody said what names mean");
        import(&app, &file, Some(Severity::Suspend), (true, false)).unwrap();
        assert!(world.read(|db| domain::standing(db, "slow.test")).is_limited(), "kept without --replace");
        import(&app, &file, Some(Severity::Suspend), (true, true)).unwrap();
        assert!(world.read(|db| domain::standing(db, "slow.test")).is_suspended());
        assert!(import(&app, &folder.path().join("nothing"), None, (true, true)).is_err());
    }

    #[test]
    fn what_is_not_there_is_said_and_what_is_done_holds() {
        let world = World::new();
        let app = world.app();
        assert!(matches!(show(&app, "nobody.test"), Err(Error::Conflict(_))));
        assert!(matches!(retry(&app, "nobody.test"), Err(Error::Conflict(_))));
        assert!(matches!(unblock(&app, "nobody.test"), Err(Error::Conflict(_))));
        let decision = |domain: &str| Decision {
            domain: domain.into(),
            reason: "Spam".into(),
            note: String::new(),
            no_media: false,
            no_reports: false,
            obfuscate: false,
        };
        assert!(matches!(decide(&app, &decision("nonsense"), Severity::Suspend), Err(Error::Invalid(_))));
        decide(&app, &decision("evil.test"), Severity::Suspend).unwrap();
        assert!(world.read(|db| domain::standing(db, "a.evil.test")).is_suspended());
        unblock(&app, "evil.test").unwrap();
        others(&app, Severity::Suspend).unwrap();
        assert!(world.read(|db| domain::standing(db, "new.test")).is_suspended());
        others(&app, Severity::Admit).unwrap();
        others(&app, Severity::Admit).unwrap();
        assert!(!world.read(|db| domain::standing(db, "new.test")).is_suspended());
        rules(&app).unwrap();
        export(&app, false).unwrap();
        list(&app, Filter::default()).unwrap();
    }
}
