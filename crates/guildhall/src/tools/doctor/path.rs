//! A stream on its way through whatever the operator has before web: opened by `BASE_URL`, as a
//! browser would, and judged by when its bytes come and by what the probe says of the request.

/// Whether a stream opens, and what is there where none does.
mod base_url;
/// Asks for a probe and notes what comes when.
mod probe;
/// Which proxy it is, and the line to change.
mod proxy;

use std::{net::IpAddr, time::Duration};

use guildhall_web::ProbeKey;
use reqwest::Version;

use super::{
    Patient,
    check::{CheckOutcome, Findings},
};
use probe::{COOKIE_LENGTH, CURSOR, LARGE_COOKIE, ProbeClient, ProbeRequest, Probed, Unopened};
use proxy::{Mishap, Proxy};

/// A head that takes longer is no matter of distance.
const FIRST_BYTE: Duration = Duration::from_secs(1);

/// A stream says something so often; a silence that is cut sooner cuts every stream.
const SAYS_EVERY: Duration = Duration::from_secs(15);

/// The checks of a stream that is open.
const BEHIND_BASE_URL: [&str; 9] = [
    "first-byte",
    "buffering",
    "compression",
    "last-event-id",
    "cookie",
    "large-cookie",
    "idle-cut",
    "client-address",
    "http-version",
];

pub(super) async fn examine(patient: &Patient<'_>) -> anyhow::Result<Findings> {
    let mut findings = Findings::default();
    let Some(web) = &patient.roles.web else {
        let why = match patient.asked.role {
            crate::cli::DoctorRole::Gateway => "a gateway serves no browsers",
            _ => "web's settings can't be read",
        };
        findings.add("base-url", CheckOutcome::skipped(why));
        skip_the_rest(why, &mut findings);
        return Ok(findings);
    };
    let config = &web.role;
    let key = ProbeKey::of(config);
    let client = ProbeClient::new(&config.base_url, &config.tls, &key.session_cookie())?;
    let port = config.listen.port();
    let open = async |request: ProbeRequest| {
        let token = key.token(patient.clock.now());
        client.open(&token, request).await
    };
    let mut probed = match open(ProbeRequest::like_a_browser()).await {
        Ok(probed) => probed,
        Err(why) => {
            findings.add("base-url", base_url::unopened(&why, &config.base_url, port));
            skip_the_rest("no stream opens by BASE_URL", &mut findings);
            return Ok(findings);
        }
    };
    if (probed.is_held() || probed.head_after > FIRST_BYTE)
        && let Ok(again) = open(ProbeRequest::like_a_browser()).await
    {
        // A machine that had no time for a moment is no proxy that holds something.
        probed = probed.better(again);
    }
    let idle = patient.asked.idle;
    let (large, quiet) = tokio::join!(
        open(ProbeRequest::with_large_cookies()),
        open(ProbeRequest::silent_for(idle))
    );
    let proxy = probed.proxy;
    let of = |mishap| proxy.lines(mishap, port);
    findings.add("base-url", base_url::opened(&probed, &config.base_url));
    findings.add("first-byte", first_byte(&probed, of(Mishap::Late)));
    findings.add("buffering", buffering(&probed, of(Mishap::Held)));
    findings.add("compression", compression(&probed, of(Mishap::Compressed)));
    findings.add(
        "last-event-id",
        last_event_id(&probed, of(Mishap::CursorLost)),
    );
    findings.add("cookie", cookie(&probed, of(Mishap::CookieLost)));
    findings.add(
        "large-cookie",
        large_cookie(&large, of(Mishap::LargeCookie)),
    );
    findings.add("idle-cut", idle_cut(&quiet, idle, of(Mishap::IdleCut)));
    findings.add(
        "client-address",
        client_address(&probed, of(Mishap::Unnamed)),
    );
    findings.add("http-version", http_version(&probed, of(Mishap::OldHttp)));
    Ok(findings)
}

fn skip_the_rest(why: &str, findings: &mut Findings) {
    for name in BEHIND_BASE_URL {
        findings.add(name, CheckOutcome::skipped(why));
    }
}

fn first_byte(probed: &Probed, cure: Vec<String>) -> CheckOutcome {
    let ms = probed.head_after.as_millis();
    if probed.head_after <= FIRST_BYTE {
        return CheckOutcome::passed(format!("after {ms} ms"));
    }
    if probed.is_held() {
        return CheckOutcome::skipped("events are held back, and the head with them");
    }
    CheckOutcome::Failed {
        what: vec![format!("a stream begins only after {ms} ms")],
        cure,
    }
}

fn buffering(probed: &Probed, cure: Vec<String>) -> CheckOutcome {
    let (arrivals, events) = (probed.arrivals(), Probed::EVENTS);
    if !probed.is_held() {
        return CheckOutcome::passed("events come when they are said");
    }
    CheckOutcome::Failed {
        what: vec![format!(
            "events are held back: {events} that were said within a second came in {arrivals} pieces, the \
             first {} ms after the head",
            probed.first_after_head().as_millis()
        )],
        cure,
    }
}

fn compression(probed: &Probed, cure: Vec<String>) -> CheckOutcome {
    match &probed.encoding {
        None => {
            CheckOutcome::passed("a stream stays as it is, asked for with Accept-Encoding: gzip")
        }
        Some(encoding) => CheckOutcome::Failed {
            what: vec![format!(
                "streams are compressed on the way ({encoding}) although they say no-transform: that takes \
                 memory for each, and holds events back where they are not flushed one by one"
            )],
            cure,
        },
    }
}

fn last_event_id(probed: &Probed, cure: Vec<String>) -> CheckOutcome {
    let what = match probed.echo.last_event_id.as_deref() {
        Some(CURSOR) => return CheckOutcome::passed("arrives"),
        Some(_) => "Last-Event-ID arrives changed",
        None => "Last-Event-ID does not arrive",
    };
    let what =
        format!("{what}: a browser that comes back gets everything anew, and not what it missed");
    CheckOutcome::Failed {
        what: vec![what],
        cure,
    }
}

fn cookie(probed: &Probed, cure: Vec<String>) -> CheckOutcome {
    let mut what = Vec::new();
    match probed.echo.cookie_length {
        Some(COOKIE_LENGTH) => {}
        Some(_) => {
            what.push("the session's cookie arrives changed: nobody is signed in".to_owned());
        }
        None => what.push("the session's cookie does not arrive: nobody is signed in".to_owned()),
    }
    if probed.set_cookie.is_none() {
        what.push(
            "the answer's Set-Cookie does not come back: nobody can sign in, and sessions are not renewed"
                .to_owned(),
        );
    }
    if what.is_empty() {
        return CheckOutcome::passed("arrives, and comes back");
    }
    CheckOutcome::Failed { what, cure }
}

fn large_cookie(large: &Result<Probed, Unopened>, cure: Vec<String>) -> CheckOutcome {
    let what = match large {
        // Lost altogether is the other check's.
        Ok(probed) => {
            let came = probed.echo.cookie_length.unwrap_or(LARGE_COOKIE);
            let back = probed.set_cookie.unwrap_or(LARGE_COOKIE);
            if came >= LARGE_COOKIE && back >= LARGE_COOKIE {
                return CheckOutcome::passed(format!(
                    "one of {LARGE_COOKIE} bytes passes, as large as they get"
                ));
            }
            "is cut".to_owned()
        }
        Err(Unopened::Answered(answer)) => format!("is answered {}", answer.status),
        Err(Unopened::Unreachable(why)) => format!("has no answer: {why}"),
        Err(Unopened::NoStream | Unopened::Cut) => "has no stream as its answer".to_owned(),
    };
    CheckOutcome::Failed {
        what: vec![format!(
            "a stream with a cookie of {LARGE_COOKIE} bytes, which people in many guilds have, {what}"
        )],
        cure,
    }
}

fn idle_cut(quiet: &Result<Probed, Unopened>, idle: Duration, cure: Vec<String>) -> CheckOutcome {
    let silence = format!("{} s of silence (--idle)", idle.as_secs());
    let what = match quiet {
        Ok(probed) if probed.heard_after_silence => {
            return CheckOutcome::passed(format!("a stream lasts through {silence}"));
        }
        Ok(probed) => format!(
            "a stream is cut {} s after its last event, within {silence}",
            probed.silence().as_secs_f32().round()
        ),
        Err(_) => return CheckOutcome::skipped("the stream that was to be silent did not open"),
    };
    let seconds = SAYS_EVERY.as_secs();
    let mut list = vec![format!(
        "a real stream says something every {seconds} s: whatever waits must wait for longer"
    )];
    list.extend(cure);
    CheckOutcome::Failed {
        what: vec![what],
        cure: list,
    }
}

fn client_address(probed: &Probed, cure: Vec<String>) -> CheckOutcome {
    let address = &probed.echo.client_address;
    let what = match (probed.echo.proxy_believed, probed.proxy) {
        (Some(true), _) => {
            return CheckOutcome::passed(format!("you count as {address}, which your proxy says"));
        }
        (None, Proxy::Unknown) => return CheckOutcome::passed(format!("you count as {address}")),
        (None, proxy) => format!("{} does not say for whom it asks", proxy.name()),
        (Some(false), _) => {
            format!("the proxy that asks as {address} is not listed in TRUSTED_PROXIES")
        }
    };
    let mut list = Vec::new();
    if probed.echo.proxy_believed == Some(false) {
        list.push(format!("set TRUSTED_PROXIES={}", listed(address)));
    } else {
        list.extend(cure);
        list.push(format!("and set TRUSTED_PROXIES={}", listed(address)));
    }
    CheckOutcome::Failed {
        what: vec![format!(
            "{what}: everybody counts as one address, with the bounds of one"
        )],
        cure: list,
    }
}

/// As the setting takes it.
fn listed(address: &str) -> String {
    match address.parse::<IpAddr>() {
        Ok(ip) if ip.is_loopback() => "loopback".to_owned(),
        // Counted by its network.
        Ok(IpAddr::V6(_)) => format!("{address}/64"),
        _ => address.to_owned(),
    }
}

fn http_version(probed: &Probed, cure: Vec<String>) -> CheckOutcome {
    match (probed.version, probed.is_https) {
        (Version::HTTP_2 | Version::HTTP_3, _) => CheckOutcome::passed("HTTP/2"),
        (_, false) => {
            CheckOutcome::passed("HTTP/1.1, as on plain http; a browser has six connections then")
        }
        (version, true) => CheckOutcome::Failed {
            what: vec![format!(
                "{version:?} alone is spoken: a browser opens six connections to a host, so a seventh \
                 tab with a stream of its own gets nothing"
            )],
            cure,
        },
    }
}
