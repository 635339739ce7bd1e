//! "The Discord side": the page at `/`, and what it shares with the sign-in's.
//!
//! Plain HTML, CSS and JavaScript, embedded as they stand. It uses `/sim` like
//! any other program.

use axum::{
    Router,
    extract::Path,
    http::header,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};

use crate::{snowflake::Snowflake, state::AppState};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const INDEX: &[u8] = include_bytes!("page/index.html");
const ICON: &[u8] = include_bytes!("page/icon.svg");
const TOKENS: &[u8] = include_bytes!("page/tokens.css");
const BASE: &[u8] = include_bytes!("page/base.css");
const FONT: &[u8] = include_bytes!("page/figtree.woff2");

/// Where each file is, what it is, and what is in it.
const FILES: [(&str, &str, &[u8]); 16] = [
    ("/page/icon.svg", SVG, ICON),
    ("/favicon.ico", SVG, ICON),
    ("/page/tokens.css", CSS, TOKENS),
    ("/page/base.css", CSS, BASE),
    ("/page/style.css", CSS, include_bytes!("page/style.css")),
    ("/page/people.css", CSS, include_bytes!("page/people.css")),
    ("/page/weather.css", CSS, include_bytes!("page/weather.css")),
    ("/page/sign-in.css", CSS, include_bytes!("page/sign-in.css")),
    ("/page/figtree.woff2", "font/woff2", FONT),
    (
        "/page/figtree-OFL.txt",
        "text/plain; charset=utf-8",
        include_bytes!("page/figtree-OFL.txt"),
    ),
    ("/page/app.js", SCRIPT, include_bytes!("page/app.js")),
    ("/page/dom.js", SCRIPT, include_bytes!("page/dom.js")),
    ("/page/people.js", SCRIPT, include_bytes!("page/people.js")),
    ("/page/sim.js", SCRIPT, include_bytes!("page/sim.js")),
    (
        "/page/weather.js",
        SCRIPT,
        include_bytes!("page/weather.js"),
    ),
    ("/page/world.js", SCRIPT, include_bytes!("page/world.js")),
];

/// Only its own files and its own `/sim`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The page's own files, from the root.
pub(crate) fn router() -> Router<AppState> {
    let files = FILES
        .into_iter()
        .fold(Router::new(), |router, (path, kind, content)| {
            router.route(path, get(move || async move { file(kind, content) }))
        });
    files.route("/channels/{guild_id}/{channel_id}", get(channel))
}

/// The page itself.
pub(crate) fn index() -> Response {
    file(HTML, INDEX)
}

/// Discord's own client: whoever is led to a channel there finds what stands for it here.
async fn channel(Path((guild_id, channel_id)): Path<(String, String)>) -> Redirect {
    match (
        guild_id.parse::<Snowflake>(),
        channel_id.parse::<Snowflake>(),
    ) {
        (Ok(guild_id), Ok(channel_id)) => Redirect::to(&format!("/#{guild_id}/{channel_id}")),
        // Such as `@me`.
        _ => Redirect::to("/"),
    }
}

fn file(content_type: &'static str, content: &'static [u8]) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, content).into_response()
}

#[cfg(test)]
mod tests {
    use super::{BASE, FONT, TOKENS};

    /// The simulator stands alone, so it has a copy of what all pages are drawn with.
    #[test]
    fn the_language_of_the_pages_is_one() {
        let tokens = include_str!("../../../ui/src/design/tokens.css");
        assert!(
            TOKENS == tokens.as_bytes(),
            "copy ui/src/design/tokens.css to crates/guildhall-simulator/src/page"
        );
        let font = include_bytes!("../../../ui/src/design/figtree.woff2");
        assert!(
            FONT == font,
            "copy ui/src/design/figtree.woff2 to crates/guildhall-simulator/src/page"
        );
        let covered = |style: &str| {
            let line = style.lines().find(|line| line.contains("unicode-range:"));
            line.map(|line| line.trim().to_owned())
        };
        let base = include_str!("../../../ui/src/design/base.css");
        assert_eq!(covered(&String::from_utf8_lossy(BASE)), covered(base));
    }
}
