//! One more web process of a house, as behind one address with the first.

use reqwest::{Response, StatusCode};

use super::{House, Ports, Process, Stream, start_web};

/// Another web process, with the first one's settings but its port.
pub(crate) struct AnotherWeb {
    pub(crate) process: Process,
    pub(crate) ports: Ports,
}

impl House {
    /// Starts one, and waits until it is ready.
    pub(crate) async fn another_web(&self) -> AnotherWeb {
        let ports = Ports {
            link: self.ports.link,
            ..Ports::new()
        };
        let process = self.start_another_web(&ports);
        let another = AnotherWeb { process, ports };
        self.until_ready(another.ports.web_ops).await;
        another
    }

    /// Starts it again, and waits for nothing.
    pub(crate) fn restart(&self, another: &mut AnotherWeb) {
        another.process = self.start_another_web(&another.ports);
    }

    fn start_another_web(&self, ports: &Ports) -> Process {
        let mut settings = self.settings.clone();
        settings.retain(|(name, _)| name != "WEB_PORT");
        settings.push(("WEB_PORT".to_owned(), ports.web.to_string()));
        start_web(&settings, ports, self.folder())
    }

    /// What a web process answers to a session's question of who it is; `None`: nobody answers.
    pub(crate) async fn who_am_i(&self, web: &Ports, cookie: &str) -> Option<StatusCode> {
        let url = format!("http://localhost:{}/api/me", web.web);
        let answer = self.http.get(url).header("cookie", cookie).send().await;
        answer.ok().map(|answer| answer.status())
    }

    /// Signs out at one of the web processes.
    pub(crate) async fn sign_out(&self, web: &Ports, cookie: &str, everywhere: bool) -> Response {
        let url = format!("http://localhost:{}/auth/logout", web.web);
        let request = self.http.post(url).header("cookie", cookie);
        let request = request.header("origin", self.url(""));
        let body = serde_json::json!({ "everywhere": everywhere });
        request.json(&body).send().await.expect("web answers")
    }

    /// Opens a stream at one of the web processes.
    pub(crate) async fn stream_at(&self, web: &Ports, cookie: &str) -> Stream {
        let url = format!("http://localhost:{}/api/stream", web.web);
        Stream::open(&self.http, &url, cookie, None).await
    }
}
