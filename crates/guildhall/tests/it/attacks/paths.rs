//! Addresses that are nearly one: whatever stands before us may have let them pass as something else, so
//! each route has exactly one, and no file is reached that is none of the page's.

use super::unharmed;
use crate::house::{House, cookie_of, free_port, location_of, raw};

/// In place of `me` and its like, below the prefix; each is another address.
const ALIASES: &[&str] = &[
    "/api/me/",
    "/api/me;x",
    "/api/me;x=1",
    "/api/./me",
    "/api/../api/me",
    "/api//me",
    "//api/me",
    "/api/me/.",
    "/api/me/..",
    "/api/x/../me",
    "/./api/me",
    "/../api/me",
    "/api/%6de",
    "/%61pi/me",
    "/api%2fme",
    "/api%2Fme",
    "/api/%2e/me",
    "/api/%2e%2e/api/me",
    "/api/me%20",
    "/api/me%00",
    "/api/me%0a",
    "/api/me%3f",
    "/api/me%23",
    "/api/me%2f",
    "/api\\me",
    "/api/me\\",
    "/API/me",
    "/api/ME",
    "/api/me.json",
    "/api/me%252f",
    "/api/m\u{65}\u{301}",
    "/api/me%c0%af",
    "/api%c0%afme",
    "/api%u002fme",
    "/api/me,x",
    "/api/:me",
    "/api/{*rest}",
    "/;/api/me",
    "/.;/api/me",
    "/api;/me",
    "/api/..;/api/me",
    "*",
    "me",
    "api/me",
    "/%2f/api/me",
    "/%5c/api/me",
    "/api/me\u{ff0f}",
    "/auth/..%2fapi/me",
];

/// Files that are none of the page's.
const FILES: &[&str] = &[
    "/../Cargo.toml",
    "/../../Cargo.toml",
    "/..%2fCargo.toml",
    "/%2e%2e/Cargo.toml",
    "/%2e%2e%2fCargo.toml",
    "/assets/../../package.json",
    "/assets/..%2f..%2fpackage.json",
    "/assets/%2e%2e/%2e%2e/package.json",
    "/..\\package.json",
    "/..%5cpackage.json",
    "/....//package.json",
    "/..;/package.json",
    "/%c0%ae%c0%ae/package.json",
    "/%c0%ae%c0%ae%c0%afpackage.json",
    "/%e0%80%ae%e0%80%ae/package.json",
    "/%252e%252e/package.json",
    "//etc/passwd",
    "/etc/passwd",
    "/%2fetc/passwd",
    "/./etc/passwd",
    "/file:///etc/passwd",
    "/assets//etc/passwd",
    "/assets/%2fetc%2fpasswd",
    "/.env",
    "/.git/config",
    "/index.html%00.js",
    "/index.html/",
    "/index.html;x",
    "/index%2ehtml",
    "/INDEX.HTML",
    "/../src/main.tsx",
    "/../index.html",
    "/proc/self/environ",
    "/../../../../../../../../proc/self/environ",
    "/\0",
    "/%00",
    "/CON",
    "/NUL",
    "/C:\\",
    "/\u{2025}/package.json",
    "/\u{ff0e}\u{ff0e}/package.json",
];

/// What a file that got out would have.
const OUT: &[&str] = &[
    "[package]",
    "[workspace]",
    "\"dependencies\"",
    "root:x:",
    "[core]",
    "SESSION_SECRET",
    "import ",
];

#[tokio::test(flavor = "multi_thread")]
async fn each_route_has_one_address_and_no_file_gets_out() {
    let mut tried = 0;
    let mut faults = Vec::new();
    for prefix in ["", "/hall", "/hall/in/depth"] {
        let house = below(prefix).await;
        let cookie = sign_in(&house, prefix).await;
        let ask = async |target: &str| {
            let request = format!(
                "GET {target} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
            );
            let heard = raw::answers(house.ports.web, &request).await;
            assert_eq!(heard.len(), 1, "{target:?}");
            heard.into_iter().next().expect("one")
        };
        let right = ask(&format!("{prefix}/api/me")).await;
        assert_eq!(right.status, 200, "{}", right.body);
        let beside = [
            "/hallx",
            "/hall%2f",
            "/HALL",
            "/hall/.",
            "/x/../hall",
            "//hall",
            "/hall;",
            "/hal",
            "/hall/hall",
            "/%68all",
        ];
        let near_prefix = beside.iter().map(|near| format!("{near}/api/me"));
        let aliases = ALIASES.iter().map(|path| format!("{prefix}{path}"));
        let files = FILES
            .iter()
            .flat_map(|path| [format!("{prefix}{path}"), (*path).to_owned()]);
        let absolute = [
            format!("http://evil.example{prefix}/api/me"),
            format!("http://localhost@evil.example{prefix}/api/me"),
            format!("ftp://evil.example{prefix}/api/me"),
        ];
        for target in near_prefix.chain(aliases).chain(files).chain(absolute) {
            let answer = ask(&target).await;
            tried += 1;
            let leads_on = answer
                .header("location")
                .is_some_and(|to| to != format!("{prefix}/"));
            let told = OUT.iter().find(|out| answer.body.contains(**out));
            let refused = (400..500).contains(&answer.status);
            let home = prefix.is_empty() && answer.status == 308;
            if leads_on || told.is_some() || !(refused || home) {
                faults.push(format!(
                    "{prefix:?} {target:?}: {} {told:?} {}",
                    answer.status, answer.head
                ));
            }
        }
        unharmed(&house);
    }
    println!("paths: {tried} targets");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A house that is all below a path.
async fn below(prefix: &str) -> House {
    let port = free_port();
    let base_url = format!("http://localhost:{port}{prefix}");
    let settings = [("BASE_URL", &*base_url), ("WEB_PORT", &port.to_string())];
    let mut house = House::with(&settings).await;
    house.ports.web = port;
    house
}

async fn sign_in(house: &House, prefix: &str) -> String {
    let login = house.get(&format!("{prefix}/auth/login"), None).await;
    let attempt = cookie_of(&login).expect("an attempt cookie");
    let authorize = format!("{}&sim_user={}", location_of(&login), house.discord.visitor);
    let consent = house.http.get(authorize).send().await;
    let callback = location_of(&consent.expect("Discord answers"));
    let request = house.http.get(callback).header("cookie", attempt);
    let done = request.send().await.expect("web answers");
    cookie_of(&done).expect("a session")
}
