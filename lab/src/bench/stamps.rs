//! How a stamp is handed in: to the simulator, which makes it an event of
//! Discord's, or to the bare server, which writes it out at once.
//!
//! The requests are written by hand. A stamp's time is taken right before it is sent, so what a
//! client of many layers needs for a request would be measured with the server, and it would take
//! the CPU on which the streams are read.

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::anyhow;

use super::orders::StampsTo;

const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) enum StampSink {
    Simulator {
        connection: BufReader<TcpStream>,
        address: SocketAddr,
        guild_id: String,
    },
    Bare {
        control: TcpStream,
    },
}

impl StampSink {
    pub(crate) fn open(to: &StampsTo) -> anyhow::Result<Self> {
        let (StampsTo::Simulator { address, .. } | StampsTo::Bare { address }) = to;
        let connection = connect(*address)?;
        Ok(match to {
            StampsTo::Simulator { address, guild_id } => Self::Simulator {
                connection,
                address: *address,
                guild_id: guild_id.clone(),
            },
            StampsTo::Bare { .. } => Self::Bare {
                control: connection.into_inner(),
            },
        })
    }

    /// Hands one stamp in; it is on its way when this returns.
    pub(crate) fn send(&mut self, sequence: u64, unix_micros: u64) -> anyhow::Result<()> {
        match self {
            Self::Simulator {
                connection,
                address,
                guild_id,
            } => {
                let body =
                    format!(r#"{{"guildId":"{guild_id}","stamp":"{sequence}:{unix_micros}"}}"#);
                let request = format!(
                    "POST /sim/stamp HTTP/1.1\r\nHost: {address}\r\n\
                     Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                let kept = exchange(connection, &request);
                let answer = if let Ok(answer) = kept {
                    answer
                } else {
                    // A server may close what was idle for long; it has then read nothing.
                    *connection = connect(*address)?;
                    exchange(connection, &request)?
                };
                answer.map_err(|why| anyhow!("the simulator refused a stamp: {why}"))
            }
            Self::Bare { control } => {
                Ok(control.write_all(format!("{sequence}:{unix_micros}\n").as_bytes())?)
            }
        }
    }
}

fn connect(to: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(to)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}

fn exchange(
    connection: &mut BufReader<TcpStream>,
    request: &str,
) -> io::Result<Result<(), String>> {
    connection.get_mut().write_all(request.as_bytes())?;
    answer(connection)
}

/// Reads an answer to its end; what it says, where it says no.
fn answer(from: &mut impl BufRead) -> io::Result<Result<(), String>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let is_yes = line.split(' ').nth(1).is_some_and(|it| it.starts_with('2'));
    let (status, mut length) = (line.trim_end().to_owned(), 0);
    while !line.trim_end().is_empty() {
        line.clear();
        from.read_line(&mut line)?;
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    if is_yes {
        return Ok(Ok(()));
    }
    Ok(Err(format!("{status} {}", String::from_utf8_lossy(&body))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_to_its_end_and_no_further() {
        let mut two = "HTTP/1.1 204 No Content\r\n\r\n\
            HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}HTTP"
            .as_bytes();
        assert_eq!(answer(&mut two).expect("whole"), Ok(()));
        let no = answer(&mut two).expect("whole");
        assert_eq!(no, Err("HTTP/1.1 404 Not Found {}".to_owned()));
        assert_eq!(two, b"HTTP");
        let mut nothing: &[u8] = b"";
        assert!(answer(&mut nothing).is_err());
    }
}
