//! Prefetches: a browser requests what its user might open next.

use http::HeaderMap;

/// Whether a browser only fetches ahead. Such a request must not sign anybody in, nor spend the
/// one use of a sign-in; an error makes the browser ask again when its user really comes.
pub(crate) fn is_prefetch(headers: &HeaderMap) -> bool {
    // Today's name, and those of older Chromium, WebKit and Firefox.
    ["sec-purpose", "purpose", "x-purpose", "x-moz"]
        .iter()
        .flat_map(|name| headers.get_all(*name))
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([';', ',']))
        .any(|purpose| {
            let purpose = purpose.trim().to_ascii_lowercase();
            ["prefetch", "prerender", "preview"].contains(&purpose.as_str())
        })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn browsers_that_fetch_ahead_are_known() {
        for (name, value, ahead) in [
            ("sec-purpose", "prefetch", true),
            ("sec-purpose", "prefetch;prerender", true),
            ("sec-purpose", "prefetch;anonymous-client-ip", true),
            ("purpose", "Prefetch", true),
            ("x-purpose", "preview", true),
            ("x-moz", "prefetch", true),
            ("sec-purpose", "", false),
            ("sec-fetch-dest", "prefetch", false),
        ] {
            let value = HeaderValue::from_static(value);
            let headers = HeaderMap::from_iter([(name.parse().expect("a name"), value)]);
            assert_eq!(is_prefetch(&headers), ahead, "{name} {headers:?}");
        }
    }
}
