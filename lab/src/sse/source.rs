//! A stream that comes back.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::Client;
use tokio::time::{sleep, timeout};

use super::{End, Event, OpenError, Stream};

/// `docs/protocol/sse.md`: a stream that says nothing for so long is dead.
const SILENCE: Duration = Duration::from_secs(40);
/// Until a server said otherwise.
const FIRST_RETRY: Duration = Duration::from_secs(2);

/// A stream over all of its connections, as a browser's `EventSource`: on any end it waits for the
/// last `retry:` and asks again with the last `id:` it had. What one cause did comes when the last
/// event of it is here, which alone carries an `id:`; a torn connection takes the others with it.
pub struct EventSource {
    http: Client,
    url: String,
    cookie: String,
    cursor: Option<String>,
    retry: Duration,
    state: State,
    /// Came without an `id:`, and the one they belong to has not come.
    unfinished: Vec<Event>,
    /// To be told next.
    whole: VecDeque<Event>,
}

enum State {
    /// Asks as soon as `next` is called.
    Due,
    Waiting,
    Open(Stream),
}

/// What a stream has to tell.
#[derive(Debug)]
pub enum SourceEvent {
    /// A connection began.
    Connected,
    /// An event came, or a block without data that said something else.
    Event(Event),
    /// Somebody answered, and this was no stream; it will be asked for again.
    Refused(String),
}

impl EventSource {
    /// Nothing is asked for before the first [`EventSource::next`].
    pub fn new(http: Client, url: String, cookie: String) -> Self {
        Self {
            http,
            url,
            cookie,
            cursor: None,
            retry: FIRST_RETRY,
            state: State::Due,
            unfinished: Vec::new(),
            whole: VecDeque::new(),
        }
    }

    /// The next thing that happens. One that is given up while it waits loses nothing.
    pub async fn next(&mut self) -> SourceEvent {
        loop {
            if let Some(event) = self.whole.pop_front() {
                return SourceEvent::Event(event);
            }
            match &mut self.state {
                State::Waiting => {
                    self.unfinished.clear();
                    sleep(self.retry).await;
                    self.state = State::Due;
                }
                State::Due => {
                    let cursor = self.cursor.as_deref();
                    let opened = Stream::open(&self.http, &self.url, &self.cookie, cursor);
                    let opened = timeout(SILENCE, opened).await;
                    self.state = State::Waiting;
                    match opened {
                        Ok(Ok(stream)) => {
                            self.state = State::Open(stream);
                            return SourceEvent::Connected;
                        }
                        Ok(Err(OpenError::Refused(status, said))) => {
                            return SourceEvent::Refused(format!("{status} {said}"));
                        }
                        // A server that is away is what coming back is for.
                        Ok(Err(OpenError::Unreachable(_))) | Err(_) => {}
                    }
                }
                State::Open(stream) => match timeout(SILENCE, stream.next()).await {
                    Ok(Ok(event)) => {
                        self.retry = event.retry.unwrap_or(self.retry);
                        self.cursor = stream.cursor().map(str::to_owned);
                        self.take(event);
                    }
                    Ok(Err(End::NotText)) => {
                        self.state = State::Waiting;
                        return SourceEvent::Refused("a stream that is not UTF-8".to_owned());
                    }
                    Ok(Err(End::Closed)) | Err(_) => self.state = State::Waiting,
                },
            }
        }
    }

    fn take(&mut self, event: Event) {
        let says_its_end = matches!(event.name.as_str(), "" | "bye");
        if event.id.is_some() {
            self.whole.extend(self.unfinished.drain(..));
            self.whole.push_back(event);
        } else if says_its_end {
            self.whole.push_back(event);
        } else {
            self.unfinished.push(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    const STREAM: &str = "200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n\
        retry: 1\nevent: a\ndata: 0\n\nevent: a\ndata: 1\nid: 0.7-1\n\nevent: a\ndata: 2\n\n";
    const REFUSED: &str = "503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";

    /// Answers one request after the other, and says what head each had.
    async fn serve(server: &TcpListener, answers: &[&str]) -> Result<Vec<String>, Box<dyn Error>> {
        let mut heads = Vec::new();
        for answer in answers {
            let (socket, _) = server.accept().await?;
            let (mut socket, mut head) = (BufReader::new(socket), String::new());
            while !head.ends_with("\r\n\r\n") {
                socket.read_line(&mut head).await?;
            }
            let answer = format!("HTTP/1.1 {answer}");
            socket.write_all(answer.as_bytes()).await?;
            heads.push(head);
        }
        Ok(heads)
    }

    #[tokio::test]
    async fn it_comes_back_with_the_last_id_until_it_is_let_in() -> Result<(), Box<dyn Error>> {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let server = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/", server.local_addr()?);
        let http = Client::builder().no_proxy().build()?;
        let mut source = EventSource::new(http, url, "a=b".to_owned());

        let moments = async {
            let mut moments = Vec::new();
            while moments.len() < 7 {
                moments.push(match source.next().await {
                    SourceEvent::Connected => "connected".to_owned(),
                    SourceEvent::Event(event) => event.data,
                    SourceEvent::Refused(why) => why,
                });
            }
            moments
        };
        let (heads, moments) = tokio::join!(serve(&server, &[STREAM, REFUSED, STREAM]), moments);
        let refused = "503 Service Unavailable ";
        // What the third belongs to never came.
        let whole = ["connected", "0", "1"];
        assert_eq!(moments, [&whole[..], &[refused], &whole].concat());
        let heads = heads?;
        assert!(heads[0].contains("cookie: a=b") && !heads[0].contains("last-event-id"));
        assert!(
            heads[1].contains("last-event-id: 0.7-1") && heads[2].contains("last-event-id: 0.7-1")
        );
        Ok(())
    }
}
