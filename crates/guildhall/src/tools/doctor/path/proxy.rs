//! Which proxy stands before Guildhall, and the line of its settings to change.

use reqwest::header::{self, HeaderMap};

/// A proxy that is known by what it says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proxy {
    Nginx,
    Caddy,
    Haproxy,
    /// None, or one that says nothing.
    Unknown,
}

/// What happened to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mishap {
    NotPassedOn,
    HostLost,
    Late,
    Held,
    Compressed,
    CursorLost,
    CookieLost,
    LargeCookie,
    IdleCut,
    Unnamed,
    OldHttp,
}

impl Proxy {
    /// By `Server` and `Via`. HAProxy says nothing unless it is told to.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let names = [header::SERVER, header::VIA].map(|name| {
            let values = headers.get_all(name).iter();
            let texts = values.filter_map(|value| value.to_str().ok());
            texts.collect::<Vec<_>>().join(" ").to_lowercase()
        });
        let says = |word: &str| names.iter().any(|text| text.contains(word));
        if says("nginx") || says("openresty") {
            Self::Nginx
        } else if says("caddy") {
            Self::Caddy
        } else if says("haproxy") {
            Self::Haproxy
        } else {
            Self::Unknown
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Caddy => "Caddy",
            Self::Haproxy => "HAProxy",
            Self::Unknown => "a proxy",
        }
    }

    /// The lines that cure it, of this proxy or of each that is known. `port`: web's.
    pub(super) fn lines(self, mishap: Mishap, port: u16) -> Vec<String> {
        let all = [Self::Nginx, Self::Caddy, Self::Haproxy];
        let known = all
            .iter()
            .filter(|one| self == **one || self == Self::Unknown);
        let mut lines: Vec<String> = Vec::new();
        for one in known {
            let line = one.line(mishap).replace("PORT", &port.to_string());
            lines.push(format!("{}: {line}", one.name()));
        }
        if matches!(mishap, Mishap::NotPassedOn | Mishap::HostLost) {
            lines.push("whole files of settings are in docs/beside-your-app.md".to_owned());
        }
        lines
    }

    fn line(self, mishap: Mishap) -> &'static str {
        match self {
            Self::Nginx | Self::Unknown => of_nginx(mishap),
            Self::Caddy => of_caddy(mishap),
            Self::Haproxy => of_haproxy(mishap),
        }
    }
}

fn of_nginx(mishap: Mishap) -> &'static str {
    match mishap {
        Mishap::NotPassedOn => {
            "location ~ ^/(api|auth)/ { proxy_pass http://127.0.0.1:PORT; proxy_http_version 1.1; \
             proxy_set_header Host $http_host; proxy_set_header Connection \"\"; }"
        }
        Mishap::HostLost => "proxy_set_header Host $http_host;",
        Mishap::Late => {
            "look for auth_request, limit_req and slow names in the location, and for what is before nginx"
        }
        Mishap::Held => {
            "proxy_buffering off; in the location, or take X-Accel-Buffering out of proxy_ignore_headers"
        }
        Mishap::Compressed => {
            "gzip off; in the location, or take text/event-stream out of gzip_types"
        }
        Mishap::CursorLost => "proxy_set_header Last-Event-ID $http_last_event_id;",
        Mishap::CookieLost => {
            "proxy_set_header Cookie $http_cookie; and no proxy_hide_header for Set-Cookie"
        }
        Mishap::LargeCookie => "proxy_buffer_size 8k; and large_client_header_buffers 4 8k;",
        Mishap::IdleCut => "proxy_read_timeout 60s;",
        Mishap::Unnamed => "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        Mishap::OldHttp => "listen 443 ssl http2; or, from nginx 1.25.1 on, http2 on;",
    }
}

fn of_caddy(mishap: Mishap) -> &'static str {
    match mishap {
        Mishap::NotPassedOn => "reverse_proxy /api/* 127.0.0.1:PORT, and the same for /auth/*",
        Mishap::HostLost => "take header_up Host out of reverse_proxy",
        Mishap::Late => "look for forward_auth before reverse_proxy, and for what is before Caddy",
        Mishap::Held => "flush_interval -1 in reverse_proxy",
        Mishap::Compressed => {
            "take text/event-stream out of the match of encode, which has it not by default"
        }
        Mishap::CursorLost => "take header_up -Last-Event-ID out of reverse_proxy",
        Mishap::CookieLost => {
            "take header_up -Cookie and header_down -Set-Cookie out of reverse_proxy"
        }
        Mishap::LargeCookie => "max_header_size 16KB in the global servers, or leave its default",
        Mishap::IdleCut => "take read_timeout out of reverse_proxy's transport http",
        Mishap::Unnamed => "take header_up -X-Forwarded-For out of reverse_proxy",
        Mishap::OldHttp => "protocols h1 h2 h3 in the global servers, or leave its default",
    }
}

fn of_haproxy(mishap: Mishap) -> &'static str {
    match mishap {
        Mishap::NotPassedOn => {
            "use_backend guildhall if { path_beg /api/ /auth/ }, with server web 127.0.0.1:PORT there"
        }
        Mishap::HostLost => "take http-request set-header Host out",
        Mishap::Late => "look for http-request wait-for-body and for what is before HAProxy",
        Mishap::Held => "option http-no-delay, and no filter that waits for whole answers",
        Mishap::Compressed => "take text/event-stream out of compression type",
        Mishap::CursorLost => "take http-request del-header Last-Event-ID out",
        Mishap::CookieLost => {
            "take http-request del-header Cookie and http-response del-header Set-Cookie out"
        }
        Mishap::LargeCookie => "tune.bufsize 16384, which is its default",
        Mishap::IdleCut => "timeout server 60s and timeout client 60s",
        Mishap::Unnamed => "option forwardfor",
        Mishap::OldHttp => "alpn h2,http/1.1 behind bind :443 ssl crt FILE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_known_by_its_headers_and_else_all_are_told() {
        for (name, value, right) in [
            ("server", "nginx/1.22.1", Proxy::Nginx),
            ("server", "openresty", Proxy::Nginx),
            ("server", "Caddy", Proxy::Caddy),
            ("via", "1.1 Caddy", Proxy::Caddy),
            ("via", "1.1 haproxy", Proxy::Haproxy),
            ("server", "elsewhere", Proxy::Unknown),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("a header"));
            assert_eq!(Proxy::of(&headers), right, "{value}");
        }
        let one = Proxy::Nginx.lines(Mishap::IdleCut, 3000);
        assert_eq!(one, ["nginx: proxy_read_timeout 60s;"]);
        let all = Proxy::Unknown.lines(Mishap::NotPassedOn, 3456);
        assert_eq!(all.len(), 4, "{all:?}");
        for (line, name) in all.iter().zip(["nginx: ", "Caddy: ", "HAProxy: "]) {
            assert!(line.starts_with(name) && line.contains(":3456"), "{line}");
        }
    }
}
