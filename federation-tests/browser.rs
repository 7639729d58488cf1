//! How does a test do what a person does in a browser? With cookies, links and the forms that stand on the page, and no
//! script.

use crate::server::{PATIENCE, Server};
use scraper::{ElementRef, Html, Selector};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// Somebody's browser on one instance.
pub struct Browser {
    base: String,
    cookies: BTreeMap<String, String>,
    client: reqwest::Client,
}

/// What the browser shows.
#[derive(Debug, Clone)]
pub struct Page {
    /// The status of the last answer.
    pub status: u16,
    /// The path that is shown, after redirects.
    pub path: String,
    /// The HTML.
    pub html: String,
}

/// An answer as it came, before any redirect.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    headers: reqwest::header::HeaderMap,
    /// Its body.
    pub text: String,
}

impl Answer {
    /// The value of a header; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A form of a page with what stands in it.
#[derive(Debug, Clone)]
struct Filled {
    action: String,
    multipart: bool,
    get: bool,
    fields: Vec<(String, String)>,
}

/// A file that somebody chooses: field, name, content.
pub type File<'a> = (&'a str, &'a str, &'a str);

fn select(css: &str) -> Selector {
    Selector::parse(css).unwrap()
}

impl Page {
    /// The words of the page, white space taken as one blank.
    pub fn text(&self) -> String {
        let document = Html::parse_document(&self.html);
        let text: String = document.root_element().text().flat_map(|piece| [piece, " "]).collect();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether the words stand on the page.
    pub fn says(&self, words: &str) -> bool {
        self.text().contains(words)
    }

    /// Fails unless the words stand on the page.
    #[track_caller]
    pub fn must_say(&self, words: &str) -> &Self {
        assert!(self.says(words), "{} ({}) does not say {words:?}:\n{}", self.path, self.status, self.text());
        self
    }

    /// Fails when the bytes stand anywhere in the page.
    #[track_caller]
    pub fn must_not_have(&self, bytes: &str) -> &Self {
        assert!(!self.html.contains(bytes), "{} has {bytes:?}", self.path);
        self
    }

    /// The addresses of links that contain this.
    pub fn links(&self, part: &str) -> Vec<String> {
        let document = Html::parse_document(&self.html);
        let all = document.select(&select("a[href]")).map(|a| a.attr("href").unwrap().to_owned()).collect::<Vec<_>>();
        all.into_iter().filter(|link| link.contains(part)).collect()
    }

    /// The address of the first link that contains this.
    #[track_caller]
    pub fn link(&self, part: &str) -> String {
        let links = self.links(part);
        links.first().cloned().unwrap_or_else(|| panic!("{} has no link with {part:?}:\n{}", self.path, self.html))
    }

    /// The names of all groups of radio buttons.
    pub fn radio_names(&self) -> Vec<String> {
        let document = Html::parse_document(&self.html);
        let mut names: Vec<String> =
            document.select(&select("input[type=radio]")).filter_map(|i| i.attr("name")).map(str::to_owned).collect();
        names.dedup();
        names
    }

    /// Whether there is a form that goes there.
    pub fn has_form(&self, action: &str) -> bool {
        self.forms().iter().any(|form| form.action.contains(action))
    }

    fn forms(&self) -> Vec<Filled> {
        let document = Html::parse_document(&self.html);
        document.select(&select("form")).map(|form| self.read_form(form)).collect()
    }

    fn read_form(&self, form: ElementRef<'_>) -> Filled {
        let mut fields = Vec::new();
        for control in form.select(&select("input, textarea, select")) {
            let Some(name) = control.attr("name") else { continue };
            let value = match control.value().name() {
                "textarea" => Some(control.text().collect::<String>().trim_start_matches('\n').to_owned()),
                "select" => {
                    let chosen = control.select(&select("option[selected]")).next();
                    let first = control.select(&select("option")).next();
                    chosen.or(first).and_then(|o| o.attr("value")).map(str::to_owned)
                }
                _ => match control.attr("type").unwrap_or("text") {
                    "submit" | "button" | "file" => None,
                    "radio" | "checkbox" if control.attr("checked").is_none() => None,
                    _ => Some(control.attr("value").unwrap_or_default().to_owned()),
                },
            };
            fields.extend(value.map(|value| (name.to_owned(), value)));
        }
        Filled {
            action: form.attr("action").filter(|a| !a.is_empty()).unwrap_or(&self.path).to_owned(),
            multipart: form.attr("enctype") == Some("multipart/form-data"),
            get: form.attr("method").is_none_or(|method| method.eq_ignore_ascii_case("get")),
            fields,
        }
    }
}

impl Browser {
    /// A browser without cookies.
    pub fn new(server: &Server) -> Self {
        Self::that_trusts(server.authority.as_deref(), &server.url)
    }

    /// A browser that looks at this address.
    pub fn at(base: &str) -> Self {
        Self::that_trusts(None, base)
    }

    fn that_trusts(authority: Option<&Path>, base: &str) -> Self {
        let mut client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            // As browsers do; not every system knows names below localhost. The port is that of the address.
            .resolve("north.localhost", ([127, 0, 0, 1], 0).into())
            .resolve("south.localhost", ([127, 0, 0, 1], 0).into());
        if let Some(path) = authority {
            let pem = std::fs::read(path).unwrap();
            client = client.tls_certs_merge([reqwest::Certificate::from_pem(&pem).unwrap()]);
        }
        Self { base: base.to_owned(), cookies: BTreeMap::new(), client: client.build().unwrap() }
    }

    /// Opens a page.
    pub async fn get(&mut self, path: &str) -> Page {
        let request = self.client.get(self.absolute(path));
        self.send(request, path).await
    }

    /// Asks for an address without going on to where a redirect leads, and without keeping cookies.
    pub async fn look(&self, path: &str) -> Answer {
        let request = self.client.get(self.absolute(path)).header("accept", "text/html");
        let answer = request.header("cookie", self.cookie_line()).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, text: answer.text().await.unwrap_or_default() }
    }

    /// Sends an empty form to an address and says what it is answered.
    pub async fn post_without_token(&self, path: &str) -> u16 {
        let request = self.client.post(self.absolute(path)).header("accept", "text/html").body("");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.header("cookie", self.cookie_line()).send().await.unwrap().status().as_u16()
    }

    fn cookie_line(&self) -> String {
        self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join("; ")
    }

    /// Fills in the form of the page whose action contains `action`, and sends it. A field given several times is sent
    /// several times.
    #[track_caller]
    pub fn submit<'a>(
        &'a mut self,
        page: &Page,
        action: &str,
        values: &'a [(&'a str, &'a str)],
    ) -> impl Future<Output = Page> + 'a {
        self.submit_with(page, action, values, &[])
    }

    /// The same, with files.
    #[track_caller]
    pub fn submit_with<'a>(
        &'a mut self,
        page: &Page,
        action: &str,
        values: &'a [(&'a str, &'a str)],
        files: &'a [File<'a>],
    ) -> impl Future<Output = Page> + 'a {
        let forms = page.forms();
        let found = forms.iter().find(|form| form.action.contains(action)).cloned();
        let Some(mut form) = found else {
            let actions: Vec<_> = forms.iter().map(|form| &form.action).collect();
            panic!("{} ({}) has no form for {action:?}, only {actions:?}:\n{}", page.path, page.status, page.text())
        };
        form.fields.retain(|(name, _)| !values.iter().any(|(given, _)| given == name));
        form.fields.extend(values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        async move { self.send_form(form, files).await }
    }

    async fn send_form(&mut self, form: Filled, files: &[File<'_>]) -> Page {
        let url = self.absolute(&form.action);
        let request = if form.get {
            let query = serde_urlencoded::to_string(&form.fields).unwrap();
            self.client.get(format!("{url}?{query}"))
        } else if form.multipart {
            let mark = "----------------hedge";
            let mut body = String::new();
            for (name, value) in &form.fields {
                body += &format!("--{mark}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            }
            for (field, name, content) in files {
                body += &format!(
                    "--{mark}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
                     Content-Type: text/plain\r\n\r\n{content}\r\n"
                );
            }
            body += &format!("--{mark}--\r\n");
            self.client.post(url).header("content-type", format!("multipart/form-data; boundary={mark}")).body(body)
        } else {
            let body = serde_urlencoded::to_string(&form.fields).unwrap();
            self.client.post(url).header("content-type", "application/x-www-form-urlencoded").body(body)
        };
        self.send(request, &form.action).await
    }

    /// Opens a page again and again until it is as wanted.
    #[track_caller]
    pub fn wait<'a>(
        &'a mut self,
        path: &'a str,
        what: &'a str,
        wanted: impl Fn(&Page) -> bool + 'a,
    ) -> impl Future<Output = Page> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let begin = Instant::now();
            loop {
                let page = self.get(path).await;
                if wanted(&page) {
                    return page;
                }
                assert!(begin.elapsed() < PATIENCE, "{caller}: {path} never showed {what}:\n{}", page.text());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Opens a page until the words stand on it.
    #[track_caller]
    pub fn wait_for<'a>(&'a mut self, path: &'a str, words: &'a str) -> impl Future<Output = Page> + 'a {
        self.wait(path, words, move |page| page.says(words))
    }

    fn absolute(&self, path: &str) -> String {
        if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder, path: &str) -> Page {
        let (mut request, mut path) = (request, path.to_owned());
        for _ in 0..6 {
            let answer =
                request.header("cookie", self.cookie_line()).header("accept", "text/html").send().await.unwrap();
            self.keep_cookies(&answer);
            let status = answer.status().as_u16();
            let location = answer.headers().get("location").map(|l| l.to_str().unwrap().to_owned());
            let html = answer.text().await.unwrap_or_default();
            match location {
                Some(next) if (300..400).contains(&status) => {
                    request = self.client.get(self.absolute(&next));
                    path = next;
                }
                _ => return Page { status, path, html },
            }
        }
        panic!("{path} redirects without end")
    }

    fn keep_cookies(&mut self, answer: &reqwest::Response) {
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (pair, rest) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').unwrap();
            if rest.to_ascii_lowercase().contains("max-age=0") || value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
