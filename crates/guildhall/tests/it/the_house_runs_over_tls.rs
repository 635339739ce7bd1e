//! All that the house says to others goes over TLS where the addresses say so, under an authority
//! that `SSL_CERT_FILE` names; and no other certificate is taken.

use reqwest::StatusCode;
use tokio::time::timeout;

use crate::house::{
    Authority, Discord, Folder, House, Identity, Ports, Process, SOON, TlsProxy, client, retry,
    until,
};

#[tokio::test(flavor = "multi_thread")]
async fn gateway_rest_login_and_link_go_over_tls() {
    let (authority, folder, ports) = (
        Authority::named("An authority of a test"),
        Folder::new(),
        Ports::new(),
    );
    let identity = authority.certify();
    let [certificate, key] = identity.files(&folder.0);
    let [certificate, key] = [certificate, key].map(|file| file.display().to_string());
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--tls-cert",
        &certificate,
        "--tls-key",
        &key,
    ];
    let simulator = Process::start("simulator", &arguments, &[], &folder.0);
    let address = simulator.line_after("Discord side").await;
    let address = address.trim_end_matches('/');
    assert!(address.starts_with("https://"), "{address}");
    let discord = Discord::reached(authority.client(), address).await;
    let link = TlsProxy::before(ports.link, &identity).await;
    let more = [
        ("SSL_CERT_FILE", authority.file(&folder.0)),
        ("GATEWAY_WS_URL", link.url("wss")),
    ];
    let more = more.each_ref().map(|(name, value)| (*name, value.as_str()));
    let http = authority.client();
    let house = House::around(simulator, discord, http, ports, folder, &more);
    house.until_ready(house.ports.web_ops).await;
    // Whose rights are looked up by REST.
    let (_cookie, mut stream) = house.visit().await;
    assert!(
        stream.raw.contains(&house.discord.rooms[0]),
        "{}",
        stream.raw
    );
    let (person, room) = (&house.discord.people[0], &house.discord.rooms[0]);
    house.discord.voice(person, Some(room)).await;
    let joined = stream.until("voice.joined").await;
    assert_eq!(joined.data["userId"], person.as_str());
    assert_eq!(link.refused(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_authority_is_refused_and_the_cure_is_named() {
    let said = ["is of an unknown issuer", "SSL_CERT_FILE"];
    refused_until_put_right(|_| Authority::named("Another authority").certify(), &said).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_is_refused() {
    refused_until_put_right(Authority::certify_expired, &["certificate has expired"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_another_name_is_refused() {
    let said = ["certificate is not valid for the name localhost"];
    refused_until_put_right(Authority::certify_another, &said).await;
}

/// Shows a wrong certificate at each of the four places: each is told with a sentence that has all
/// of these texts, and nothing is to be started again once the right ones are shown.
async fn refused_until_put_right(wrong: impl Fn(&Authority) -> Identity, texts: &[&str]) {
    let (authority, folder, ports) = (
        Authority::named("An authority of a test"),
        Folder::new(),
        Ports::new(),
    );
    let (right, wrong) = (authority.certify(), wrong(&authority));
    let listen = ["--listen", "127.0.0.1:0"];
    let simulator = Process::start("simulator", &listen, &[], &folder.0);
    let plain = simulator.line_after("Discord side").await;
    let discord = Discord::at(plain.trim_end_matches('/')).await;
    let port = discord
        .url
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok());
    let port = port.expect("a port");
    let api = TlsProxy::before(port, &wrong).await;
    let gateway = TlsProxy::before(port, &wrong).await;
    let link = TlsProxy::before(ports.link, &wrong).await;
    let more = [
        ("SSL_CERT_FILE", authority.file(&folder.0)),
        ("DISCORD_URL", api.url("https")),
        // The browser of this test is no concern of the house's.
        ("DISCORD_PUBLIC_URL", discord.url.clone()),
        ("DISCORD_GATEWAY_URL", gateway.url("wss") + "/gateway"),
        ("GATEWAY_WS_URL", link.url("wss")),
    ];
    let more = more.each_ref().map(|(name, value)| (*name, value.as_str()));
    let http = client();
    let house = House::around(simulator, discord, http, ports, folder, &more);

    until_told(&house.gateway, 0, "[Gateway] ", "DISCORD_URL", texts).await;
    until_told(&house.web, 0, "[Gateway Client] ", "GATEWAY_WS_URL", texts).await;
    link.show(&right);
    let answer = house.callback(&house.discord.visitor).await;
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    until_told(&house.web, 0, "[Auth] ", "DISCORD_URL", texts).await;

    // REST is asked for the Gateway first; now that it answers, the Gateway is dialled.
    assert_eq!(gateway.refused(), 0);
    api.show(&right);
    until("the Gateway is dialled", async || gateway.refused() > 0).await;
    let asked = house.gateway.log().len();
    until_told(
        &house.gateway,
        asked,
        "[Gateway] ",
        "DISCORD_GATEWAY_URL",
        texts,
    )
    .await;

    gateway.show(&right);
    house.until_ready(house.ports.web_ops).await;
    let (_cookie, mut stream) = house.visit().await;
    house.discord.stamp("put right").await;
    let updated = stream.until("voice.updated").await;
    assert_eq!(updated.data["username"], "put right");
}

/// Waits for a line of the log, after so many bytes of it, that says all of these texts of whom it
/// is about, and which setting to look at.
async fn until_told(process: &Process, after: usize, about: &str, setting: &str, texts: &[&str]) {
    let texts = [&[about, setting], texts].concat();
    let line = async {
        loop {
            let log = process.log();
            let mut lines = log[after..].lines();
            if lines.any(|line| texts.iter().all(|text| line.contains(text))) {
                return;
            }
            retry().await;
        }
    };
    let line = timeout(SOON, line).await;
    line.unwrap_or_else(|_| panic!("no line with {texts:?} in:\n{}", process.log()));
}

/// Without a proxy before it, and over the renewal of the certificate.
#[tokio::test(flavor = "multi_thread")]
async fn browsers_come_over_tls_and_stay_when_the_certificate_is_renewed() {
    let (first, second) = (
        Authority::named("An authority of a test"),
        Authority::named("Another authority"),
    );
    let (folder, ports) = (Folder::new(), Ports::new());
    let [certificate, key] = first.certify().files(&folder.0);
    let [certificate, key] = [certificate, key].map(|file| file.display().to_string());
    let listen = ["--listen", "127.0.0.1:0"];
    let simulator = Process::start("simulator", &listen, &[], &folder.0);
    let address = simulator.line_after("Discord side").await;
    let discord = Discord::at(address.trim_end_matches('/')).await;
    let base = format!("https://localhost:{}", ports.web);
    let more = [
        ("TLS_CERT", certificate.as_str()),
        ("TLS_KEY", &key),
        ("BASE_URL", &base),
    ];
    // Ops and the simulator are plain.
    let http = first.client();
    let house = House::around(simulator, discord, http, ports, folder, &more);
    house.until_ready(house.ports.web_ops).await;
    let (cookie, mut stream) = house.visit().await;
    assert!(cookie.starts_with("__Host-"), "{cookie}");
    let page = house.get("/", None).await;
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.headers().contains_key("strict-transport-security"));

    second.certify().files(house.folder());
    let renewed = second.client();
    until("the new certificate is shown", async || {
        let me = renewed.get(house.url("/api/me")).header("cookie", &cookie);
        let answer = me.send().await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
    })
    .await;
    let old = first.client().get(house.url("/api/health")).send().await;
    assert!(old.is_err(), "the old one is shown to nobody who comes now");
    let (person, room) = (&house.discord.people[0], &house.discord.rooms[0]);
    house.discord.voice(person, Some(room)).await;
    let joined = stream.until("voice.joined").await;
    assert_eq!(
        joined.data["userId"],
        person.as_str(),
        "who was there stays"
    );

    let plain = format!("http://localhost:{}/api/health", house.ports.web);
    assert!(client().get(plain).send().await.is_err());
}
