//! Where do letters arrive that a real server sends by SMTP? In a small mail server that asks for a password.

use crate::server::PATIENCE;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A mail server on loopback that keeps what it gets.
pub struct PostBox {
    /// Its address with user and password, as `mail.smtp_url` takes it.
    pub url: String,
    letters: Arc<Mutex<Vec<Letter>>>,
}

/// What came in.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    /// The user and password, as `AUTH PLAIN` sends them.
    pub secret: String,
    /// Sender and recipient of the envelope.
    pub envelope: (String, String),
    /// Headers and text.
    pub text: String,
}

impl PostBox {
    /// Opens one on a free port.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://school:sesame@{}", listener.local_addr().unwrap());
        let letters = Arc::new(Mutex::new(Vec::new()));
        let kept = letters.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = kept.clone();
                tokio::spawn(async move { talk(stream, &kept).await });
            }
        });
        Self { url, letters }
    }

    /// Waits until so many letters have come, and gives the last.
    pub async fn wait_for(&self, count: usize) -> Letter {
        let begin = Instant::now();
        loop {
            let letters = self.letters.lock().unwrap().clone();
            if let Some(letter) = letters.get(count - 1) {
                return letter.clone();
            }
            assert!(begin.elapsed() < PATIENCE, "letter {count} never came: {letters:?}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

/// One sender, from the greeting to the end.
async fn talk(stream: TcpStream, kept: &Mutex<Vec<Letter>>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut letter = Letter::default();
    write.write_all(b"220 post box\r\n").await.ok()?;
    while let Some(line) = lines.next_line().await.ok()? {
        let (word, rest) = line.split_at(line.len().min(4));
        let answer = match word.to_ascii_uppercase().as_str() {
            "EHLO" => "250-post box\r\n250 AUTH PLAIN",
            "AUTH" => {
                letter.secret = rest.trim().trim_start_matches("PLAIN ").to_owned();
                "235 come in"
            }
            "MAIL" => {
                letter.envelope.0 = rest.to_owned();
                "250 ok"
            }
            "RCPT" => {
                letter.envelope.1 = rest.to_owned();
                "250 ok"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                while let Some(line) = lines.next_line().await.ok()?.filter(|line| line != ".") {
                    letter.text += &format!("{line}\n");
                }
                kept.lock().unwrap().push(letter.clone());
                "250 kept"
            }
            _ => "250 ok",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
    Some(())
}
