//! Bytes from which a proxy before us may read other requests than we do: behind whatever is not clear no
//! second request is answered, on any of the listeners.

use super::unharmed;
use crate::house::{
    House,
    raw::{RawAnswer, answers},
};

/// Where a request's bytes begin and end, and by which rule. Each is followed by a request that asks to
/// be closed behind its answer.
struct Shape {
    what: &'static str,
    /// `{to}` is what is asked of the listener, `{cookie}` a session's header.
    bytes: &'static str,
    /// Whether a reader that follows the standard may answer what comes behind.
    clear: Clear,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Clear {
    /// All read it alike.
    Yes,
    /// It has to be refused.
    No,
    /// It may be answered, and then the connection has to end (RFC 9112, 6.3).
    OnlyThis,
}
use Clear::{No, OnlyThis, Yes};

const fn shape(what: &'static str, clear: Clear, bytes: &'static str) -> Shape {
    Shape { what, bytes, clear }
}

/// What a front end that read the other length would have taken for the body.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";

const LENGTHS: &[Shape] = &[
    shape(
        "a length",
        Yes,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Content-Length: 2\r\n\r\n{}",
    ),
    shape(
        "a length and chunks",
        OnlyThis,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Content-Length: 46\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    shape(
        "chunks and a length",
        OnlyThis,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Transfer-Encoding: chunked\r\nContent-Length: 46\r\n\r\n0\r\n\r\n",
    ),
    shape(
        "a short length and chunks",
        OnlyThis,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ),
    shape(
        "two lengths",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Content-Length: 2\r\nContent-Length: 43\r\n\r\n{}",
    ),
    shape(
        "a list of lengths",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Content-Length: 2, 43\r\n\r\n{}",
    ),
    shape(
        "a signed length",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Content-Length: +2\r\n\r\n{}",
    ),
    shape(
        "a negative length",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Content-Length: -1\r\n\r\n{}",
    ),
    shape(
        "a hexadecimal length",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Content-Length: 0x2\r\n\r\n{}",
    ),
    shape(
        "no number",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Content-Length: two\r\n\r\n{}",
    ),
    shape(
        "an empty length",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Content-Length:\r\n\r\n{}",
    ),
    shape(
        "a length beyond 64 bits",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Content-Length: 18446744073709551618\r\n\r\n{}",
    ),
    shape(
        "a length inside a number",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Content-Length: 2 2\r\n\r\n{}",
    ),
];

const CODINGS: &[Shape] = &[
    shape(
        "chunks",
        Yes,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ),
    shape(
        "chunks that are not last",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ),
    shape(
        "no chunks",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}",
    ),
    shape(
        "nearly chunks",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n\r\n{}",
    ),
    shape(
        "chunks in quotes",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
    ),
    shape(
        "chunks behind a tab of its own",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    ),
    shape(
        "chunks before a blank and a colon",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    ),
    shape(
        "chunks of HTTP/1.0",
        No,
        "POST {to} HTTP/1.0\r\nHost: localhost\r\n{cookie}Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n",
    ),
    shape(
        "chunks with an extension",
        Yes,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n",
    ),
    shape(
        "an extension with a bare LF",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Transfer-Encoding: chunked\r\n\r\n2;a\n{}\r\n0\r\n\r\n",
    ),
    shape(
        "a signed chunk",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n",
    ),
    shape(
        "a chunk of 0x",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
    ),
    shape(
        "a chunk beyond 64 bits",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n",
    ),
    shape(
        "a huge chunk",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n",
    ),
    shape(
        "a chunk that is longer than it says",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
    ),
    shape(
        "a chunk's end with a bare LF",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n",
    ),
    shape(
        "trailers that are headers",
        Yes,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nHost: evil\r\nContent-Length: 99\r\nCookie: x\r\n\r\n",
    ),
];

const LINES: &[Shape] = &[
    shape(
        "a folded header",
        No,
        "GET {to} HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
    ),
    shape(
        "a folded length",
        No,
        "POST {to} HTTP/1.1\r\nHost: localhost\r\n{cookie}Content-Length:\r\n 2\r\n\r\n{}",
    ),
    shape(
        "a header that begins with a blank",
        No,
        "GET {to} HTTP/1.1\r\n Host: localhost\r\n\r\n",
    ),
    shape(
        "a bare CR in a header",
        No,
        "GET {to} HTTP/1.1\r\nHost: localhost\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n",
    ),
    shape(
        "a NUL in a header",
        No,
        "GET {to} HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
    ),
    shape(
        "a NUL in a name",
        No,
        "GET {to} HTTP/1.1\r\nHost: localhost\r\nX\0Y: b\r\n\r\n",
    ),
    shape(
        "a line without a colon",
        No,
        "GET {to} HTTP/1.1\r\nHost: localhost\r\nGET /hidden HTTP/1.1\r\n\r\n",
    ),
    shape(
        "a header without a name",
        No,
        "GET {to} HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n",
    ),
    shape(
        "two blanks",
        No,
        "GET  {to} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    shape(
        "a tab for a blank",
        No,
        "GET\t{to} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    shape(
        "a target with a blank",
        No,
        "GET {to} /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    shape(
        "a target with a CR",
        No,
        "GET {to}\r/hidden HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    shape(
        "a version of two",
        No,
        "GET {to} HTTP/2.0\r\nHost: localhost\r\n\r\n",
    ),
    shape("no version", No, "GET {to}\r\n\r\n"),
    shape(
        "a version that is none",
        No,
        "GET {to} HTTP/1.1x\r\nHost: localhost\r\n\r\n",
    ),
    shape(
        "HTTP/2 without being asked",
        No,
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ),
    shape(
        "TLS",
        No,
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}",
    ),
];

/// Closed behind its answer, so that each conversation has an end.
const LAST: &str = "GET /last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn behind_what_two_readers_read_differently_nothing_is_answered() {
    let house = House::start().await;
    let cookie = house.sign_in(&house.discord.visitor).await;
    let origin = house.url("");
    let session =
        format!("Cookie: {cookie}\r\nOrigin: {origin}\r\nContent-Type: application/json\r\n");
    let ports = &house.ports;
    let listeners = [
        ("web", ports.web, "/api/rpc/ensureUserInGuild"),
        ("web's ops", ports.web_ops, "/healthz"),
        ("gateway's ops", ports.gateway_ops, "/healthz"),
        ("the link", ports.link, "/health"),
    ];
    let (mut tried, mut faults) = (0, Vec::new());
    for (listener, port, to) in listeners {
        for shape in [LENGTHS, CODINGS, LINES].into_iter().flatten() {
            let bytes = shape
                .bytes
                .replace("{to}", to)
                .replace("{cookie}", &session);
            let bytes = format!("{bytes}{HIDDEN}{LAST}");
            let heard = answers(port, &bytes).await;
            tried += 1;
            if let Some(fault) = fault(shape, &heard, listener == "web") {
                faults.push(format!("{listener}: {}: {fault}", shape.what));
            }
        }
    }
    println!("smuggling: {tried} shapes on {} listeners", listeners.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    unharmed(&house);
}

/// What is wrong with the answers. `reads`: the listener reads the body, and goes on behind it; others end
/// behind what they did not read.
fn fault(shape: &Shape, heard: &[RawAnswer], reads: bool) -> Option<String> {
    let statuses: Vec<u16> = heard.iter().map(|answer| answer.status).collect();
    let refused = |status: &u16| (400..500).contains(status) || *status == 505;
    let right = match shape.clear {
        // It, the hidden one, which is a request like any other then, and the last.
        Yes if reads => statuses.len() == 3,
        Yes => statuses.len() == 1,
        OnlyThis => statuses.len() <= 1,
        No => statuses.len() <= 1 && statuses.iter().all(refused),
    };
    let fine = statuses.iter().all(|status| *status != 500);
    (!right || !fine).then(|| format!("{statuses:?}"))
}
