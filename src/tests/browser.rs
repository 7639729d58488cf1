//! How does a test use the pages as a person does? A browser without a window: cookies, forms and redirects, through
//! the real router and without a socket.

use super::World;
use crate::account::{self, NewAccount, Role, session};
use crate::actor::{self, Actor};
use crate::app::App;
use crate::http::client::Peer;
use crate::http::form::CSRF_FIELD;
use crate::setting::{self, SignUp};
use crate::sign_in::web::recognise::session_cookie;
use crate::stop::Stop;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use tower::ServiceExt;

/// The password of everyone in tests.
pub const PASSWORD: &str = "six words behind the hedge";

/// One person's browser, with cookies of its own and, unless told otherwise, an address of its own.
pub struct Browser<'a> {
    world: &'a World,
    app: App,
    host: String,
    cookies: BTreeMap<String, String>,
    token: Option<String>,
    handle: String,
    /// Where requests come from.
    pub address: IpAddr,
    /// Further headers of every request.
    pub headers: Vec<(&'static str, String)>,
    /// Whether redirects are followed; they are.
    pub follows: bool,
}

/// What came back, after redirects. Reads like its text.
pub struct Shown {
    /// The status of the last answer.
    pub status: StatusCode,
    /// Where it ended up.
    pub path: String,
    /// Its headers.
    pub headers: axum::http::HeaderMap,
    /// Its body.
    pub text: String,
}

impl Deref for Shown {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}

impl Shown {
    /// A header as text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// What stands between the first `start` and the next `end` after it.
    pub fn between(&self, start: &str, end: &str) -> Option<&str> {
        let from = self.text.find(start)? + start.len();
        let to = self.text[from..].find(end)? + from;
        Some(&self.text[from..to])
    }

    /// Fails unless the page is there.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, StatusCode::OK, "{}: {}", self.path, self.text);
        self
    }
}

impl<'a> Browser<'a> {
    /// Nobody yet.
    pub fn new(world: &'a World) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let [_, b, c, d] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        Self {
            world,
            app: world.app(),
            host: "us.test".into(),
            cookies: BTreeMap::new(),
            token: None,
            handle: String::new(),
            address: IpAddr::from([10, b, c, d]),
            headers: Vec::new(),
            follows: true,
        }
    }

    /// The same at this instance around the same world, such as one that knows other servers.
    pub fn at(mut self, app: &App) -> Self {
        self.app = app.clone();
        self.host = app.config().hosts().remove(0);
        self
    }

    /// A person who is signed in, made without going through forms: fast.
    pub fn of(world: &'a World, handle: &str) -> Self {
        Self::with_role(world, handle, Role::Member)
    }

    /// As [`Browser::of`], with a role.
    pub fn with_role(world: &'a World, handle: &str, role: Role) -> Self {
        let mut browser = Self::new(world);
        let new = new_account(world, handle);
        let token = world.tx(move |tx| {
            let account = account::create_by_admin(tx, &new, role)?;
            session::open(tx, &account, "Test/1.0", "192.0.2.1")
        });
        browser.cookies.insert(session_cookie(&browser.app).into(), token.reveal().into());
        browser.handle = handle.into();
        browser
    }

    /// Makes an account by the form and signs in with it. Opens the school for everyone first.
    pub fn sign_up(&mut self, handle: &str) {
        self.world.tx(|tx| {
            let settings = setting::load(tx)?;
            setting::change(tx, None, &setting::Settings { sign_up: SignUp::Open, ..settings })
        });
        let email = format!("{handle}@mail.test");
        let fields = [("handle", handle), ("email", &email), ("password", PASSWORD), ("zone", "Europe/Berlin")];
        let page = self.submit("/sign-up", &fields);
        assert_eq!((page.status, page.path.split('?').next().unwrap()), (StatusCode::OK, "/sign-in"), "{}", page.text);
        self.sign_in(handle);
    }

    /// Signs in by the form, with the password of everyone.
    pub fn sign_in(&mut self, name: &str) {
        let page = self.submit("/sign-in", &[("name", name), ("password", PASSWORD), ("next", "/about")]);
        assert_eq!(page.path, "/about", "signing in failed: {}", page.text);
        self.handle = name.into();
    }

    /// Who is signed in.
    pub fn actor(&self) -> Actor {
        let handle = self.handle.clone();
        self.world.read(move |db| actor::find_here(db, &handle)).expect("nobody signed in here")
    }

    /// A page.
    pub fn get(&mut self, path: &str) -> Shown {
        self.send(Method::GET, path, "", Vec::new())
    }

    /// Sends a form, with the token that pages carry.
    pub fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let token = self.token();
        let mut fields = fields.to_vec();
        fields.push((CSRF_FIELD, &token));
        let body = serde_urlencoded::to_string(&fields).unwrap();
        self.send(Method::POST, path, "application/x-www-form-urlencoded", body.into_bytes())
    }

    /// Opens `page`, looks there for the form that goes to `action` (empty: one without `action`), and sends it with its
    /// hidden fields and these.
    pub fn submit_form(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Shown {
        let shown = self.get(page).ok();
        let start = match action {
            "" => shown.find("method=\"post\" novalidate").or_else(|| shown.find("method=\"post\">")),
            action => shown.find(&format!("action=\"{action}\"")),
        };
        let start = start.unwrap_or_else(|| panic!("{page} has no form for {action}: {}", shown.text));
        let form = shown[start..].split("</form>").next().unwrap();
        let hidden: Vec<(String, String)> = form
            .split("<input type=\"hidden\" name=\"")
            .skip(1)
            .filter_map(|rest| {
                let (name, rest) = rest.split_once('"')?;
                let value = rest.strip_prefix(" value=\"")?.split('"').next()?;
                Some((name.to_owned(), value.to_owned()))
            })
            .filter(|(name, _)| name != CSRF_FIELD && !fields.iter().any(|(given, _)| given == name))
            .collect();
        let mut all: Vec<(&str, &str)> = hidden.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        all.extend_from_slice(fields);
        self.submit(if action.is_empty() { page } else { action }, &all)
    }

    /// Sends a form with files: field, file name, media type and content.
    pub fn submit_files(&mut self, path: &str, fields: &[(&str, &str)], files: &[(&str, &str, &str, &[u8])]) -> Shown {
        const LINE: &str = "----hedge-of-a-test";
        let token = self.token();
        let mut body = Vec::new();
        for (name, value) in fields.iter().chain([&(CSRF_FIELD, token.as_str())]) {
            body.extend(
                format!("--{LINE}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
            );
        }
        for (field, name, kind, content) in files {
            let head = format!("Content-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"");
            body.extend(format!("--{LINE}\r\n{head}\r\nContent-Type: {kind}\r\n\r\n").bytes());
            body.extend_from_slice(content);
            body.extend(b"\r\n");
        }
        body.extend(format!("--{LINE}--\r\n").bytes());
        self.send(Method::POST, path, &format!("multipart/form-data; boundary={LINE}"), body)
    }

    /// Any request; follows redirects as a browser does.
    pub fn send(&mut self, method: Method, path: &str, kind: &str, body: Vec<u8>) -> Shown {
        let mut shown = self.send_once(method, path, kind, body);
        for _ in 0..10 {
            if !(self.follows && shown.status.is_redirection()) {
                return shown;
            }
            let to = shown.header("location").to_owned();
            assert!(to.starts_with('/') && !to.starts_with("//"), "led elsewhere: {to}");
            shown = self.send_once(Method::GET, &to, "", Vec::new());
        }
        panic!("redirected without end: {path}");
    }

    /// A cookie's value.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Plants or removes a cookie.
    pub fn set_cookie(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => drop(self.cookies.insert(name.into(), value.into())),
            None => drop(self.cookies.remove(name)),
        }
    }

    /// The token of the last page, or of one that everybody may see.
    pub fn token(&mut self) -> String {
        if self.token.is_none() {
            self.get("/about");
        }
        self.token.clone().expect("no page with a form was seen")
    }

    fn send_once(&mut self, method: Method, path: &str, kind: &str, body: Vec<u8>) -> Shown {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, &self.host);
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("accept")) {
            request = request.header(header::ACCEPT, "text/html,application/xhtml+xml");
        }
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if !kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let peer = Peer(SocketAddr::new(self.address, 4711));
        let request = request.extension(peer).body(Body::from(body)).unwrap();
        let (status, headers, text) = answer(&self.app, request);
        for line in headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            let ends = line.contains("Max-Age=0");
            self.set_cookie(name, if ends { None } else { Some(value) });
        }
        let shown = Shown { status, path: path.to_owned(), headers, text };
        if let Some(token) = shown.between("name=\"csrf\" value=\"", "\"") {
            self.token = Some(token.to_owned());
        }
        shown
    }
}

/// What an account of the cast is made of.
pub fn new_account(world: &World, handle: &str) -> NewAccount {
    NewAccount {
        handle: handle.into(),
        name: String::new(),
        email: format!("{handle}@mail.test"),
        password_hash: String::new(),
        zone: "Europe/Berlin".into(),
        application: String::new(),
        keys: world.keys(),
    }
}

/// On a thread of its own, so that tests with and without a runtime may ask.
fn answer(app: &App, request: Request<Body>) -> (StatusCode, axum::http::HeaderMap, String) {
    let work = async {
        let federation = crate::federation::run::config(app).await.unwrap();
        let router = crate::routes::router(app, &federation, Stop::pair().1);
        let response = router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts.status, parts.headers, String::from_utf8_lossy(&bytes).into_owned())
    };
    let run = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
    std::thread::scope(|scope| scope.spawn(run).join().unwrap())
}

#[test]
fn a_file_that_nobody_wants_leads_to_a_page_with_a_way_onward() {
    let world = World::new();
    let mut bo = Browser::of(&world, "bo");
    let shown = bo.submit_files("/nothing", &[("a", "b")], &[("file", "a.txt", "text/plain", b"x")]);
    assert_eq!(shown.status, StatusCode::NOT_FOUND);
    assert!(shown.contains("To the front page"));
}
