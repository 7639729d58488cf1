//! How are rules read from and written to the CSV that Mastodon uses?
//!
//! Columns by name in the first line; without one, the first column is the domain. A list of names alone, such as
//! Mastodon's list of admitted servers, means what whoever reads it says. What cannot be read is named by its line, and
//! nothing of a file is lost in silence.

use super::{COMMENT, NewRule, Severity, name};
use crate::db::Db;
use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// Most bytes of a file.
pub const LARGEST: usize = 4 << 20;
/// Most lines of a file.
const MOST: usize = 100_000;

/// One line that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it stands in the file, from 1.
    pub number: u64,
    /// What it says.
    pub rule: NewRule,
}

/// One line that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// Where it stands in the file, from 1.
    pub number: u64,
    /// What stands there, shortened.
    pub text: String,
    /// Why it cannot be used.
    pub reason: String,
}

/// A file, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// What can be used, each domain once: the last line of it counts.
    pub lines: Vec<Line>,
    /// What cannot.
    pub bad: Vec<Bad>,
}

const COLUMNS: [&str; 6] =
    ["#domain", "#severity", "#reject_media", "#reject_reports", "#public_comment", "#obfuscate"];

const ONLY_NAMES: &str = "The list has names alone: please say whether these servers are admitted, limited or blocked.";

/// Reads a file, of which names without a column for the severity mean `names`. An error when it is too large or is no
/// text, or when nobody said what its names mean; everything else is said line by line.
pub fn read(bytes: &[u8], names: Option<Severity>) -> Result<Read> {
    if bytes.len() > LARGEST {
        return Err(Error::invalid("file", "The file is larger than 4 MiB."));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Error::invalid("file", "The file is no text in UTF-8."))?;
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut columns: Option<Vec<String>> = None;
    let mut read = Read::default();
    for (at, record) in reader.records().enumerate() {
        if at >= MOST {
            return Err(Error::invalid("file", "The file has more than 100000 lines."));
        }
        match record {
            Err(error) => {
                let number = error.position().map_or(0, ::csv::Position::line);
                read.bad.push(Bad { number, text: String::new(), reason: format!("it cannot be read: {error}") });
            }
            Ok(record) => match &columns {
                None if is_head(&record) => columns = Some(record.iter().map(plain).collect()),
                _ => read.take(line_of(&record, text), &record, (columns.as_deref(), names))?,
            },
        }
    }
    read.keep_last();
    Ok(read)
}

/// Where a record stands. The reader counts from the empty lines before it.
fn line_of(record: &::csv::StringRecord, text: &str) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    let empty = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n').count();
    position.line() + u64::try_from(empty).unwrap_or(0)
}

fn plain(cell: &str) -> String {
    cell.trim().trim_start_matches('#').to_ascii_lowercase()
}

fn is_head(record: &::csv::StringRecord) -> bool {
    record.iter().any(|cell| plain(cell) == "domain")
}

impl Read {
    /// Of several lines about one domain the last one counts; the others are named.
    fn keep_last(&mut self) {
        let mut last: BTreeMap<String, u64> = BTreeMap::new();
        for line in &self.lines {
            last.insert(line.rule.domain.clone(), line.number);
        }
        let bad = &mut self.bad;
        self.lines.retain(|line| {
            let counts = last.get(&line.rule.domain).copied().unwrap_or(line.number);
            if counts != line.number {
                let reason = format!("line {counts} says it again, and the last line counts");
                bad.push(Bad { number: line.number, text: line.rule.domain.clone(), reason });
            }
            counts == line.number
        });
        self.bad.sort_by_key(|bad| bad.number);
    }

    fn take(
        &mut self,
        number: u64,
        record: &::csv::StringRecord,
        (columns, names): (Option<&[String]>, Option<Severity>),
    ) -> Result<()> {
        if record.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(());
        }
        let says = columns.is_some_and(|columns| columns.iter().any(|column| column == "severity"));
        // Mastodon blocks where the column is there and empty.
        let usual = if says { Some(Severity::Suspend) } else { names };
        let Some(usual) = usual else { return Err(Error::invalid("names", ONLY_NAMES)) };
        let cell = |name: &str| {
            let at = match columns {
                Some(columns) => columns.iter().position(|column| column == name),
                None => (name == "domain").then_some(0),
            };
            at.and_then(|at| record.get(at)).map(str::trim).unwrap_or_default()
        };
        match rule(&cell, usual) {
            Ok(rule) => {
                self.lines.push(Line { number, rule });
            }
            Err(reason) => {
                let text: String = record.iter().collect::<Vec<_>>().join(",").chars().take(80).collect();
                self.bad.push(Bad { number, text, reason });
            }
        }
        Ok(())
    }
}

fn rule<'a>(cell: &impl Fn(&str) -> &'a str, usual: Severity) -> Result<NewRule, String> {
    let given = cell("domain");
    if given.contains('*') && !given.starts_with("*.") {
        return Err("its name is hidden by asterisks".to_owned());
    }
    let domain = name::canonical(given).ok_or_else(|| format!("“{given}” is no name of a server"))?;
    let severity = match cell("severity").to_ascii_lowercase().as_str() {
        "" => usual,
        "suspend" => Severity::Suspend,
        "silence" | "limit" => Severity::Limit,
        "noop" | "none" | "admit" => Severity::Admit,
        other => return Err(format!("“{other}” is no severity; there are suspend, silence and noop")),
    };
    let flag = |name: &str| match cell(name).to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" | "" => Ok(false),
        other => Err(format!("{name} is “{other}”; it must be true or false")),
    };
    let comment = |name: &str| match cell(name) {
        text if text.chars().count() <= COMMENT => Ok(text.to_owned()),
        _ => Err(format!("{name} is longer than {COMMENT} characters")),
    };
    Ok(NewRule {
        severity,
        reject_media: flag("reject_media")?,
        reject_reports: flag("reject_reports")?,
        obfuscate: flag("obfuscate")?,
        public_comment: comment("public_comment")?,
        private_comment: comment("private_comment")?,
        domain,
    })
}

/// Writes all rules but that for everyone, so that Mastodon reads them as well.
pub fn write_all(db: &mut Db) -> Result<String> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    let internal = |error: ::csv::Error| Error::Internal(Box::new(error));
    writer.write_record(COLUMNS).map_err(internal)?;
    super::each(db, |rule| {
        let severity = match rule.severity {
            Severity::Suspend => "suspend",
            Severity::Limit => "silence",
            Severity::Admit => "noop",
        };
        let flag = |is: bool| if is { "true" } else { "false" };
        let (media, reports, hidden) = (flag(rule.reject_media), flag(rule.reject_reports), flag(rule.obfuscate));
        let cells = [rule.domain.as_str(), severity, media, reports, &rule.public_comment, hidden];
        writer.write_record(cells).map_err(internal)
    })?;
    let bytes = writer.into_inner().map_err(|error| Error::internal(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| Error::Internal(Box::new(error)))
}

/// Writes the names of those that are admitted, as Mastodon writes and reads its allow-list.
pub fn write_admitted(db: &mut Db) -> Result<String> {
    let mut text = String::from("#domain\n");
    super::each(db, |rule| {
        if rule.severity == Severity::Admit {
            text.push_str(&rule.domain);
            text.push('\n');
        }
        Ok(())
    })?;
    Ok(text)
}
