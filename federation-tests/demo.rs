//! Does `hedgeschool demo` show what it promises, and leave nothing behind?

use crate::browser::{Browser, Page};
use crate::server::PATIENCE;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Instant;
use tempfile::TempDir;

/// The program, with a folder of its own for temporary ones.
struct Demo {
    child: Child,
    lines: BufReader<ChildStdout>,
    said: String,
    temporary: TempDir,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_hedgeschool"))
            .arg("demo")
            .args(arguments)
            .current_dir(temporary.path())
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines, said: String::new(), temporary }
    }

    /// Reads on until the program says this; fails when it ends before.
    fn until(&mut self, words: &str) {
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).unwrap();
            self.said.push_str(&line);
            if line.contains(words) {
                return;
            }
            if read == 0 {
                let complaints = self.complaints();
                panic!("it never said {words:?}:\n{}\n{complaints}", self.said);
            }
        }
    }

    /// What stands behind this in what was said, up to the next white space.
    fn told(&self, before: &str) -> String {
        let found = self.said.split_once(before).map(|(_, rest)| rest.split_whitespace().next().unwrap().to_owned());
        found.unwrap_or_else(|| panic!("{before:?} is missing in:\n{}", self.said))
    }

    fn complaints(&mut self) -> String {
        let mut text = String::new();
        if let Some(mut errors) = self.child.stderr.take() {
            errors.read_to_string(&mut text).unwrap();
        }
        text
    }

    fn ends(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begin.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    fn signal(&mut self, name: &str) -> ExitStatus {
        let told = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
        self.ends()
    }

    /// What is left of it on disk.
    fn left(&self) -> Vec<PathBuf> {
        fs::read_dir(self.temporary.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const FREE: [&str; 4] = ["--north-port", "0", "--south-port", "0"];

/// Signs somebody in and opens the first review that waits.
async fn open_review(base: &str, name: &str, password: &str) -> (Browser, Page) {
    let mut browser = Browser::at(base);
    let form = browser.get("/sign-in").await;
    browser.submit(&form, "/sign-in", &[("name", name), ("password", password)]).await;
    let list = browser.get("/reviews").await;
    list.must_say("to do");
    let task = browser.get(&list.link("/reviews/")).await;
    assert_eq!(task.radio_names().len(), 3, "{name} can judge by three criteria: {}", task.text());
    (browser, task)
}

#[tokio::test]
async fn people_of_both_schools_can_review_and_nothing_is_left_behind() {
    let mut demo = Demo::start(&FREE);
    demo.until("Ctrl-C");
    let (north, south, password) = (demo.told("North  "), demo.told("South  "), demo.told("password:"));
    open_review(&north, "cleo", &password).await;
    let (mut dov, task) = open_review(&south, "dov", &password).await;
    let names = task.radio_names();
    let levels: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    let sent = dov.submit(&task, "/reviews/", &levels).await;
    // The home's receipt: the schools still talk, at the present time.
    dov.wait(&sent.path, "a receipt", |page| page.says("What you sent") && !page.says("not confirmed")).await;
    for address in [demo.told("on North  "), demo.told("from South  "), demo.told("South on North  ")] {
        let page = Browser::at("").get(&address).await;
        assert_eq!(page.status, 200, "{address}: {}", page.text());
    }
    assert!(!demo.left().is_empty(), "its data is in the temporary folder");
    let status = demo.signal("-TERM");
    assert!(status.success(), "{status}: {}", demo.complaints());
    assert_eq!(demo.left(), Vec::<PathBuf>::new());
    assert_eq!(demo.complaints(), "", "nothing is logged while all goes well");
}

#[test]
fn ctrl_c_in_the_middle_of_the_story_leaves_nothing_behind() {
    let mut demo = Demo::start(&FREE);
    demo.until("set up");
    let status = demo.signal("-INT");
    assert!(status.success(), "{status}: {}", demo.complaints());
    assert_eq!(demo.left(), Vec::<PathBuf>::new());
}

#[test]
fn a_taken_port_is_told_with_the_way_to_choose_another() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut demo = Demo::start(&["--north-port", "0", "--south-port", &port]);
    assert_eq!(demo.ends().code(), Some(1));
    let complaint = demo.complaints();
    assert!(complaint.contains(&port) && complaint.contains("--south-port"), "{complaint}");
    assert_eq!(demo.left(), Vec::<PathBuf>::new());
}
