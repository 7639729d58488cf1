//! Which media types carry ActivityPub?

const CONTEXT: &str = "https://www.w3.org/ns/activitystreams";

/// What we ask for when we fetch an object (AP 3.2).
pub const ACCEPT: &str = "application/activity+json, \
     application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"";

/// Whether a `Content-Type` says ActivityPub: `application/activity+json`, or `application/ld+json`
/// with the ActivityStreams profile; with any further parameters, spacing and case.
///
/// Everything else is refused, also `application/json`: servers that let people upload files serve
/// them under other types than these (ORI-22).
pub fn is_activity(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    if essence.eq_ignore_ascii_case("application/activity+json") {
        return true;
    }
    essence.eq_ignore_ascii_case("application/ld+json")
        && parts.filter_map(|part| part.split_once('=')).any(|(name, value)| {
            name.trim().eq_ignore_ascii_case("profile")
                && value.trim().trim_matches('"').split_ascii_whitespace().any(|profile| profile == CONTEXT)
        })
}

/// Whether a `Content-Type` is one of `essences`, whatever its parameters.
pub fn is_one_of(content_type: &str, essences: &[&str]) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essences.iter().any(|known| known.eq_ignore_ascii_case(essence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ori_22_only_the_types_of_activitypub_count() {
        for good in [
            "application/activity+json",
            "Application/Activity+JSON;charset=utf-8",
            "application/activity+json ; charset=\"UTF-8\"",
            "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"",
            "application/ld+json;profile=\"https://www.w3.org/ns/activitystreams\";charset=utf-8",
            "application/ld+json; charset=utf-8; profile=https://www.w3.org/ns/activitystreams",
            "application/ld+json; profile=\"https://x.test https://www.w3.org/ns/activitystreams\"",
        ] {
            assert!(is_activity(good), "{good}");
        }
        for bad in [
            "",
            "application/json",
            "application/ld+json",
            "application/ld+json; profile=\"https://w3id.org/security\"",
            "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams.evil\"",
            "text/plain; application/activity+json",
            "text/html",
            "image/png",
            "application/activity+jsonx",
        ] {
            assert!(!is_activity(bad), "{bad}");
        }
        assert!(is_one_of("application/JRD+json; charset=utf-8", &["application/jrd+json"]));
        assert!(!is_one_of("text/html", &["application/jrd+json", "application/json"]));
    }
}
