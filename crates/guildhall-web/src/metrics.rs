//! What this role measures, in one place: each metric has a description, and what somebody may be
//! woken for is there from the start, as 0. A counter that appears with its first failure shows
//! Prometheus no increase.

use guildhall_link::Violation;
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::rpc::RPCS;

/// Counters without labels.
const COUNTERS: &[(&str, &str)] = &[
    (
        "guildhall_link_failures_total",
        "Tries to attach to the gateway that failed, and attachments that ended unasked",
    ),
    (
        "guildhall_link_events_received_total",
        "Events of the gateway's log that came over the link",
    ),
    (
        "guildhall_stream_resumptions_total",
        "Streams that went on at a browser's cursor",
    ),
    (
        "guildhall_revocations_told_total",
        "Revocations that a gateway told this process, those among them that it knew",
    ),
    (
        "guildhall_viewer_guilds_dropped_total",
        "Answers about somebody's rights that were dropped because too many guilds were named",
    ),
    (
        "guildhall_login_invalid_answers_total",
        "Answers at sign-in that Discord counts against this machine's address",
    ),
    (
        "guildhall_login_pauses_total",
        "Times that Discord asked to wait and nobody was signed in meanwhile",
    ),
    (
        "guildhall_watch_failures_total",
        "Times that the rights of somebody who is here could not be asked for anew",
    ),
];

/// Counters with one label, and the values of it that are there from the start.
const LABELLED: &[(&str, &str, &[&str], &str)] = &[
    (
        "guildhall_logins_total",
        "result",
        &[
            "succeeded",
            "denied",
            "unknown_attempt",
            "wrong_issuer",
            "no_code",
            "code_refused",
            "busy",
            "limited",
            "discord_limited",
            "discord_failed",
            "store_unavailable",
        ],
        "Sign-ins that came back from Discord, by what became of them",
    ),
    (
        "guildhall_webhook_requests_total",
        "result",
        &[
            "ping",
            "deauthorized",
            "ignored",
            "false_signature",
            "another_application",
            "invalid",
            "too_many_requests",
            "unavailable",
        ],
        "Requests that came as webhook events of Discord's, by what became of them",
    ),
    (
        "guildhall_sessions_ended_total",
        "reason",
        &[
            "signed_out",
            "signed_out_everywhere",
            "replaced",
            "deauthorized",
            "operator",
            "overlay_revoked",
        ],
        "Times that this instance ended a session, or all of somebody's, before their time, by why",
    ),
    (
        "guildhall_overlay_links_total",
        "what",
        &["made", "revoked"],
        "Overlay links that this instance made, and took back before their time",
    ),
    (
        "guildhall_exchanges_total",
        "result",
        &[
            "signed_in",
            "invalid_token",
            "invalid",
            "forbidden",
            "too_many_requests",
            "unavailable",
        ],
        "Sign-ins by a token of the operator's login, by what became of them",
    ),
    (
        "guildhall_api_token_requests_total",
        "token",
        &[],
        "Requests of programs that were known by their token, by its name",
    ),
    (
        "guildhall_api_token_refusals_total",
        "reason",
        &[
            "unknown_token",
            "from_browser",
            "may_not_act_as",
            "bad_act_as",
        ],
        "Requests with a token of a program's that were refused, by why",
    ),
    (
        "guildhall_stream_byes_total",
        "reason",
        &[
            "draining",
            "max_age",
            "session_expired",
            "session_revoked",
            "too_many_streams",
            "unavailable",
        ],
        "Streams that were ended by this instance, by the reason of their bye",
    ),
    (
        "guildhall_invited_logins_total",
        "result",
        &["added", "already", "refused"],
        "People who signed in by an invite, by whether they were let into its guild",
    ),
    (
        "guildhall_stream_snapshots_total",
        "reason",
        &[
            "no_cursor",
            "epoch_changed",
            "cursor_expired",
            "authz_changed",
            "slow_consumer",
        ],
        "Snapshots sent to browsers, by why they were needed",
    ),
    (
        "guildhall_stream_guilds_resent_total",
        "why",
        &["too_much", "given_up", "missing"],
        "Guilds that open streams were sent again since rooms that appeared or vanished could not be told, by why",
    ),
    (
        "guildhall_streams_refused_total",
        "bound",
        &["process", "user", "address"],
        "Streams that were told to come back later, by the bound they met",
    ),
    (
        "guildhall_state_requests_refused_total",
        "bound",
        &["process", "user", "address"],
        "Requests for the picture that were told to come back, by the bound they met",
    ),
    (
        "guildhall_rpc_refused_total",
        "bound",
        &["process", "user", "address"],
        "Commands and questions that were told to come back, by the bound of those under way they met",
    ),
    (
        "guildhall_rpc_requests_total",
        "command",
        &[],
        "Commands and questions that could be read and were within their budget",
    ),
    (
        "guildhall_rpc_failures_total",
        "code",
        &[
            "invalid",
            "unauthorized",
            "forbidden",
            "too_many_requests",
            "unavailable",
            "busy",
            "deadline",
            "discord_failed",
            "unknown",
        ],
        "Commands and questions that were answered with an error, by its code",
    ),
    (
        "guildhall_accept_failures_total",
        "listener",
        &["web", "ops"],
        "Connections that could not be accepted, as when descriptors are used up",
    ),
    (
        "guildhall_connections_closed_total",
        "listener",
        &["web", "ops"],
        "Idle connections that were closed for others",
    ),
    (
        CONNECTIONS_REFUSED,
        "listener",
        &[],
        "Connections that were refused, by the bound they met",
    ),
];

/// Gauges, all of them 0 at first.
const GAUGES: &[(&str, &str)] = &[
    (
        "guildhall_link_up",
        "Whether the gateway is attached: 1 or 0",
    ),
    (
        "guildhall_link_events_behind",
        "Events of the gateway's logs that had not come when it last said where they stand",
    ),
    (
        "guildhall_revocations_unkept",
        "Revocations that no gateway has kept yet",
    ),
    (
        "guildhall_clock_apart_from_gateway_seconds",
        "How far this machine's clock and the gateway's were apart when the link was opened",
    ),
    (
        "guildhall_clock_ahead_of_discord_seconds",
        "How far this machine's clock was ahead of Discord's at the last answer to a sign-in; 0: less than 30",
    ),
    ("guildhall_streams", "Open streams"),
    (
        "guildhall_overlay_streams",
        "Open streams of overlay links, which are among the open streams",
    ),
    (
        "guildhall_state_requests",
        "Requests for the picture that are under way",
    ),
    (
        "guildhall_rpc_under_way",
        "Commands and questions that are under way",
    ),
];

/// Gauges that are set, or have a label, when what they are about is bound.
const LATER: &[(&str, &str)] = &[
    ("guildhall_streams_max", "Streams that there may be"),
    (
        "guildhall_state_requests_max",
        "Requests for the picture that may be under way",
    ),
    (
        "guildhall_rpc_under_way_max",
        "Commands and questions that may be under way",
    ),
    ("guildhall_connections", "Open connections, by listener"),
    (
        "guildhall_connections_max",
        "Connections that there may be, by listener",
    ),
];

const CONNECTIONS_REFUSED: &str = "guildhall_connections_refused_total";

/// From the moment in which the gateway heard of it, by the gateway's clock, to the stream that is
/// written.
const RIGHTS_OBEYED: &str = "guildhall_rights_obeyed_seconds";

/// Counted by both ends of the link.
const VIOLATIONS: &str = "guildhall_link_violations_total";

/// To be called once a recorder is there, before anything is measured.
pub(crate) fn describe() {
    for (name, says) in COUNTERS {
        describe_counter!(*name, *says);
        counter!(*name).absolute(0);
    }
    for (name, label, values, says) in LABELLED {
        describe_counter!(*name, *says);
        for value in *values {
            counter!(*name, *label => *value).absolute(0);
        }
    }
    for rpc in RPCS {
        counter!("guildhall_rpc_requests_total", "command" => rpc.name).absolute(0);
    }
    describe_counter!(VIOLATIONS, "Breaches of the link's rules by the other end");
    for violation in Violation::ALL {
        counter!(VIOLATIONS, "role" => "web", "kind" => violation.kind()).absolute(0);
    }
    for (name, says) in GAUGES {
        describe_gauge!(*name, *says);
        gauge!(*name).set(0.0);
    }
    for (name, says) in LATER {
        describe_gauge!(*name, *says);
    }
    describe_histogram!(
        RIGHTS_OBEYED,
        Unit::Seconds,
        "How long after the gateway heard that somebody sees other rooms, or is a member no more, their streams obeyed"
    );
    // With its first change it would show Prometheus no increase.
    drop(histogram!(RIGHTS_OBEYED));
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// Names that the sources hand to a macro that measures.
    fn measured(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).expect("sources") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                measured(&path, names);
                continue;
            }
            let text = fs::read_to_string(&path).expect("a text");
            for call in ["counter!(", "gauge!(", "histogram!("] {
                let arguments = text.split(call).skip(1).map(str::trim_start);
                let quoted = arguments.filter_map(|rest| rest.strip_prefix('"')?.split('"').next());
                let ours = quoted.filter(|name| name.starts_with("guildhall_"));
                names.extend(ours.map(str::to_owned));
            }
        }
    }

    #[test]
    fn whatever_is_measured_is_described() {
        let mut names = BTreeSet::new();
        measured(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut names,
        );
        // The role's listener is served by a crate that describes nothing.
        let listener = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guildhall-http/src");
        measured(&listener, &mut names);
        assert!(names.len() >= 8, "{names:?}");
        let described: BTreeSet<&str> = (COUNTERS.iter().map(|(name, _)| *name))
            .chain(LABELLED.iter().map(|(name, ..)| *name))
            .chain(GAUGES.iter().chain(LATER).map(|(name, _)| *name))
            .chain([VIOLATIONS, RIGHTS_OBEYED])
            .collect();
        for name in names {
            assert!(
                described.contains(name.as_str()),
                "{name} has no description"
            );
        }
    }
}
