use proptest::{prelude::*, sample::Index};

use super::*;
use crate::auth::config::tests::strong;

const NEW: &str = "the-new-secret-has-more-than-32-bytes";
const OLD: &str = "the-old-secret-has-more-than-32-bytes";

fn jar(secrets: &[&str]) -> Jar {
    let mut secrets = secrets.iter().map(|text| strong(text));
    let current = secrets.next().expect("at least one");
    let others = secrets.collect();
    Jar::new(&RotatedSecret { current, others }, true)
}

fn sealed(jar: &Jar, name: &str, text: &str) -> String {
    let cookie = jar.seal(name, &text, Duration::from_mins(1));
    let pair = cookie.to_str().expect("visible ASCII").split(';').next();
    let (_, value) = pair.and_then(|pair| pair.split_once('=')).expect("a pair");
    value.to_owned()
}

fn sent(line: impl AsRef<[u8]>) -> HeaderMap {
    let line = HeaderValue::from_bytes(line.as_ref()).expect("a header value");
    HeaderMap::from_iter([(header::COOKIE, line)])
}

fn open(jar: &Jar, line: impl AsRef<[u8]>) -> Option<String> {
    jar.open(&sent(line), "hall")
}

#[test]
fn a_cookie_is_for_this_host_alone_and_no_script() {
    let cookie = jar(&[NEW]).seal("x", &1, Duration::from_mins(1));
    let cookie = cookie.to_str().expect("visible ASCII");
    let (_, attributes) = cookie.split_once("; ").expect("attributes");
    assert_eq!(
        attributes,
        "HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60"
    );
    assert_eq!(jar(&[NEW]).name("x"), "__Host-x");

    let plain = Jar::new(&strong(NEW).into(), false);
    let cookie = plain.clear(&plain.name("x"));
    assert_eq!(cookie, "x=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
}

#[test]
fn the_first_secret_seals_and_all_open() {
    let (new, old, both) = (jar(&[NEW]), jar(&[OLD]), jar(&[NEW, OLD]));
    let by_old = format!("hall={}", sealed(&old, "hall", "text"));
    let by_both = format!("hall={}", sealed(&both, "hall", "text"));
    assert_eq!(open(&both, &by_old).as_deref(), Some("text"));
    assert_eq!(open(&new, &by_both).as_deref(), Some("text"));
    assert_eq!(open(&old, &by_both), None);
    assert_eq!(open(&new, &by_old), None);
}

#[test]
fn a_cookie_is_found_among_foreign_ones() {
    let jar = jar(&[NEW]);
    let ours = sealed(&jar, "hall", "text");
    for line in [
        format!("hall={ours}").into_bytes(),
        format!("a=b; hall={ours}; c").into_bytes(),
        format!("hall=foreign; hall={ours}").into_bytes(),
        format!(";;=; x; hall = {ours} ;").into_bytes(),
        [b"odd=\xff\xfe; hall=".as_slice(), ours.as_bytes()].concat(),
    ] {
        assert_eq!(open(&jar, &line).as_deref(), Some("text"), "{line:?}");
    }
    let mut headers = sent("a=b");
    let second = HeaderValue::try_from(format!("hall={ours}")).expect("visible ASCII");
    headers.append(header::COOKIE, second);
    assert_eq!(
        jar.open::<String>(&headers, "hall").as_deref(),
        Some("text")
    );
}

/// As this cookie was sealed before: by the `cookie` crate, in the standard alphabet.
fn sealed_before(name: &str, json: &str) -> String {
    let mut jar = cookie::CookieJar::new();
    jar.private_mut(&Key::derive_from(NEW.as_bytes()))
        .add(Cookie::new(name.to_owned(), json.to_owned()));
    jar.get(name).expect("it was added").value().to_owned()
}

fn percent_encoded(value: &str, odd: &[char]) -> String {
    let encode = |letter: char| {
        if odd.contains(&letter) {
            format!("%{:02X}", u32::from(letter))
        } else {
            letter.to_string()
        }
    };
    value.chars().map(encode).collect()
}

#[test]
fn a_cookie_is_read_however_its_jar_wraps_it() {
    let jar = jar(&[NEW]);
    // Until each alphabet has shown its odd letters.
    for _ in 0..50 {
        let before = sealed_before("hall", "\"text\"");
        for value in [sealed(&jar, "hall", "text"), before] {
            let encoded = percent_encoded(&value, &['+', '/', '=', '-', '_']);
            for form in [
                format!("hall={value}"),
                format!("hall=\"{value}\""),
                format!("hall={encoded}"),
                format!("hall=\"{encoded}\""),
                format!("hall=%22{encoded}%22"),
                format!("a=b;hall={value};c=d"),
                format!("a=\"b; hall={value}"),
                format!("a=b, hall={value}, c=d"),
                format!("a=b,hall={value}"),
                format!("$Version=1; hall=\"{value}\"; $Path=\"/\""),
                format!("hall=\"{value}\"; hall=x"),
                format!("hall=\"\"; hall=%; hall=%2; hall=é; hall=; hall; hall={value}"),
            ] {
                assert_eq!(open(&jar, &form).as_deref(), Some("text"), "{form}");
            }
        }
    }
}

proptest! {
    /// Python's jar quotes a value with any other letter, and some of JavaScript encode it.
    #[test]
    fn values_have_letters_that_no_jar_touches(text in "\\PC{0,200}") {
        let value = sealed(&jar(&[NEW]), "hall", &text);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        prop_assert!(value.bytes().all(plain), "{value}");
    }
}

#[test]
fn no_cookie_passes_for_another() {
    let jar = jar(&[NEW]);
    let other = sealed(&jar, "other", "text");
    assert_eq!(open(&jar, format!("hall={other}")), None);
}

proptest! {
    #[test]
    fn one_changed_byte_spoils_it(place in any::<Index>(), byte in 0x21_u8..0x7f) {
        let jar = jar(&[NEW]);
        let whole = sealed(&jar, "hall", "text").into_bytes();
        let mut spoiled = whole.clone();
        let place = place.index(whole.len());
        spoiled[place] = byte;
        // Quotes around it and padding behind it are what clients add; `+` and `/` are the same
        // two letters in the standard alphabet.
        let older = |value: &[u8]| value.iter().map(|byte| match byte { b'+' => b'-', b'/' => b'_', other => *other }).collect::<Vec<_>>();
        prop_assume!(older(&spoiled) != whole);
        let line = [b"hall=".as_slice(), &spoiled].concat();
        prop_assert_eq!(open(&jar, line), None);
    }

    #[test]
    fn no_part_of_it_is_enough(place in any::<Index>()) {
        let jar = jar(&[NEW]);
        let whole = sealed(&jar, "hall", "text");
        let place = place.index(whole.len());
        prop_assert_eq!(open(&jar, format!("hall={}", &whole[..place])), None);
        prop_assert_eq!(open(&jar, format!("hall={}", &whole[place + 1..])), None);
    }

    #[test]
    fn any_header_can_be_read(bytes in prop::collection::vec(prop_oneof![0x20_u8..0x7f, 0x80_u8..=0xff], 0..200)) {
        let jar = jar(&[NEW]);
        prop_assert_eq!(open(&jar, [b"hall=".as_slice(), &bytes].concat()), None);
        prop_assert_eq!(open(&jar, &bytes), None);
    }
}
