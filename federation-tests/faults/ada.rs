//! What does somebody here do meanwhile? Posts by the form, and believes what the page says.

use crate::ledger::Ledger;
use crate::place::Place;
use crate::school::School;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Ada's browser.
#[derive(Clone)]
pub struct Ada {
    client: reqwest::Client,
    host: String,
    cookie: String,
    course: String,
    token: String,
}

impl Ada {
    /// Opens the course's discussion, where the form is.
    pub async fn open(place: &Place, school: &School, at: SocketAddr) -> Self {
        let client =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(Duration::from_secs(60));
        let course = "/c/keeping/discussion".to_owned();
        let mut ada = Self {
            client: client.build().unwrap(),
            host: place.host(),
            cookie: school.cookie.clone(),
            course,
            token: String::new(),
        };
        let request = ada.client.get(format!("http://{at}{}", ada.course)).header("host", &ada.host);
        let answer = request.header("cookie", &ada.cookie).header("accept", "text/html").send().await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            ada.cookie += &format!("; {}", cookie.to_str().unwrap().split(';').next().unwrap());
        }
        let page = answer.text().await.unwrap();
        let field = page.split("name=\"csrf\" value=\"").nth(1).expect("there is a form");
        ada.token = field.split('"').next().unwrap().to_owned();
        ada
    }

    /// A page: its status and what stands on it; none when the connection broke.
    pub async fn look(&self, at: SocketAddr, path: &str) -> Option<(u16, String)> {
        let request = self.client.get(format!("http://{at}{path}")).header("host", &self.host);
        let answer = request.header("cookie", &self.cookie).header("accept", "text/html").send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    /// Posts a thread; says what the answer was, and writes down what was confirmed.
    pub async fn post(&self, at: SocketAddr, ledger: &Ledger) -> Option<u16> {
        let words = format!("Thread number {} of the day", NEXT.fetch_add(1, Ordering::Relaxed));
        let form = [("csrf", self.token.as_str()), ("title", &words), ("body", "Said **once**.")];
        let body = serde_urlencoded::to_string(form).unwrap();
        let request = self.client.post(format!("http://{at}{}", self.course)).header("host", &self.host).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.header("cookie", &self.cookie).header("accept", "text/html").send().await.ok()?;
        let status = answer.status().as_u16();
        assert!(matches!(status, 303 | 429 | 503), "Ada is answered {status}: {:?}", answer.text().await);
        if status == 303 {
            ledger.confirm(&words);
        }
        Some(status)
    }

    /// Posts all the time until the flag is set.
    pub fn go_on(self, at: SocketAddr, ledger: Ledger, stop: Arc<AtomicBool>) -> JoinHandle<()> {
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                self.post(at, &ledger).await;
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        })
    }
}
