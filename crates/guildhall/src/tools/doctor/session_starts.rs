//! How many sessions the bot may still start, and whether somebody else starts some.

use super::{
    Patient,
    application::Answers,
    check::{CheckOutcome, Findings},
};

pub(super) fn examine(
    patient: &Patient<'_>,
    answers: &Answers,
    metrics: &[String],
    findings: &mut Findings,
) {
    let starts = answers.session_starts().and_then(|limit| {
        let number = |name: &str| limit[name].as_u64();
        let both = number("remaining").zip(number("reset_after"));
        both.ok_or_else(|| "Discord did not say how many there are".to_owned())
    });
    let (left, other) = match (starts, &patient.roles.gateway) {
        (Ok((remaining, reset_after)), Some(gateway)) => {
            let reserve = u64::from(gateway.limits.identify_reserve);
            let other = another_gateway(remaining, metrics);
            (sessions_left(remaining, reset_after, reserve), other)
        }
        (Err(why), _) => (
            CheckOutcome::skipped(why.clone()),
            CheckOutcome::skipped(why),
        ),
        (Ok(_), None) => {
            let why = || CheckOutcome::skipped("it is about the gateway");
            (why(), why())
        }
    };
    findings.add("sessions-left", left);
    findings.add("another-gateway", other);
}

fn sessions_left(remaining: u64, reset_after: u64, reserve: u64) -> CheckOutcome {
    if remaining >= reserve {
        return CheckOutcome::passed(format!("{remaining} may still be started today"));
    }
    let minutes = reset_after.div_ceil(60_000);
    CheckOutcome::found(
        format!(
            "{remaining} sessions may still be started today: below {reserve} the gateway starts none, \
             since using them up has Discord reset the token"
        ),
        [
            format!("wait: there are more in {minutes} minutes, and the gateway goes on by itself"),
            "end the program that starts so many: another one with this token, or one that is \
             restarted again and again"
                .to_owned(),
        ],
    )
}

/// The gateway that runs says how many were left when it last asked, which it does before it starts
/// one. Discord tells nobody who has sessions; that fewer are left than there would be tells that
/// somebody else started one.
fn another_gateway(remaining: u64, metrics: &[String]) -> CheckOutcome {
    let identified = measured(
        metrics,
        "guildhall_gateway_connects_total{how=\"identify\"}",
    );
    let Some(identified) = identified else {
        return CheckOutcome::skipped("no gateway of this house runs here to compare with (--ops)");
    };
    let asked = measured(metrics, "guildhall_gateway_identifies_remaining");
    let Some(left) = asked.filter(|_| identified > 0) else {
        return CheckOutcome::skipped(
            "the gateway that runs went on with an earlier session, so it does not know how many \
             there were",
        );
    };
    // Its own is not in the number that it was told before.
    let expected = u64::try_from(left).unwrap_or(u64::MAX).saturating_sub(1);
    match expected.saturating_sub(remaining) {
        0 => CheckOutcome::passed("nobody else has started a session since the gateway did"),
        others => CheckOutcome::found(
            format!(
                "since the gateway started its session, {others} more were started with the same token \
                 by another program"
            ),
            [
                "end the other program: two gateways answer each command twice and use up the daily \
                 budget of sessions",
                "if you don't know it: reset the token in the developer portal (your application, Bot), \
                 put the new one into DISCORD_BOT_TOKEN and restart the gateway",
            ],
        ),
    }
}

/// The value of one series in what the house measures.
pub(super) fn measured(metrics: &[String], series: &str) -> Option<usize> {
    let mut lines = metrics.iter().flat_map(|text| text.lines());
    lines.find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(lines: &str) -> Vec<String> {
        vec!["# HELP a b\n".to_owned(), lines.to_owned()]
    }

    #[test]
    fn a_session_that_the_gateway_did_not_start_is_another_programs() {
        let own = "guildhall_gateway_connects_total{how=\"identify\"} 1\n\
                   guildhall_gateway_identifies_remaining 1000\n";
        for (remaining, others) in [(1_000, 0), (999, 0), (998, 1), (990, 9)] {
            let outcome = another_gateway(remaining, &metrics(own));
            match outcome {
                CheckOutcome::Passed(_) => assert_eq!(others, 0, "{remaining}"),
                CheckOutcome::Failed { what, .. } => {
                    assert!(what[0].contains(&format!(" {others} more")), "{what:?}");
                }
                CheckOutcome::Skipped(why) => panic!("{why}"),
            }
        }
        let resumed = "guildhall_gateway_connects_total{how=\"identify\"} 0\n\
                       guildhall_gateway_identifies_remaining 1000\n";
        for lines in ["", resumed] {
            let outcome = another_gateway(1, &metrics(lines));
            assert!(matches!(outcome, CheckOutcome::Skipped(_)), "{outcome:?}");
        }
    }

    #[test]
    fn below_the_reserve_none_is_started() {
        assert!(matches!(sessions_left(50, 0, 50), CheckOutcome::Passed(_)));
        let outcome = sessions_left(49, 60_001, 50);
        let CheckOutcome::Failed { what, cure } = outcome else {
            panic!("{outcome:?}");
        };
        assert!(what[0].starts_with("49 sessions"), "{what:?}");
        assert!(cure[0].contains("2 minutes"), "{cure:?}");
    }
}
