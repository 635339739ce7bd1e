//! What somebody is woken by is there before it happens, and says what it is.

use std::collections::BTreeSet;

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn each_metric_has_a_help_line_and_counters_of_trouble_begin_at_zero() {
    let house = House::start().await;
    let text = house.metrics(house.ports.web_ops).await;
    let after = |word: &str| -> BTreeSet<String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(word));
        lines
            .filter_map(|rest| rest.split(' ').next())
            .map(str::to_owned)
            .collect()
    };
    let (types, helps) = (after("# TYPE "), after("# HELP "));
    assert_eq!(
        types.difference(&helps).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
    for zero in [
        "guildhall_watch_failures_total 0",
        "guildhall_streams 0",
        "guildhall_logins_total{result=\"discord_failed\"} 0",
        "guildhall_stream_snapshots_total{reason=\"slow_consumer\"} 0",
        "guildhall_link_violations_total{role=\"web\",kind=\"oversized\"} 0",
    ] {
        assert!(text.lines().any(|line| line == zero), "{zero} in:\n{text}");
    }
}
