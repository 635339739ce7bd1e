//! One proxy before the house and somebody else's app, as `docs/beside-your-app.md` prints it.

use axum::Router;
use reqwest::{Response, StatusCode, Url};
use tokio::{net::TcpListener, task::JoinSet};

use crate::house::{House, Nginx, Stream, cookie_of, free_port, location_of};

const PAGE: &str = include_str!("../../../../docs/beside-your-app.md");

/// A block of the page, by its file's name.
fn printed(file: &str) -> &'static str {
    let (_, behind) = PAGE
        .split_once(&format!("file={file}\n"))
        .expect("it is printed");
    behind.split("\n```").next().expect("it ends")
}

/// An app that has whatever is not the house's.
async fn app(running: &mut JoinSet<()>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let router = Router::new().fallback(async || "the app");
    running.spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_prefix_everything_is_below_it_and_the_rest_is_the_apps() {
    let port = free_port();
    let base = format!("http://localhost:{port}/live");
    let settings = printed("prefix/guildhall.env").lines();
    let settings: Vec<(&str, String)> = settings
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once('=').expect("NAME=VALUE"))
        .map(|(name, value)| (name, value.replace("http://localhost:8080/live", &base)))
        .collect();
    let settings: Vec<_> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    assert!(settings.contains(&("BASE_URL", &base)), "{settings:?}");
    let house = House::with(&settings).await;
    let mut running = JoinSet::new();
    let lines = printed("prefix/nginx.conf")
        .replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"))
        .replace("127.0.0.1:3000", &format!("127.0.0.1:{}", house.ports.web))
        .replace(
            "127.0.0.1:8000",
            &format!("127.0.0.1:{}", app(&mut running).await),
        );
    let nginx = Nginx::printed(port, &lines, house.folder()).await;
    let get = async |path: &str, cookie: &str| -> Response {
        let request = house.http.get(nginx.url(path)).header("cookie", cookie);
        request.send().await.expect("nginx answers")
    };

    for path in ["/", "/api/me", "/auth/login", "/livery"] {
        let said = get(path, "").await.text().await.expect("text");
        assert_eq!(said, "the app", "{path}");
    }
    let login = get("/live/auth/login", "").await;
    let attempt = cookie_of(&login).expect("the login sets a cookie");
    let authorize = location_of(&login);
    let asks = Url::parse(&authorize).expect("a URL");
    let back = asks.query_pairs().find(|(name, _)| name == "redirect_uri");
    let back = back.expect("where to come back to").1.into_owned();
    assert_eq!(back, format!("{base}/auth/callback"));
    let authorize = format!("{authorize}&sim_user={}", house.discord.visitor);
    let consent = house.http.get(authorize).send().await;
    let callback = location_of(&consent.expect("Discord answers"));
    let request = house.http.get(&callback).header("cookie", attempt);
    let signed_in = request.send().await.expect("nginx answers");
    let cookie = cookie_of(&signed_in).expect("the callback sets a cookie");
    assert_eq!(location_of(&signed_in), format!("{base}/"));

    let mut stream = Stream::open(&house.http, &nginx.url("/live/api/stream"), &cookie, None).await;
    stream.until("snapshot").await;
    let (person, room) = (&house.discord.people[0], &house.discord.rooms[0]);
    house.discord.voice(person, Some(room)).await;
    let joined = stream.until("voice.joined").await;
    assert_eq!(joined.data["userId"], person.as_str());
    let body = serde_json::json!({ "guildId": house.discord.guild });
    let request = house
        .http
        .post(nginx.url("/live/api/rpc/ensureUserInGuild"));
    let request = request
        .header("cookie", &cookie)
        .header("origin", nginx.url(""));
    let answer = request.json(&body).send().await.expect("nginx answers");
    assert_eq!(answer.status(), StatusCode::OK);

    let page = get("/live/", &cookie).await;
    assert_eq!(page.status(), StatusCode::OK);
    let page = page.text().await.expect("text");
    let script = page
        .split('"')
        .find(|part| part.contains("assets/") && part.contains(".js"));
    let script = Url::parse(&format!("{base}/"))
        .and_then(|at| at.join(script.expect("it has a script")))
        .expect("a URL");
    assert!(script.as_str().starts_with(&format!("{base}/assets/")));
    let packed = house.http.get(script).header("accept-encoding", "gzip");
    let packed = packed.send().await.expect("nginx answers");
    assert_eq!(packed.status(), StatusCode::OK);
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert_eq!(packed.headers()["vary"], "accept-encoding");
}
