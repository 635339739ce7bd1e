//! As much of an HTTP/1.1 client as the bench needs to control the product:
//! blocking, one connection kept open, nothing hidden that could cost time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail};

const PATIENCE: Duration = Duration::from_secs(15);
const BODY_AT_MOST: usize = 16 * 1024 * 1024;

pub(crate) struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Response {
    /// All values of a header, by its name in lower case.
    pub(crate) fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            connection: None,
        }
    }

    /// `headers` are whole lines without their end.
    pub(crate) fn get(&mut self, path: &str, headers: &[String]) -> anyhow::Result<Response> {
        self.request("GET", path, headers, "")
    }

    pub(crate) fn post(&mut self, path: &str, json: &str) -> anyhow::Result<Response> {
        let headers = ["Content-Type: application/json".to_owned()];
        self.request("POST", path, &headers, json)
    }

    fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[String],
        body: &str,
    ) -> anyhow::Result<Response> {
        let host = format!("Host: {}", self.address);
        let length = format!("Content-Length: {}", body.len());
        let head = [&host, &length].into_iter().chain(headers);
        let mut text = format!("{method} {path} HTTP/1.1\r\n");
        for line in head {
            text.push_str(line);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        text.push_str(body);

        let what = || format!("{method} http://{}{path}", self.address);
        // A server may close what was idle for long; it has then read nothing.
        let kept = match self.connection.take() {
            Some(connection) => exchange(connection, &text).ok(),
            None => None,
        };
        let (connection, response) = match kept {
            Some(exchanged) => exchanged,
            None => exchange(connect(self.address)?, &text).with_context(what)?,
        };
        let closes = response
            .headers("connection")
            .any(|value| value.eq_ignore_ascii_case("close"));
        if !closes {
            self.connection = Some(connection);
        }
        Ok(response)
    }
}

fn exchange(
    mut connection: BufReader<TcpStream>,
    request: &str,
) -> anyhow::Result<(BufReader<TcpStream>, Response)> {
    connection.get_mut().write_all(request.as_bytes())?;
    let response = read_response(&mut connection)?;
    Ok((connection, response))
}

fn connect(address: SocketAddr) -> anyhow::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)
        .with_context(|| format!("nothing answers at {address}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}

pub(crate) fn read_response(from: &mut impl BufRead) -> anyhow::Result<Response> {
    let first = read_line(from)?;
    let status = first
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .with_context(|| format!("`{first}` is no HTTP status line"))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(from)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').context("a header without a colon")?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut response = Response {
        status,
        headers,
        body: String::new(),
    };
    let chunked = response
        .headers("transfer-encoding")
        .any(|value| value.eq_ignore_ascii_case("chunked"));
    let length = response
        .headers("content-length")
        .next()
        .map(str::parse::<usize>)
        .transpose()?;
    let mut body = Vec::new();
    if chunked {
        loop {
            let size = usize::from_str_radix(read_line(from)?.trim(), 16)?;
            read_exactly(from, size, &mut body)?;
            read_line(from)?;
            if size == 0 {
                break;
            }
        }
    } else {
        read_exactly(from, length.unwrap_or(0), &mut body)?;
    }
    response.body = String::from_utf8(body).context("the body is not UTF-8")?;
    Ok(response)
}

fn read_line(from: &mut impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        bail!("the connection ended within a response");
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn read_exactly(from: &mut impl Read, length: usize, into: &mut Vec<u8>) -> anyhow::Result<()> {
    if into.len() + length > BODY_AT_MOST {
        bail!("a body of more than {BODY_AT_MOST} bytes");
    }
    let begin = into.len();
    into.resize(begin + length, 0);
    from.read_exact(&mut into[begin..])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    fn read(text: &str) -> anyhow::Result<Response> {
        read_response(&mut text.as_bytes())
    }

    #[test]
    fn a_body_with_a_length_is_read_and_no_further() {
        let response = read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP").expect("whole");
        assert_eq!((response.status, response.body.as_str()), (200, "{}"));
    }

    #[test]
    fn a_chunked_body_is_joined() {
        let text =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
        assert_eq!(read(text).expect("whole").body, "abc");
    }

    #[test]
    fn every_cookie_is_found() {
        let text = "HTTP/1.1 302 Found\r\nSet-Cookie: a=1; Path=/\r\nset-cookie: b=2\r\n\r\n";
        let response = read(text).expect("whole");
        let cookies: Vec<&str> = response.headers("set-cookie").collect();
        assert_eq!(cookies, ["a=1; Path=/", "b=2"]);
    }

    #[test]
    fn a_broken_response_is_an_error() {
        assert!(read("").is_err());
        assert!(read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort").is_err());
        assert!(read("nonsense\r\n\r\n").is_err());
    }

    #[test]
    fn a_connection_that_was_closed_while_idle_is_opened_anew() {
        let server = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let mut client = Client::new(server.local_addr().expect("it is bound"));
        let answering = thread::spawn(move || {
            for _ in 0..2 {
                let (socket, _) = server.accept().expect("a connection");
                let mut socket = BufReader::new(socket);
                let mut line = String::new();
                while line != "\r\n" {
                    line.clear();
                    socket.read_line(&mut line).expect("a request");
                }
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                socket.get_mut().write_all(answer).expect("it reads");
            }
        });
        assert_eq!(client.post("/a", "").expect("an answer").status, 200);
        assert_eq!(client.post("/a", "").expect("an answer").body, "{}");
        answering.join().expect("no panic");
    }
}
