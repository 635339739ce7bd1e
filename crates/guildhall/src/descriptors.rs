//! File descriptors: each connection is one, and when there are none left nothing goes on, the
//! operator's listener and the link included. So there are as many connections as leave enough.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More than any house has use for. Some machines say that there is no limit.
const MOST: u64 = 1 << 20;

/// Left to everything but the connections of browsers: the operator's listener, its bound of 32
/// and as many on their way out; the link's listener, 96; Discord, its REST and sign-ins, 64; the
/// journal, logs, timers and what the system's libraries open.
const RESERVE: usize = 320;

/// Connections of browsers at least, however few descriptors there are.
const CONNECTIONS_LEAST: usize = 16;

/// Connections of browsers where nothing asks for more. Each keeps some 10 KiB.
const CONNECTIONS: usize = 65_536;

/// Raises the soft limit to the hard one. The soft one is for programs that cannot count higher
/// than 1,024, which this one can.
pub(crate) fn raise() {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.map_or(MOST, |most| most.min(MOST));
    if limit.current.is_none_or(|now| now >= most) {
        return;
    }
    let raised = Rlimit {
        current: Some(most),
        maximum: limit.maximum,
    };
    // A system that has another limit behind this one keeps what it has; `limit` reads it.
    let _refused = setrlimit(Resource::Nofile, raised);
}

/// How many descriptors this process may have.
pub(crate) fn limit() -> usize {
    let now = getrlimit(Resource::Nofile).current;
    usize::try_from(now.map_or(MOST, |now| now.min(MOST))).unwrap_or(usize::MAX)
}

/// How many connections browsers may have, with so many descriptors and so many streams wanted.
pub(crate) fn connections(limit: usize, streams_max: usize) -> usize {
    let wanted = wanted(streams_max).max(CONNECTIONS);
    let room = limit.saturating_sub(RESERVE).max(limit / 4);
    wanted.min(room).max(CONNECTIONS_LEAST)
}

/// A sentence where so many streams have no room.
pub(crate) fn shortage(limit: usize, streams_max: usize) -> Option<String> {
    let need = wanted(streams_max) + RESERVE;
    (limit < need).then(|| {
        format!(
            "This process may have {limit} open files, enough for {} connections; STREAMS_MAX, \
             {streams_max}, needs {need}: raise the hard limit (ulimit -Hn, LimitNOFILE= in \
             systemd, --ulimit nofile= in Docker), or lower STREAMS_MAX.",
            connections(limit, streams_max)
        )
    })
}

/// Whether so many connections are too few for so many streams.
pub(crate) fn are_too_few(connections: usize, streams_max: usize) -> bool {
    connections < wanted(streams_max)
}

/// The connections that so many streams need: one in sixteen is for requests.
fn wanted(streams_max: usize) -> usize {
    streams_max
        .saturating_add(streams_max / 15)
        .saturating_add(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_to_everything_else() {
        for (limit, streams_max, right) in [
            (1 << 20, 50_000, 65_536),
            (1 << 20, 100_000, 106_668),
            (1_024, 50_000, 704),
            (256, 50_000, 64),
            (0, 1, 16),
        ] {
            assert_eq!(
                connections(limit, streams_max),
                right,
                "{limit} {streams_max}"
            );
        }
    }

    #[test]
    fn a_limit_too_low_for_the_streams_is_told_with_what_it_should_be() {
        assert_eq!(shortage(1 << 20, 50_000), None);
        assert_eq!(shortage(1_024, 600), None);
        let sentence = shortage(1_024, 50_000).expect("too low");
        for part in ["1024", "704", "STREAMS_MAX", "53655", "LimitNOFILE"] {
            assert!(sentence.contains(part), "{part}: {sentence}");
        }
    }

    #[test]
    fn the_soft_limit_is_raised() {
        raise();
        let limit = getrlimit(Resource::Nofile);
        let hard = limit.maximum.map_or(MOST, |most| most.min(MOST));
        assert!(limit.current.is_none_or(|now| now >= hard));
    }
}
