//! What this role measures, in one place: each metric has a description, and what somebody may be
//! woken for is there from the start, as 0. A counter that appears with its first failure shows
//! Prometheus no increase.

use guildhall_link::Violation;
use guildhall_model::LogId;
use metrics::{Gauge, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};

use crate::{GatewaySettingNames, discord_rest::RouteTemplate, rooms::ROOM_PHASES};

/// Counters without labels.
const COUNTERS: [(&str, &str); 22] = [
    (
        "guildhall_commands_repeated_total",
        "Commands whose key was known: they are answered as the first was",
    ),
    (
        "guildhall_discord_invalid_requests_total",
        "Requests that Discord holds against this address: 401, 403, and 429 that is not shared",
    ),
    (
        "guildhall_gateway_repeated_dispatches_total",
        "Dispatches that a RESUME told again and that were kept already",
    ),
    (
        "guildhall_gateway_dispatch_holes_total",
        "Times that dispatches were missing by their numbers: a fresh session is begun",
    ),
    (
        "guildhall_gateway_unknown_dispatches_total",
        "Dispatches of kinds that nothing here follows",
    ),
    (
        "guildhall_gateway_unreadable_dispatches_total",
        "Dispatches that could not be read: their guild is not live until it came afresh",
    ),
    (
        "guildhall_gateway_bad_messages_total",
        "Messages of Discord that are no dispatches and could not be read",
    ),
    (
        "guildhall_gateway_compression_fallbacks_total",
        "Changes to another compression: Discord's zstd needs too much memory, or it sends another one",
    ),
    (
        "guildhall_gateway_odd_fields_total",
        "Fields of dispatches that could not be read and did no harm",
    ),
    (
        "guildhall_gateway_pending_voice_dropped_total",
        "People whose voice state waited for its room and was dropped for want of space",
    ),
    (
        "guildhall_gateway_groups_cut_total",
        "Groups of events cut in parts because one cause led to more than a group may have",
    ),
    (
        "guildhall_gateway_channel_info_requests_total",
        "Requests to Discord for the status of a guild's voice channels (op 43)",
    ),
    (
        "guildhall_gateway_announce_failures_total",
        "Times that the registry did not take where this gateway is; it is told again",
    ),
    (
        "guildhall_history_failures_total",
        "Times that what keeps history did not take events; they are brought again",
    ),
    (
        "guildhall_history_holes_total",
        "Times that history could not go on where it was: the log had let events go, or begun anew",
    ),
    (
        "guildhall_journal_stalls_total",
        "Commits that took longer than two seconds",
    ),
    (
        "guildhall_link_attachments_refused_total",
        "Web roles refused because as many as may be are attached",
    ),
    (
        "guildhall_link_events_sent_total",
        "Events written to web roles",
    ),
    (
        "guildhall_link_viewer_tables_total",
        "Times that a web role told who looks at which room",
    ),
    (
        "guildhall_revocations_forgotten_total",
        "Revocations forgotten for want of room before their time",
    ),
    (
        "guildhall_rights_calls_total",
        "Requests to Discord for up to 100 members of a guild",
    ),
    (
        "guildhall_rights_resets_total",
        "Guilds that were out of hearing, whose viewers were looked up anew",
    ),
];

/// Counters with one label, and the values of it that are there from the start.
const LABELLED: [(&str, &str, &[&str], &str); 16] = [
    (
        "guildhall_commands_total",
        "command",
        &[],
        "Commands that have ended, by name and by what came of them",
    ),
    (
        "guildhall_events_total",
        "event",
        &[],
        "Events that entered the log, by name",
    ),
    (
        "guildhall_gateway_dispatches_total",
        "event",
        &[],
        "Dispatches of the kinds that are followed, by Discord's name",
    ),
    (
        "guildhall_gateway_connects_total",
        "how",
        &["identify", "resume"],
        "Sessions that Discord began, or let us resume",
    ),
    (
        "guildhall_gateway_disconnects_total",
        "reason",
        &DISCONNECTS,
        "Connections to Discord that ended or could not be made",
    ),
    (
        "guildhall_discord_not_sent_total",
        "why",
        &["throttled", "full", "invalid", "late", "token"],
        "Calls of Discord's REST interface that ended before a request was sent",
    ),
    (
        "guildhall_discord_throttled_total",
        "scope",
        &["user", "shared", "global", "edge"],
        "Answers of 429 by Discord's REST interface, by whom they are meant for",
    ),
    (
        "guildhall_rights_lookups_total",
        "result",
        &[
            "member",
            "stranger",
            "token",
            "refused",
            "throttled",
            "unreachable",
        ],
        "Members that were looked up one at a time",
    ),
    (
        "guildhall_rights_refused_total",
        "bound",
        &["user", "process"],
        "Guilds of watches that were answered as failed because more was asked than is kept",
    ),
    (
        "guildhall_accept_failures_total",
        "listener",
        &["link", "ops"],
        "Connections that the system would not hand over, by listener",
    ),
    (
        "guildhall_connections_closed_total",
        "listener",
        &["link", "ops"],
        "Idle connections closed to make room, by listener",
    ),
    (
        "guildhall_connections_refused_total",
        "listener",
        &[],
        "Connections that were refused, by the bound they met",
    ),
    (
        "guildhall_idle_rooms_total",
        "result",
        &["deleted", "kept"],
        "Rooms whose time without anybody was over, by what became of them",
    ),
    (
        "guildhall_lobby_joins_total",
        "result",
        &["served", "refused"],
        "People who came into a lobby, by whether they were given a room",
    ),
    (
        "guildhall_link_violations_total",
        "kind",
        &[],
        "Breaches of the link's rules by the other end",
    ),
    (
        "guildhall_revocations_total",
        "whose",
        &["session", "user", "everybody"],
        "Revocations kept and told to every web role",
    ),
];

/// As `shard` names them.
const DISCONNECTS: [&str; 9] = [
    "unreachable",
    "budget",
    "cut",
    "reconnect_asked",
    "invalid_session",
    "inbox_full",
    "zombie",
    "renewed",
    "token",
];

/// Gauges, and whether they begin at 0.
const GAUGES: [(&str, bool, &str); 14] = [
    (
        "guildhall_commands_waiting",
        true,
        "Commands that wait for their turn",
    ),
    (
        "guildhall_gateway_failed_tries",
        true,
        "Tries to reach Discord that failed, in a row",
    ),
    (
        "guildhall_gateway_identifies_remaining",
        false,
        "Sessions that may still be begun today",
    ),
    (
        "guildhall_gateway_pending_voice",
        true,
        "People whose voice state names a channel that is no room (yet)",
    ),
    (
        "guildhall_connections",
        false,
        "Connections that are open, by listener",
    ),
    (
        "guildhall_connections_max",
        false,
        "Connections that may be open, by listener",
    ),
    ("guildhall_link_attachments", true, "Web roles attached"),
    (
        "guildhall_link_attachments_max",
        false,
        "Web roles that may be attached",
    ),
    (
        "guildhall_log_head_seq",
        false,
        "Sequence number of the last event of the log",
    ),
    (
        "guildhall_revocations_kept",
        true,
        "Sessions and users whose revocations are kept",
    ),
    (
        "guildhall_rights_age_seconds",
        true,
        "Age of the oldest roles in use",
    ),
    (
        "guildhall_rights_waiting",
        true,
        "Look-ups that wait for their turn",
    ),
    (
        "guildhall_rights_watched",
        true,
        "Pairs of user and guild whose roles are kept fresh",
    ),
    (
        "guildhall_rooms_unsettled",
        true,
        "Rooms of which Discord may not be as is kept: they are seen to until it is",
    ),
];

/// Labelled with how far they are.
const ROOMS: &str = "guildhall_rooms";

/// Labelled with the route, too.
const DISCORD_REQUESTS: &str = "guildhall_discord_requests_total";

/// Described with what the operator calls the token.
const LINK_REFUSALS: &str = "guildhall_link_refusals_total";

/// A gauge of one log: without a label for log 0, which is the only one of most gateways, and with
/// `log` for the others.
pub(crate) fn gauge_of_log(name: &'static str, log: LogId) -> Gauge {
    match log {
        LogId(0) => gauge!(name),
        LogId(number) => gauge!(name, "log" => number.to_string()),
    }
}

/// To be called once a recorder is there, before anything is measured.
pub(crate) fn describe(names: &GatewaySettingNames) {
    let tokens = names.link_tokens;
    describe_counter!(
        LINK_REFUSALS,
        format!("Requests for the link with a wrong {tokens}")
    );
    counter!(LINK_REFUSALS).absolute(0);
    for (name, says) in COUNTERS {
        describe_counter!(name, says);
        counter!(name).absolute(0);
    }
    for (name, label, values, says) in LABELLED {
        describe_counter!(name, says);
        for value in values {
            counter!(name, label => *value).absolute(0);
        }
    }
    describe_counter!(
        DISCORD_REQUESTS,
        "Requests to Discord's REST interface, by route and HTTP status; none: no answer came"
    );
    for template in RouteTemplate::ALL {
        for status in ["200", "401", "429", "none"] {
            let route = template.to_string();
            counter!(DISCORD_REQUESTS, "route" => route, "status" => status).absolute(0);
        }
    }
    describe_gauge!(ROOMS, "Rooms that Guildhall made, by how far they are");
    for phase in ROOM_PHASES {
        gauge!(ROOMS, "phase" => phase).set(0.0);
    }
    for violation in Violation::ALL {
        let kind = violation.kind();
        counter!("guildhall_link_violations_total", "role" => "gateway", "kind" => kind)
            .absolute(0);
    }
    for (name, zero, says) in GAUGES {
        describe_gauge!(name, says);
        if zero {
            gauge!(name).set(0.0);
        }
    }
    describe_histogram!(
        "guildhall_discord_wait_seconds",
        Unit::Seconds,
        "How long a request to Discord's REST interface waited for its limits, by share"
    );
    describe_histogram!(
        "guildhall_journal_commit_seconds",
        Unit::Seconds,
        "How long the journal took to keep a batch"
    );
    describe_histogram!(
        "guildhall_command_wait_seconds",
        Unit::Seconds,
        "How long a command waited for its turn"
    );
    describe_histogram!(
        "guildhall_gateway_batch_inputs",
        "Inputs of a batch: one batch gathers while the one before it is committed"
    );
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// Names in the sources behind one of the macros that measure.
    fn measured(folder: &Path, names: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("sources") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                measured(&path, names);
                continue;
            }
            let text = fs::read_to_string(&path).expect("a text");
            for what in ["counter!", "gauge!", "histogram!", "gauge_of_log"] {
                let call = format!("{what}(");
                let parts = text.split(call.as_str()).skip(1);
                let name = |part: &str| {
                    Some(
                        part.trim_start()
                            .strip_prefix('"')?
                            .split_once('"')?
                            .0
                            .to_owned(),
                    )
                };
                names.extend(parts.filter_map(name));
            }
        }
    }

    #[test]
    fn whatever_is_measured_is_described() {
        let counters = COUNTERS.iter().map(|(name, _)| *name);
        let labelled = LABELLED.iter().map(|(name, ..)| *name);
        let gauges = GAUGES.iter().map(|(name, ..)| *name);
        let others = [
            LINK_REFUSALS,
            DISCORD_REQUESTS,
            ROOMS,
            "guildhall_discord_wait_seconds",
            "guildhall_journal_commit_seconds",
            "guildhall_command_wait_seconds",
            "guildhall_gateway_batch_inputs",
        ];
        let described: Vec<&str> = counters
            .chain(labelled)
            .chain(gauges)
            .chain(others)
            .collect();
        let mut names = Vec::new();
        measured(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut names,
        );
        assert!(names.len() > 20, "{names:?}");
        // The listeners of this process are served by a crate that describes nothing.
        let listener = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guildhall-http/src");
        measured(&listener, &mut names);
        assert!(
            names
                .iter()
                .any(|name| name == "guildhall_connections_refused_total"),
            "{names:?}"
        );
        for name in names {
            assert!(
                described.contains(&name.as_str()),
                "{name} is not in metrics.rs"
            );
        }
    }
}
