//! A page of another site, in the browser of somebody who is signed in: it has nothing done here, by any
//! route of the document that does something.

use reqwest::{StatusCode, header::HeaderMap};

use super::{document, operations, unharmed};
use crate::house::{House, secrets::JWT_SECRET};

/// What the page's request says of itself, and how that is refused.
struct Forgery {
    what: &'static str,
    headers: Vec<(&'static str, String)>,
    status: u16,
}

/// `ours`: the origin of the house.
#[expect(clippy::too_many_lines, reason = "a flat table")]
fn forgeries(ours: &str) -> Vec<Forgery> {
    let json = || ("content-type", "application/json".to_owned());
    let origin = |origin: &str| ("origin", origin.to_owned());
    let site = |site: &str| ("sec-fetch-site", site.to_owned());
    let body = |kind: &str| ("content-type", kind.to_owned());
    let port = ours.rsplit(':').next().unwrap_or_default();
    let mut all = Vec::new();
    let mut add = |what, status, headers: &[(&'static str, String)]| {
        all.push(Forgery {
            what,
            headers: headers.to_vec(),
            status,
        });
    };
    add(
        "of another site",
        403,
        &[origin("https://evil.example"), json()],
    );
    add("of a sandbox or a file", 403, &[origin("null"), json()]);
    add("of nowhere", 403, &[origin(""), json()]);
    add(
        "of a host that ends like ours",
        403,
        &[origin(&format!("http://evil.localhost:{port}")), json()],
    );
    add(
        "of our host on another port",
        403,
        &[origin("http://localhost:1"), json()],
    );
    add(
        "of our host by another scheme",
        403,
        &[origin(&format!("https://localhost:{port}")), json()],
    );
    add(
        "of a user who is called like us",
        403,
        &[
            origin(&format!("http://localhost:{port}@evil.example")),
            json(),
        ],
    );
    add(
        "of two origins",
        403,
        &[origin(&format!("{ours} https://evil.example")), json()],
    );
    add(
        "with ours first",
        403,
        &[origin(ours), origin("https://evil.example"), json()],
    );
    add(
        "with ours last",
        403,
        &[origin("https://evil.example"), origin(ours), json()],
    );
    add(
        "of another site by its browser",
        403,
        &[site("cross-site"), json()],
    );
    add("of the same site", 403, &[site("same-site"), json()]);
    add("of an address bar", 403, &[site("none"), json()]);
    add(
        "of two sites",
        403,
        &[site("same-origin"), site("cross-site"), json()],
    );
    add(
        "that claims our site",
        403,
        &[origin("https://evil.example"), site("same-origin"), json()],
    );
    add("without a word of where it is from", 403, &[json()]);
    add(
        "that says it by a referrer",
        403,
        &[("referer", format!("{ours}/")), json()],
    );
    for kind in [
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=application/json",
        "application/jsonp",
        "application/json, text/plain",
        "",
    ] {
        add("of a form", 415, &[origin(ours), body(kind)]);
    }
    add(
        "of two kinds",
        415,
        &[origin(ours), json(), body("text/plain")],
    );
    add("without a kind", 415, &[origin(ours)]);
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_has_nothing_done_by_any_route() {
    let house = House::with(&[("JWT_SECRET", JWT_SECRET)]).await;
    let (cookie, _stream) = house.visit().await;
    let document = document(&house).await;
    let before = house.discord.state().await;
    let mut tried = 0;
    let mut faults = Vec::new();
    for (method, path, _) in operations(&document) {
        if method != "post" {
            continue;
        }
        for Forgery {
            what,
            headers,
            status,
        } in forgeries(&house.url(""))
        {
            // Who signs in by a token of another login may be a program, which says no origin.
            let has_origin = headers.iter().any(|(name, _)| *name == "origin");
            if path == "/auth/exchange" && !has_origin {
                continue;
            }
            let mut sent = HeaderMap::new();
            for (name, value) in &headers {
                sent.append(*name, value.parse().expect("a value"));
            }
            let request = house.http.post(house.url(path)).headers(sent);
            let request = request.header("cookie", &cookie).body("{}");
            let answer = request.send().await.expect("web answers");
            tried += 1;
            if answer.status() != status || answer.headers().contains_key("set-cookie") {
                faults.push(format!("{path} {what}: {}", answer.status()));
            }
            if answer.headers().contains_key("access-control-allow-origin") {
                faults.push(format!("{path} {what}: may be read"));
            }
        }
        for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let request = house
                .http
                .request(method.parse().expect("a method"), house.url(path));
            let request = request
                .header("cookie", &cookie)
                .header("x-http-method-override", "POST");
            let status = request.send().await.expect("web answers").status();
            tried += 1;
            if status != StatusCode::METHOD_NOT_ALLOWED {
                faults.push(format!("{method} {path}: {status}"));
            }
        }
    }
    println!("cross-site: {tried} requests");
    assert!(tried > 500, "{tried}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let me = house.get("/api/me", Some(&cookie)).await;
    assert_eq!(me.status(), StatusCode::OK, "they are signed in still");
    assert_eq!(house.discord.state().await["guilds"], before["guilds"]);
    unharmed(&house);
}
