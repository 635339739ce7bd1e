//! The page's files as gzip. They are packed once, when the process starts: what is embedded never changes,
//! and nothing in it is secret, so its length tells nobody anything. Answers of ours are never compressed.

use std::{borrow::Cow, collections::HashMap, io::Write, sync::Arc};

use axum::body::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, header};
use rust_embed::EmbeddedFile;

/// Less is one packet either way.
const WORTH_IT: usize = 1024;

/// By path: those that are shorter for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Compressed(Arc<HashMap<String, Bytes>>);

impl Compressed {
    pub(super) fn of(files: impl Iterator<Item = (Cow<'static, str>, EmbeddedFile)>) -> Self {
        let long = files.filter(|(_, file)| file.data.len() >= WORTH_IT);
        let packed = long.filter_map(|(path, file)| {
            let bytes = gzip(&file.data);
            let is_shorter = bytes.len() < file.data.len();
            is_shorter.then(|| (path.into_owned(), bytes.into()))
        });
        Self(Arc::new(packed.collect()))
    }

    pub(super) fn get(&self, path: &str) -> Option<Bytes> {
        self.0.get(path).cloned()
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes).expect("memory takes all bytes");
    packer.finish().expect("memory takes all bytes")
}

/// Whether whoever asks says that they take it: by name, or by `*` where it is not named, and not with a
/// quality of 0 (RFC 9110, 12.5.3).
pub(super) fn takes_gzip(asked: &HeaderMap) -> bool {
    let said = asked.get_all(header::ACCEPT_ENCODING).iter();
    let said = said.filter_map(|value| value.to_str().ok());
    let mut any = false;
    for coding in said.flat_map(|value| value.split(',')) {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let refused = parts.any(|part| {
            let quality = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            quality.is_some_and(|text| text.parse() == Ok(0.0_f32))
        });
        if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            return !refused;
        }
        any |= name == "*" && !refused;
    }
    any
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use http::{HeaderValue, StatusCode};

    use super::super::{Built, Page};
    use super::*;

    fn asking(name: &header::HeaderName, value: &str) -> HeaderMap {
        let value = HeaderValue::from_str(value).expect("a value");
        HeaderMap::from_iter([(name.clone(), value)])
    }

    #[test]
    fn who_takes_gzip_says_so() {
        for (said, takes) in [
            ("gzip", true),
            ("gzip, deflate, br, zstd", true),
            ("br;q=1.0, GZIP;q=0.2, *;q=0", true),
            ("*", true),
            ("deflate, *;q=0.5", true),
            ("identity", false),
            ("", false),
            ("br", false),
            ("gzip;q=0", false),
            ("gzip; q=0.000, *", false),
            ("*;q=0", false),
            ("gzipped", false),
        ] {
            let asked = asking(&header::ACCEPT_ENCODING, said);
            assert_eq!(takes_gzip(&asked), takes, "{said}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    fn cdn() -> url::Url {
        url::Url::parse("https://cdn.example").expect("a URL")
    }

    #[tokio::test]
    async fn the_script_is_sent_compressed_and_each_form_has_a_tag_of_its_own() {
        let script = Built::iter().find(|path| path.ends_with(".js"));
        let script = script.expect("the page has a script");
        let plain = Built::get(&script).expect("it is there").data;
        let page = Page::new(None, &cdn());
        let packs = asking(&header::ACCEPT_ENCODING, "gzip, br");
        let (as_is, packed) = (
            page.answer(&script, &HeaderMap::new()),
            page.answer(&script, &packs),
        );
        assert!(!as_is.headers().contains_key(header::CONTENT_ENCODING));
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
        for name in [header::CONTENT_TYPE, header::VARY, header::CACHE_CONTROL] {
            assert_eq!(as_is.headers()[&name], packed.headers()[&name], "{name}");
        }
        assert_eq!(packed.headers()[header::VARY], "accept-encoding");
        let tags = [&as_is, &packed].map(|answer| answer.headers()[header::ETAG].clone());
        assert_ne!(tags[0], tags[1]);
        let body = axum::body::to_bytes(packed.into_body(), usize::MAX).await;
        let body = body.expect("it is in memory");
        assert!(
            2 * body.len() < plain.len(),
            "{} of {}",
            body.len(),
            plain.len()
        );
        let mut unpacked = Vec::new();
        let read = GzDecoder::new(&body[..]).read_to_end(&mut unpacked);
        read.expect("it is gzip");
        assert_eq!(unpacked, *plain);
        for (tag, status) in [
            (&tags[1], StatusCode::NOT_MODIFIED),
            (&tags[0], StatusCode::OK),
        ] {
            let mut again = packs.clone();
            again.insert(header::IF_NONE_MATCH, tag.clone());
            let answer = page.answer(&script, &again);
            assert_eq!(answer.status(), status);
            assert_eq!(answer.headers()[header::VARY], "accept-encoding");
            assert_eq!(answer.headers()[header::ETAG], tags[1]);
            let is_encoded = answer.headers().contains_key(header::CONTENT_ENCODING);
            assert_eq!(is_encoded, status == StatusCode::OK);
        }
    }

    #[test]
    fn what_is_short_is_sent_as_it_is() {
        let page = Page::new(None, &cdn());
        let answer = page.answer("favicon.svg", &asking(&header::ACCEPT_ENCODING, "gzip"));
        assert_eq!(answer.status(), StatusCode::OK);
        for name in [header::CONTENT_ENCODING, header::VARY] {
            assert!(!answer.headers().contains_key(&name), "{name}");
        }
    }
}
