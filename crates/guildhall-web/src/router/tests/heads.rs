use super::*;

async fn answer(served: &Served, head: &str) -> String {
    let mut socket = TcpStream::connect(served.addr).await.expect("it listens");
    let head = format!("{head}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.expect("it reads");
    let mut conversation = Conversation {
        socket,
        heard: String::new(),
    };
    conversation.until("\r\n\r\n").await.to_owned()
}

#[tokio::test]
async fn a_request_is_for_exactly_one_host() {
    let served = Served::at("http://localhost:3000");
    for (head, status) in [
        ("GET / HTTP/1.1\r\nHost: localhost", 200),
        ("GET http://localhost/ HTTP/1.1\r\nHost: localhost", 200),
        ("GET / HTTP/1.0", 200),
        ("GET / HTTP/1.1", 400),
        ("GET / HTTP/1.1\r\nHost:", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a", 400),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: b", 400),
        ("GET / HTTP/1.1\r\nHost: a, b", 400),
        ("GET / HTTP/1.1\r\nHost: user@a", 400),
        ("GET /api/health HTTP/1.1", 400),
        ("GET /auth/login HTTP/1.1", 400),
        ("GET /nowhere HTTP/1.1", 400),
    ] {
        let heard = answer(&served, head).await;
        let said = heard.split(' ').nth(1).unwrap_or_default();
        assert_eq!(said, status.to_string(), "{head:?}");
    }
}

#[tokio::test]
async fn a_look_with_head_opens_no_stream_and_watches_nobody() {
    let served = Served::at("http://localhost:3000");
    for path in ["/api/stream", "/api/state"] {
        let head = format!("HEAD {path} HTTP/1.1\r\nHost: localhost");
        let said = answer(&served, &head).await;
        assert!(said.starts_with("HTTP/1.1 401"), "{said}");

        let cookie = &served.cookie;
        let head = format!("HEAD {path}?guild=999 HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}");
        // GET would ask the gateway, which is not there, about this guild for seconds.
        let said = timeout(Duration::from_secs(3), answer(&served, &head)).await;
        let said = said.expect("at once").to_lowercase();
        assert!(said.starts_with("http/1.1 200"), "{said}");
        assert!(said.contains("cache-control: private, no-store"));
        assert!(!said.contains("set-cookie"), "the session does not slide");
    }
}
