use std::time::Duration;

use tokio::task::JoinSet;

use super::{
    slow_proxy::{self, Slowness},
    ward::{Report, healthy, look, look_with, make_healthy},
};
use crate::house::{Authority, Discord, Folder, House, Nginx, Ports, Process, free_port};

/// What a location needs for a stream, as the project's pages print it.
const HOST: &str = "proxy_set_header Host $http_host;";
const FORWARDED: &str = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;";
const HEAD: &str = "proxy_buffer_size 8k;";

/// nginx before a house.
pub(super) struct Before {
    pub(super) house: House,
    port: u16,
}

impl Before {
    /// `BASE_URL` leads to the proxy.
    pub(super) async fn a_house(more: &[(&str, &str)]) -> Self {
        let port = free_port();
        let base = format!("http://localhost:{port}");
        let more = [&[("BASE_URL", base.as_str())], more].concat();
        let house = healthy(&more).await;
        Self { house, port }
    }

    /// Looks at the house with nginx before it that has these lines beside `proxy_pass`.
    pub(super) async fn look(&self, lines: &[&str]) -> Report {
        self.look_with(lines, &["--idle", "1s"]).await
    }

    pub(super) async fn look_with(&self, lines: &[&str], flags: &[&str]) -> Report {
        let _nginx = self.nginx(lines).await;
        look_with(&self.house, &[], flags).await
    }

    pub(super) async fn nginx(&self, lines: &[&str]) -> Nginx {
        let listen = format!("127.0.0.1:{}", self.port);
        let config = config(&listen, "", self.house.ports.web, lines);
        Nginx::printed(self.port, &config, self.house.folder()).await
    }
}

fn config(listen: &str, server: &str, target: u16, lines: &[&str]) -> String {
    let lines = lines.join("\n");
    format!(
        "events {{}}\nhttp {{\nserver {{\nlisten {listen};\n{server}\nlocation / {{\n\
         proxy_pass http://127.0.0.1:{target};\nproxy_http_version 1.1;\n\
         proxy_set_header Connection \"\";\n{lines}\n}}\n}}\n}}\n"
    )
}

/// The lines of a healthy location.
pub(super) const WELL: [&str; 3] = [HOST, FORWARDED, HEAD];

fn well_and<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&WELL[..], more].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_nginx_that_harms_a_stream_is_found_and_its_cure_is_one() {
    let before = Before::a_house(&[("TRUSTED_PROXIES", "loopback")]).await;
    before.look(&WELL).await.assert_healthy();
    for (check, harm, text) in [
        (
            "compression",
            "gzip on; gzip_types text/event-stream;",
            "(gzip)",
        ),
        (
            "last-event-id",
            "proxy_set_header Last-Event-ID \"\";",
            "does not arrive",
        ),
        (
            "last-event-id",
            "proxy_set_header Last-Event-ID 1;",
            "arrives changed",
        ),
        ("cookie", "proxy_set_header Cookie \"\";", "does not arrive"),
    ] {
        let report = before.look(&well_and(&[harm])).await;
        report.assert_found(&[check], text);
        let cure = report.nginx_lines(check);
        before.look(&well_and(&[&cure])).await.assert_healthy();
    }
    let report = before
        .look(&well_and(&["proxy_hide_header Set-Cookie;"]))
        .await;
    report.assert_found(&["cookie"], "Set-Cookie does not come back");
    assert!(report.cure("cookie")[0].contains("no proxy_hide_header for Set-Cookie"));

    let report = before.look(&[HOST, FORWARDED]).await;
    report.assert_found(&["large-cookie"], "502");
    let cure = report.nginx_lines("large-cookie");
    // The second line is for the server around it.
    let cure = cure.split(';').next().expect("a line").to_owned() + ";";
    before
        .look(&[HOST, FORWARDED, &cure])
        .await
        .assert_healthy();

    let report = before.look(&[HOST, HEAD]).await;
    report.assert_found(&["client-address"], "nginx does not say for whom it asks");
    let cure = report.nginx_lines("client-address");
    before.look(&[HOST, HEAD, &cure]).await.assert_healthy();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_that_is_cut_is_found_with_the_time() {
    let before = Before::a_house(&[("TRUSTED_PROXIES", "loopback")]).await;
    let short = well_and(&["proxy_read_timeout 1s;"]);
    let idle = ["--idle", "3s"];
    let report = before.look_with(&short, &idle).await;
    report.assert_found(&["idle-cut"], "is cut 1 s after its last event");
    let cure = report.nginx_lines("idle-cut");
    let report = before.look_with(&well_and(&[&cure]), &idle).await;
    report.assert_healthy();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_url_that_leads_nowhere_is_told_by_what_is_there() {
    let before = Before::a_house(&[("TRUSTED_PROXIES", "loopback")]).await;
    let house = &before.house;
    let report = look(house, &[]).await;
    report.assert_found(&["base-url"], "does not answer");
    report.assert_skipped("buffering", "no stream opens");

    let report = before
        .look(&["proxy_set_header Host other.example;", FORWARDED, HEAD])
        .await;
    report.assert_found(&["base-url"], "under another name");
    let cure = report.nginx_lines("base-url");
    before
        .look(&[&cure, FORWARDED, HEAD])
        .await
        .assert_healthy();

    let elsewhere = config(
        &format!("127.0.0.1:{}", before.port),
        "location /api { return 404; }",
        house.ports.web,
        &WELL,
    );
    let nginx = Nginx::printed(before.port, &elsewhere, house.folder()).await;
    let report = look(house, &[]).await;
    drop(nginx);
    report.assert_found(&["base-url"], "do not lead to Guildhall");
    let cure = report.nginx_lines("base-url");
    assert!(
        cure.contains(&format!("127.0.0.1:{}", house.ports.web)),
        "{cure}"
    );

    for (answer, text) in [
        (
            "return 301 https://hall.example/;",
            "leads on to https://hall.example/",
        ),
        ("return 502;", "does not reach web"),
        ("return 403;", "something before Guildhall answers 403"),
        ("return 200 hello;", "something else than a stream"),
    ] {
        let report = before.look(&[answer]).await;
        report.assert_found(&["base-url"], text);
    }

    let _nginx = before.nginx(&WELL).await;
    let other = "another-secret-of-the-session-0123456789ab";
    let report = look(house, &[("SESSION_SECRET", other)]).await;
    report.assert_found(&["base-url"], "has another SESSION_SECRET");
    let said = format!("{report:?}");
    assert!(!said.contains(other), "no secret is printed");
    look(house, &[]).await.assert_healthy();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_late_or_held_back_is_found() {
    let port = free_port();
    let base = format!("http://localhost:{port}");
    let house = healthy(&[("BASE_URL", &base)]).await;
    let through = async |slowness| {
        let mut running = JoinSet::new();
        slow_proxy::listen(port, house.ports.web, slowness, &mut running).await;
        let report = look(&house, &[]).await;
        // Its port is free when it has ended.
        running.shutdown().await;
        report
    };
    let report = through(Slowness::Late(Duration::from_millis(1_300))).await;
    report.assert_found(&["first-byte"], "begins only after 1");
    assert_eq!(
        report.cure("first-byte").len(),
        3,
        "of each proxy: {report:?}"
    );
    let report = through(Slowness::Holds).await;
    report.assert_found(&["buffering"], "came in 1 pieces");
    through(Slowness::None).await.assert_healthy();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_not_listed_is_found_by_whom_it_speaks_for() {
    let mut before = Before::a_house(&[]).await;
    // As if somebody came from there.
    let from_afar = "proxy_set_header X-Forwarded-For 203.0.113.7;";
    let lines = [HOST, from_afar, HEAD];
    let report = before.look(&lines).await;
    report.assert_found(&["client-address"], "is not listed in TRUSTED_PROXIES");
    let cure = report.cure("client-address")[0].clone();
    let proxies = cure
        .strip_prefix("set TRUSTED_PROXIES=")
        .expect("the setting");
    before.house.set("TRUSTED_PROXIES", proxies);
    before.house.restart_web().await;
    let report = before.look(&lines).await;
    report.assert_healthy();
    report.assert_passed("client-address");
}

#[tokio::test(flavor = "multi_thread")]
async fn six_streams_a_browser_are_told_until_the_proxy_speaks_http_2() {
    let authority = Authority::named("An authority of a test");
    let (folder, ports, port) = (Folder::new(), Ports::new(), free_port());
    let root = authority.file(&folder.0);
    let [certificate, key] = authority.certify().files(&folder.0);
    let listen = ["--listen", "127.0.0.1:0"];
    let simulator = Process::start("simulator", &listen, &[], &folder.0);
    let address = simulator.line_after("Discord side").await;
    let discord = Discord::at(address.trim_end_matches('/')).await;
    let base = format!("https://localhost:{port}");
    let more = [
        ("BASE_URL", base.as_str()),
        ("SSL_CERT_FILE", &root),
        ("STREAMS_MAX", "500"),
        ("TRUSTED_PROXIES", "loopback"),
    ];
    let http = authority.client();
    let house = House::around(simulator, discord, http, ports, folder, &more);
    house.until_ready(house.ports.web_ops).await;
    make_healthy(&house).await;
    let server = format!(
        "ssl_certificate {};\nssl_certificate_key {};",
        certificate.display(),
        key.display()
    );
    let through = async |listen: &str, more: &[(&str, &str)]| {
        let config = config(listen, &server, house.ports.web, &WELL);
        let _nginx = Nginx::printed(port, &config, house.folder()).await;
        look(&house, more).await
    };
    let listen = format!("127.0.0.1:{port} ssl");
    let report = through(&listen, &[]).await;
    report.assert_found(&["http-version"], "HTTP/1.1 alone");
    let cure = report.nginx_lines("http-version");
    assert!(cure.starts_with("listen 443 ssl http2;"), "{cure}");
    let cured = format!("127.0.0.1:{port} ssl http2");
    through(&cured, &[]).await.assert_healthy();
    let report = through(&cured, &[("SSL_CERT_FILE", "")]).await;
    report.assert_found(&["base-url"], "certificate");
}
