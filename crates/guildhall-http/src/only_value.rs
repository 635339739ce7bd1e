//! Headers of which there is to be one.

use http::{HeaderMap, HeaderName};

/// The text of a header that is there once. Of two neither counts: no browser sends two of those that say
/// what a request is, and by which of them somebody before us went is not known.
#[must_use]
pub fn only_value<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.next().is_none().then(|| first.to_str().ok())?
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header::ORIGIN};

    use super::*;

    #[test]
    fn of_two_there_is_none() {
        let mut headers = HeaderMap::new();
        assert_eq!(only_value(&headers, &ORIGIN), None);
        headers.append(ORIGIN, HeaderValue::from_static("null"));
        assert_eq!(only_value(&headers, &ORIGIN), Some("null"));
        headers.append(ORIGIN, HeaderValue::from_static("null"));
        assert_eq!(only_value(&headers, &ORIGIN), None, "the same twice, too");
    }
}
