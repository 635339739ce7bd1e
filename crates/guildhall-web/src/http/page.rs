//! The page: a build of `ui/`, embedded, so that the binary alone serves everything.

/// As gzip, for browsers that take it.
mod compressed;

use std::{
    borrow::Cow,
    path::{Component, Path, PathBuf},
};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use rust_embed::{EmbeddedFile, RustEmbed};
use url::Url;

use super::{ApiError, headers::content_security_policy};
use compressed::{Compressed, takes_gzip};

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
#[allow_missing = true]
struct Built;

/// Where invites lead to: `join?invite=`, which the page itself reads.
const INVITES: &str = "join";

/// Where overlay links lead to: `overlay?overlay=`, a page of its own.
pub(crate) const OVERLAYS: &str = "overlay";

/// The file of that.
const OVERLAY_PAGE: &str = "overlay.html";

/// Serves the page's files.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// Serves from here instead of the embedded build; for who works on the page.
    dir: Option<PathBuf>,
    compressed: Compressed,
    /// What the overlays' page says of itself beside what each answer does.
    of_overlays: [(HeaderName, HeaderValue); 2],
}

impl Page {
    /// `dir`: serves from there. `cdn_url`: where pictures come from.
    pub(crate) fn new(dir: Option<PathBuf>, cdn_url: &Url) -> Self {
        let compressed = match dir {
            Some(_) => Compressed::default(),
            None => Compressed::of(Built::iter().filter_map(|path| {
                let file = Built::get(&path)?;
                Some((path, file))
            })),
        };
        // Stream software puts its user's own style into the page.
        let policy = content_security_policy(cdn_url, "'self' 'unsafe-inline'");
        // Its address has the link's token.
        let no_referrer = HeaderValue::from_static("no-referrer");
        Self {
            dir,
            compressed,
            of_overlays: [
                (header::CONTENT_SECURITY_POLICY, policy),
                (header::REFERRER_POLICY, no_referrer),
            ],
        }
    }

    /// The file at a path below our prefix; the empty path is the page itself, and so is that of
    /// invites, and overlays have a page of their own. Names with a hash in them never change their content, everything else is asked for
    /// again each time.
    pub(crate) fn answer(&self, path: &str, asked: &HeaderMap) -> Response {
        let path = match path {
            "" | INVITES => "index.html",
            OVERLAYS => OVERLAY_PAGE,
            path => path,
        };
        let Some(file) = self.file(path) else {
            return ApiError::not_found("There is nothing at this address.").into_response();
        };
        let forever = self.dir.is_none() && path.starts_with("assets/");
        let caching = if forever {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        let gzip = self.compressed.get(path);
        let is_in_two_forms = gzip.is_some();
        let gzip = gzip.filter(|_| takes_gzip(asked));
        let tag = tag(&file, gzip.is_some());
        let known = asked
            .get(header::IF_NONE_MATCH)
            .is_some_and(|known| known == tag);
        let mut response = if known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let content_type = HeaderValue::from_str(file.metadata.mimetype())
                .unwrap_or(HeaderValue::from_static("application/octet-stream"));
            let body = match (&gzip, file.data) {
                (Some(bytes), _) => Body::from(bytes.clone()),
                (None, Cow::Borrowed(bytes)) => Body::from(bytes),
                (None, Cow::Owned(bytes)) => Body::from(bytes),
            };
            ([(header::CONTENT_TYPE, content_type)], body).into_response()
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        headers.insert(header::ETAG, tag);
        if path == OVERLAY_PAGE {
            headers.extend(self.of_overlays.clone());
        }
        if is_in_two_forms {
            headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if gzip.is_some() && !known {
            let gzip = HeaderValue::from_static("gzip");
            headers.insert(header::CONTENT_ENCODING, gzip);
        }
        response
    }

    fn file(&self, path: &str) -> Option<EmbeddedFile> {
        let Some(dir) = &self.dir else {
            return Built::get(path);
        };
        let path = Path::new(path);
        let inside = path
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        inside
            .then(|| rust_embed::utils::read_file_from_fs(&dir.join(path)).ok())
            .flatten()
    }
}

/// Of other bytes it is another.
fn tag(file: &EmbeddedFile, is_gzip: bool) -> HeaderValue {
    use std::fmt::Write as _;
    let mut tag = String::from("\"");
    for byte in file.metadata.sha256_hash().iter().take(12) {
        write!(tag, "{byte:02x}").expect("memory takes all text");
    }
    tag.push_str(if is_gzip { "-gzip\"" } else { "\"" });
    HeaderValue::from_str(&tag).expect("hexadecimal digits in quotes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> (PathBuf, Page) {
        let dir = std::env::temp_dir().join(format!("guildhall-page-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("assets")).expect("a temporary folder");
        std::fs::write(dir.join("index.html"), "<!doctype html>").expect("a file");
        std::fs::write(dir.join("overlay.html"), "<!doctype html><p>").expect("a file");
        std::fs::write(dir.join("assets/a.js"), "1").expect("a file");
        let cdn_url = Url::parse("https://cdn.example").expect("a URL");
        (dir.clone(), Page::new(Some(dir), &cdn_url))
    }

    #[test]
    fn a_folder_is_served_and_nothing_outside_of_it() {
        let (dir, page) = page();
        let asked = HeaderMap::new();
        let index = page.answer("", &asked);
        assert_eq!(index.status(), StatusCode::OK);
        assert_eq!(index.headers()[header::CONTENT_TYPE], "text/html");
        assert_eq!(index.headers()[header::CACHE_CONTROL], "no-cache");
        assert_eq!(page.answer("assets/a.js", &asked).status(), StatusCode::OK);
        let invites = page.answer("join", &asked);
        assert_eq!(
            invites.headers()[header::ETAG],
            index.headers()[header::ETAG]
        );
        let overlays = page.answer("overlay", &asked);
        assert_eq!(overlays.status(), StatusCode::OK);
        assert_eq!(overlays.headers()[header::REFERRER_POLICY], "no-referrer");
        let policy = overlays.headers()[header::CONTENT_SECURITY_POLICY].to_str();
        let policy = policy.expect("visible ASCII");
        assert!(
            policy.contains("style-src 'self' 'unsafe-inline';"),
            "{policy}"
        );
        assert!(policy.contains("script-src 'self';") && policy.contains("https://cdn.example"));
        assert!(
            !index.headers().contains_key(header::REFERRER_POLICY),
            "as each answer's"
        );
        for path in [
            "../Cargo.toml",
            "/etc/hostname",
            "assets/../../x",
            "nothing",
            "assets",
            "join/",
            "joined",
            "overlay/",
            "overlays",
        ] {
            assert_eq!(
                page.answer(path, &asked).status(),
                StatusCode::NOT_FOUND,
                "{path}"
            );
        }
        let mut again = HeaderMap::new();
        again.insert(header::IF_NONE_MATCH, index.headers()[header::ETAG].clone());
        assert_eq!(page.answer("", &again).status(), StatusCode::NOT_MODIFIED);
        std::fs::remove_dir_all(dir).expect("our folder");
    }
}
