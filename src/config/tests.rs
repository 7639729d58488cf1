//! Is what cannot be used refused by name, with what can be?

use super::*;

fn with(toml: &str) -> Result<Config> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    std::fs::write(&path, toml).unwrap();
    Config::load(Some(&path))
}

#[test]
fn the_defaults_are_a_trial_on_this_machine() {
    let config = with("").unwrap();
    assert!(config.is_development());
    assert_eq!(config.links().host(), "localhost:8080");
    assert_eq!(config.address().unwrap(), Address::Sqlite("data/hedgeschool.db".into()));
}

#[test]
fn a_wrong_key_or_value_is_refused_by_name_with_what_is_allowed() {
    let expected = [
        ("[server]\nbnid = \"127.0.0.1:1\"", &["server.bnid", "server.bind", "c.toml"][..]),
        ("[serverr]\nbind = \"127.0.0.1:1\"", &["no serverr", "[server]"]),
        ("[server]\nbind = \"localhost:80\"", &["server.bind: \"localhost:80\"", "127.0.0.1:8080"]),
        ("[server]\nbind = 5", &["server.bind: 5", "127.0.0.1:8080"]),
        ("[server]\nmax_connections = -1", &["server.max_connections: -1", "a number from 1"]),
        ("[server]\nmax_upload = 0", &["server.max_upload: is 0", "from 1 to"]),
        ("[server]\ntrusted_proxies = [\"10.0.0.0/8\"]", &["server.trusted_proxies", "list of IP addresses"]),
        ("[server]\nurl = \"school.example\"", &["server.url: \"school.example\"", "https://"]),
        ("[server]\nurl = \"http://school.example\"", &["server.url", "https"]),
        ("[log]\nformat = \"xml\"", &["log.format: \"xml\"", "human or json"]),
        ("[log]\nfilter = \"no such==\"", &["log.filter", "info,hedgeschool=debug"]),
        ("[mail]\nsmtp_url = \"mail.example:25\"", &["mail.smtp_url", "smtps://user:password@"]),
        ("[mail]\nfrom = \"nobody\"", &["mail.from: \"nobody\"", "Our School <school@example.org>"]),
        ("[database]\nurl = \"mysql://secret\"", &["database.url: must begin with sqlite: or postgres://"]),
        ("[federation]\ntimeout_seconds = 0", &["federation.timeout_seconds: is 0", "1 to 300"]),
        ("[federation]\nextra_ca = \"/nowhere.pem\"", &["federation.extra_ca: /nowhere.pem"]),
        ("[server\nbind", &["c.toml", "line 1"]),
    ];
    for (toml, words) in expected {
        let said = with(toml).unwrap_err().to_string();
        assert!(words.iter().all(|word| said.contains(word)), "{toml} is answered {said}");
        assert!(!said.contains("secret") && !said.contains('\n'), "{said}");
    }
}

#[test]
fn every_setting_says_what_it_takes() {
    let defaults = serde_json::to_value(Config::default()).unwrap();
    for (part, settings) in defaults.as_object().unwrap() {
        for name in settings.as_object().unwrap().keys() {
            assert_ne!(refusal::allowed(&format!("{part}.{name}")), "something else", "{part}.{name}");
        }
    }
}

#[test]
fn loopback_exceptions_need_a_loopback_listener() {
    let open = with(
        "[server]\nbind = \"0.0.0.0:80\"\nurl = \"https://a.example\"\n[federation]\nloopback_names = [\"x.test\"]",
    );
    assert!(open.unwrap_err().to_string().contains("loopback_names"));
    let metrics = with("[metrics]\nbind = \"0.0.0.0:9000\"").unwrap_err().to_string();
    assert!(metrics.contains("metrics.bind"));
}

#[test]
fn the_example_file_is_the_defaults() {
    let text = include_str!("../../config/hedgeschool.example.toml");
    let bare: String = text.lines().map(|line| line.strip_prefix("#= ").unwrap_or(line)).collect::<Vec<_>>().join("\n");
    let config = with(&bare).unwrap();
    assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
}
