//! Where a browser goes after signing in. The wish comes from a link that anyone can make, so it
//! is held to our own origin and the allow list; what is not understood is not followed.

use url::{Origin, Url};

use super::config::AuthConfig;

/// Longer wishes are ignored: each rides in a cookie.
const WISH_MAX: usize = 512;

/// The page to return to: `wish` if it may be followed, else the home page. Always absolute, with
/// an origin of ours or of the allow list, so that no reader of the `Location` header resolves it
/// to anywhere else.
pub(super) fn return_to(wish: Option<&str>, config: &AuthConfig) -> Url {
    wish.and_then(|wish| follow(wish, config))
        .unwrap_or_else(|| config.home())
}

fn follow(wish: &str, config: &AuthConfig) -> Option<Url> {
    // Browsers read `\` as `/` and skip tabs and line ends: no honest link has them.
    let odd = |c: char| c == '\\' || c.is_whitespace() || c.is_control();
    if wish.len() > WISH_MAX || wish.contains(odd) {
        return None;
    }
    let url = if wish.starts_with('/') && !wish.starts_with("//") {
        config.base_url.join(wish).ok()?
    } else if scheme_is_http(wish) {
        Url::parse(wish).ok()?
    } else {
        return None;
    };
    let anonymous = url.username().is_empty() && url.password().is_none();
    let may = anonymous
        && allowed(&url.origin(), config)
        && plain_path(url.path())
        && !leads_back_here(&url, config)
        && url.as_str().len() <= 2 * WISH_MAX;
    may.then_some(url)
}

/// `https://` or `http://` written out: `https:/evil` and `https:evil` are valid to browsers too.
fn scheme_is_http(wish: &str) -> bool {
    let Some((scheme, rest)) = wish.split_once("://") else {
        return false;
    };
    ["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) && !rest.starts_with('/')
}

/// Whether an origin is ours or on the allow list.
pub(super) fn allowed(origin: &Origin, config: &AuthConfig) -> bool {
    *origin == config.base_url.origin()
        || config
            .allowed_origins
            .iter()
            .any(|allowed| allowed.origin() == *origin)
}

/// No path that a proxy or a page could decode into `//host` or a line of its own.
fn plain_path(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let double_slash = ["//", "/%2f", "/%5c"]
        .iter()
        .any(|beginning| path.starts_with(beginning));
    let encoded_control = path
        .split('%')
        .skip(1)
        .any(|rest| rest.starts_with(['0', '1']) || rest.starts_with("7f"));
    !double_slash && !encoded_control
}

/// A return to the login's own routes would go round in a circle.
fn leads_back_here(url: &Url, config: &AuthConfig) -> bool {
    let routes = config.at("auth");
    url.origin() == routes.origin()
        && url
            .path()
            .strip_prefix(routes.path())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::auth::config::tests::auth_config;

    fn to(wish: &str) -> String {
        let mut config = auth_config("https://hall.example/voice");
        config.allowed_origins = vec![
            "https://app.example".parse().expect("a URL"),
            "http://localhost:5173".parse().expect("a URL"),
        ];
        return_to(Some(wish), &config).into()
    }

    const HOME: &str = "https://hall.example/voice/";

    #[test]
    fn pages_of_our_own_and_of_the_allow_list_are_returned_to() {
        for (wish, url) in [
            ("/", "https://hall.example/"),
            ("/voice/", HOME),
            (
                "/voice/rooms?guild=1#top",
                "https://hall.example/voice/rooms?guild=1#top",
            ),
            ("/voice/authors", "https://hall.example/voice/authors"),
            (
                "/a?next=//evil.example",
                "https://hall.example/a?next=//evil.example",
            ),
            ("/grüße", "https://hall.example/gr%C3%BC%C3%9Fe"),
            ("https://hall.example/x", "https://hall.example/x"),
            ("HTTPS://HALL.example:443/x", "https://hall.example/x"),
            (
                "https://app.example/deep?x=1",
                "https://app.example/deep?x=1",
            ),
            ("http://localhost:5173/", "http://localhost:5173/"),
        ] {
            assert_eq!(to(wish), url, "{wish:?}");
        }
    }

    #[test]
    fn hostile_wishes_lead_home() {
        let long = format!("/{}", "x".repeat(WISH_MAX));
        let swelling = format!("/{}", "ß".repeat(WISH_MAX / 2 - 1));
        for wish in [
            "",
            "rooms",
            "?x",
            "#x",
            ".",
            "..",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "/ /evil.example",
            "\u{0}//evil.example",
            "/.//evil.example",
            "/x/..//evil.example",
            "/%2e//evil.example",
            "/%2e%2e//evil.example",
            "/%2f/evil.example",
            "/%2Fevil.example",
            "/%5cevil.example",
            "/%5Cevil.example",
            "/x%0d%0aSet-Cookie:a=b",
            "/x\r\nSet-Cookie: a=b",
            "/x%00",
            "/%09/evil.example",
            "/x%7f",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "https://evil.example",
            "http://hall.example/",
            "https://hall.example:8443/",
            "https://hall.example.evil.example/",
            "https://hall.example@evil.example/",
            "https://evil.example@hall.example/",
            "https://:x@hall.example/",
            "https://app.example@evil.example/",
            "https:hall.example",
            "https:/hall.example",
            "https:///evil.example",
            "https://evil.example\\@hall.example/",
            "https://evil.example#@hall.example/",
            "https://app.example.",
            "ftp://hall.example/",
            "https://[",
            "https://",
            "http://localhost:5174/",
            "//hall.example@evil.example",
            "/voice/auth",
            "/voice/auth/login?returnTo=/",
            "/voice/x/../auth/callback",
            "https://hall.example/voice/auth/logout",
            &long,
            &swelling,
        ] {
            assert_eq!(to(wish), HOME, "{wish:?}");
        }
        let config = auth_config("https://hall.example/voice");
        assert_eq!(return_to(None, &config).as_str(), HOME);
    }

    proptest! {
        #[test]
        fn no_wish_leaves_the_allowed_origins(
            wish in prop_oneof![
                "\\PC{0,40}",
                "(https?:|javascript:|)[/\\\\@:.%0-9a-f\t\n?#-]{0,12}(evil|hall|app)\\.example[/\\\\@:a-z.%0-9]{0,20}",
                "/[/\\\\%.25cCfF\t\r\n@a-z:]{0,24}",
            ]
        ) {
            let url = to(&wish);
            prop_assert!(url.bytes().all(|byte| byte.is_ascii_graphic()));
            // Read again as a browser would read it.
            let read = Url::parse(&url).expect("a URL of ours");
            prop_assert!(
                ["https://hall.example", "https://app.example", "http://localhost:5173"]
                    .contains(&read.origin().ascii_serialization().as_str()),
                "{wish:?} led to {url}"
            );
            prop_assert!(read.username().is_empty());
            prop_assert!(!read.path().starts_with("//"));
            prop_assert_eq!(to(&url), url, "a followed wish is followed again");
        }
    }
}
