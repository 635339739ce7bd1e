//! One connection, byte by byte: what no HTTP client would send.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::SOON;

/// One answer of a connection, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawAnswer {
    pub(crate) status: u16,
    /// With its last line's end.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl RawAnswer {
    /// The first header of this name, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1);
        lines.find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Says all of it and hears all that comes until the end of the connection, which has to be soon.
pub(crate) async fn said(port: u16, bytes: impl AsRef<[u8]>) -> String {
    let talk = async {
        let connected = TcpStream::connect(("127.0.0.1", port)).await;
        let (mut reads, mut writes) = connected.expect("it listens").into_split();
        let mut heard = Vec::new();
        let said = async {
            // Refused before its end, and closed, it is not heard any more.
            let _refused = writes.write_all(bytes.as_ref()).await;
            io::Result::Ok(writes)
        };
        // What was read before a reset counts.
        let (_kept_open, _reset) = tokio::join!(said, reads.read_to_end(&mut heard));
        String::from_utf8_lossy(&heard).into_owned()
    };
    let begin = String::from_utf8_lossy(&bytes.as_ref()[..bytes.as_ref().len().min(200)]);
    let heard = timeout(SOON, talk).await;
    heard.unwrap_or_else(|_| panic!("{port} never ends: {begin:?}"))
}

/// The same, taken apart into answers.
pub(crate) async fn answers(port: u16, bytes: impl AsRef<[u8]>) -> Vec<RawAnswer> {
    let heard = said(port, bytes).await;
    let mut rest = heard.as_str();
    let mut answers = Vec::new();
    while !rest.is_empty() {
        let (answer, after) = first_answer(rest).unwrap_or_else(|| panic!("no answer: {rest:?}"));
        answers.push(answer);
        rest = after;
    }
    answers
}

/// The first answer and what comes behind it. `None`: it is none.
fn first_answer(text: &str) -> Option<(RawAnswer, &str)> {
    let (head, rest) = text.split_at(text.find("\r\n\r\n")? + 4);
    let status = head.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    let mut answer = RawAnswer {
        status,
        head: head.to_owned(),
        body: String::new(),
    };
    if status < 200 {
        return Some((answer, rest));
    }
    let length = answer.header("content-length").map(str::parse::<usize>);
    let (body, rest) = match length {
        Some(length) => rest.split_at_checked(length.ok()?)?,
        None if answer.header("transfer-encoding") == Some("chunked") => {
            rest.split_at(rest.find("0\r\n\r\n")? + 5)
        }
        None => (rest, ""),
    };
    body.clone_into(&mut answer.body);
    Some((answer, rest))
}
