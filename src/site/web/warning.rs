//! What should whoever runs the instance look at?

use crate::config::Config;
use crate::setting::Settings;

/// What should be looked at, with how to mend it.
pub(super) struct Warning {
    pub(super) title: &'static str,
    pub(super) text: String,
    /// Whether all is well as long as nobody else comes.
    pub(super) is_fine: bool,
}

impl Warning {
    pub(super) fn icon(&self) -> &'static str {
        if self.is_fine { "info" } else { "triangle-alert" }
    }
}

/// Everything of that kind. `unnamed`: the request for this page came from a trusted proxy that did not say for whom.
pub(super) fn warnings(config: &Config, settings: &Settings, letters: usize, unnamed: bool) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |title, text: &str| warnings.push(Warning { title, text: text.to_owned(), is_fine: false });
    if config.mail.smtp_url.is_empty() {
        let text = "Letters are written to the log instead of being sent, so nobody gets a link for a new password by \
                    mail. Set mail.smtp_url and mail.from, then start again.";
        warn("No mail server is set", text);
    } else if letters > 20 {
        warn("Letters pile up", &format!("{letters} letters wait to be sent. The log says why."));
    }
    let is_https = config.links().is_https();
    if is_https && unnamed {
        let text = "Your proxy does not say who asks, so limits count all people as one, and sessions show the address \
                    of the proxy. Let it set X-Forwarded-For to the address of the client.";
        warn("Everybody seems to come from one address", text);
    }
    if !is_https && !config.is_development() {
        let text = "This address is http, which is only good for trying it out: other servers do not talk to it. Put a \
                    reverse proxy in front and set server.url to its https address, before anybody joins.";
        warn("The address is not secure", text);
    }
    if settings.contact.is_empty() {
        let text = "People and other servers cannot see whom to write to. Add a contact in the settings.";
        warn("Nobody can reach you", text);
    }
    if config.is_development() {
        let text = "This school lives on this machine alone, by http. That is fine for trying it out. Before others \
                    come, put a reverse proxy in front and set server.url to the https address that will stay.";
        warnings.push(Warning { title: "You are trying it out", text: text.to_owned(), is_fine: true });
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(url: &str) -> Vec<(&'static str, bool)> {
        let mut config = Config::default();
        config.server.url = url.parse().unwrap();
        let found = warnings(&config, &Settings::default(), 0, true);
        found.into_iter().map(|warning| (warning.title, warning.is_fine)).collect()
    }

    #[test]
    fn on_ones_own_machine_the_address_is_no_reason_to_worry() {
        assert_eq!(titles("http://localhost:8080").last(), Some(&("You are trying it out", true)));
        assert!(titles("http://school.example").contains(&("The address is not secure", false)));
        assert!(titles("https://school.example").contains(&("Everybody seems to come from one address", false)));
        let all = ["http://localhost:8080", "http://school.example", "https://school.example"].map(titles);
        assert_eq!(all.map(|titles| titles.len()), [3, 3, 3], "one word about the address each");
    }
}
