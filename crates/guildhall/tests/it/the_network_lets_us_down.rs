//! Between processes that are alive connections are cut, or get slow, silent, or deaf in one direction:
//! `status` says so within the promise, and by itself everything goes on where it was.

use std::time::Duration;

use lab::fault_proxy::{Direction, Fault, FaultProxy};
use serde_json::Value;
use tokio::time::timeout;

use crate::house::{House, SOON, Stream};

/// 10 s of silence are a cut. One end may notice it and close, and the other notice that.
const PROMISED: Duration = Duration::from_secs(15);
/// What was let down may be in the middle of a wait before its next try.
const BACK_WITHIN: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_cut_is_back_and_nothing_is_lost() {
    let (house, proxy) = house_behind_a_proxy().await;
    let (_cookie, mut stream) = house.visit().await;
    proxy.cut();
    link(&mut stream, "down", SOON).await;
    link(&mut stream, "up", BACK_WITHIN).await;
    nothing_is_lost(&house, &mut stream, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_silent_is_told_and_back_and_nothing_is_lost() {
    is_told_and_survived(Fault::Silent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_on_which_web_is_not_heard_is_told_and_back_and_nothing_is_lost() {
    is_told_and_survived(Fault::Dead(Direction::Up)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_on_which_web_hears_nothing_is_told_and_back_and_nothing_is_lost() {
    is_told_and_survived(Fault::Dead(Direction::Down)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_slow_stays_and_tells_everything_late() {
    let (house, proxy) = house_behind_a_proxy().await;
    let (_cookie, mut stream) = house.visit().await;
    proxy.set(Fault::Slow(4_000));
    let stamps: Vec<String> = (0..40).map(|number| format!("slow-{number}")).collect();
    for stamp in &stamps {
        house.discord.stamp(stamp).await;
    }
    let said: Vec<_> = told(&mut stream, &stamps[39]).await;
    assert_eq!(said, stamps);
    assert!(!stream.raw.contains(r#""link":"down""#), "{}", stream.raw);
    assert_eq!(stream.raw.matches("event: snapshot").count(), 1);
}

/// A cursor is as good as the connection was bad.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_from_a_bad_connection_is_resumed() {
    let house = House::start().await;
    let proxy = proxy_before(house.ports.web).await;
    let url = format!("http://{}/api/stream", proxy.at());
    let (cookie, _direct) = house.visit().await;
    let mut stream = Stream::open(&house.http, &url, &cookie, None).await;
    stream.until("snapshot").await;

    // What is not heard of a browser does not matter to it.
    proxy.set(Fault::Dead(Direction::Up));
    house.discord.stamp("unheard").await;
    assert_eq!(
        stream.until("voice.updated").await.data["username"],
        "unheard"
    );

    let mut before = "unheard".to_owned();
    for (name, fault) in [
        ("cut", None),
        ("silent", Some(Fault::Silent)),
        ("deaf", Some(Fault::Dead(Direction::Down))),
    ] {
        proxy.set(fault.unwrap_or(Fault::None));
        if fault.is_none() {
            proxy.cut();
            while stream.next().await.is_some() {}
        }
        let missed = ["1", "2", "3"].map(|number| format!("{name}-{number}"));
        for stamp in &missed {
            house.discord.stamp(stamp).await;
        }
        if fault.is_some() {
            let heard = timeout(Duration::from_millis(300), stream.next()).await;
            assert!(heard.is_err(), "{name}: {heard:?}");
        }
        proxy.set(Fault::None);
        let cursor = stream.cursor.clone();
        drop(stream);
        stream = Stream::open(&house.http, &url, &cookie, cursor.as_deref()).await;
        assert_eq!(
            stream.next_record().await.event,
            "resumed",
            "after {before}"
        );
        assert_eq!(told(&mut stream, &missed[2]).await, missed);
        before = name.to_owned();
    }

    proxy.set(Fault::Slow(8_000));
    let stamps: Vec<String> = (0..40).map(|number| format!("slow-{number}")).collect();
    for stamp in &stamps {
        house.discord.stamp(stamp).await;
    }
    assert_eq!(told(&mut stream, &stamps[39]).await, stamps);
    assert!(!stream.raw.contains("event: snapshot"), "{}", stream.raw);
}

async fn is_told_and_survived(fault: Fault) {
    let (house, proxy) = house_behind_a_proxy().await;
    let (_cookie, mut stream) = house.visit().await;
    proxy.set(fault);
    house.discord.stamp("during-1").await;
    link(&mut stream, "down", PROMISED).await;
    house.discord.stamp("during-2").await;
    proxy.set(Fault::None);
    link(&mut stream, "up", BACK_WITHIN).await;
    nothing_is_lost(&house, &mut stream, &["during-1", "during-2"]).await;
}

/// A house whose web role reaches its gateway through a proxy.
async fn house_behind_a_proxy() -> (House, FaultProxy) {
    let mut house = House::start().await;
    let proxy = proxy_before(house.ports.link).await;
    house.web.signal("KILL");
    house.web.ended().await;
    house.set("GATEWAY_WS_URL", &format!("ws://{}", proxy.at()));
    house.restart_web().await;
    (house, proxy)
}

async fn proxy_before(port: u16) -> FaultProxy {
    let target = ([127, 0, 0, 1], port).into();
    FaultProxy::start(target).await.expect("a free port")
}

/// Waits until the stream says so of the link.
async fn link(stream: &mut Stream, state: &str, limit: Duration) {
    let said = timeout(limit, async {
        while stream.until_within("status", limit).await.data["link"] != state {}
    });
    let said = said.await;
    said.unwrap_or_else(|_| panic!("the link is not {state}: {}", stream.raw));
}

/// All stamps since, and one more, have come once and in order, and the picture was never replaced.
async fn nothing_is_lost(house: &House, stream: &mut Stream, since: &[&str]) {
    house.discord.stamp("after").await;
    while !stream.raw.contains(r#""username":"after""#) {
        stream.until("voice.updated").await;
    }
    let mut heard = stream.raw.as_str();
    for stamp in since.iter().chain(&["after"]) {
        let name = format!(r#""username":"{stamp}""#);
        assert_eq!(
            stream.raw.matches(&name).count(),
            1,
            "{stamp}: {}",
            stream.raw
        );
        let (_, rest) = heard.split_once(&name).expect("in order");
        heard = rest;
    }
    assert_eq!(stream.raw.matches("event: snapshot").count(), 1);
}

/// The stamps up to this one, as they come.
async fn told(stream: &mut Stream, last: &str) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    while told.last().is_none_or(|stamp| stamp != last) {
        let name: Value = stream.until("voice.updated").await.data["username"].take();
        told.push(name.as_str().expect("a stamp").to_owned());
    }
    told
}
