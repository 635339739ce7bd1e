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
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::ApiError;
use compressed::{Compressed, takes_gzip};

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
#[allow_missing = true]
struct Built;

/// Where invites lead to: `join?invite=`, which the page itself reads.
const INVITES: &str = "join";

/// Serves the page's files.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// Serves from here instead of the embedded build; for who works on the page.
    dir: Option<PathBuf>,
    compressed: Compressed,
}

impl Page {
    pub(crate) fn new(dir: Option<PathBuf>) -> Self {
        let compressed = match dir {
            Some(_) => Compressed::default(),
            None => Compressed::of(Built::iter().filter_map(|path| {
                let file = Built::get(&path)?;
                Some((path, file))
            })),
        };
        Self { dir, compressed }
    }

    /// The file at a path below our prefix; the empty path is the page itself, and so is that of
    /// invites. Names with a hash in them never change their content, everything else is asked for
    /// again each time.
    pub(crate) fn answer(&self, path: &str, asked: &HeaderMap) -> Response {
        let path = if path.is_empty() || path == INVITES {
            "index.html"
        } else {
            path
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
        std::fs::write(dir.join("assets/a.js"), "1").expect("a file");
        (dir.clone(), Page::new(Some(dir)))
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
        for path in [
            "../Cargo.toml",
            "/etc/hostname",
            "assets/../../x",
            "nothing",
            "assets",
            "join/",
            "joined",
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
