//! Settings, and what they meet on this machine.

use guildhall_model::UserId;

use super::{
    Patient,
    check::{CheckOutcome, Findings},
    session_starts::measured,
};
use crate::{
    adapters::{JournalFound, look_at_journal},
    descriptors,
};

/// `bot`: whose the token is, as far as Discord said.
pub(super) async fn examine(
    patient: &Patient<'_>,
    metrics: &[String],
    bot: Option<UserId>,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    findings.add("settings", settings(patient));
    findings.add("file-limits", file_limits(patient, metrics));
    findings.add("journal", journal(patient, bot).await?);
    Ok(())
}

fn settings(patient: &Patient<'_>) -> CheckOutcome {
    let mistakes = patient.mistakes.clone().error().to_string();
    let what: Vec<String> = mistakes.lines().map(str::to_owned).collect();
    if what.is_empty() {
        return CheckOutcome::passed("every setting can be read");
    }
    let cure = vec!["each sentence names the setting and what it should be".to_owned()];
    CheckOutcome::Failed { what, cure }
}

fn file_limits(patient: &Patient<'_>, metrics: &[String]) -> CheckOutcome {
    let Some(web) = &patient.roles.web else {
        return CheckOutcome::skipped("it is about web, whose settings are not read here");
    };
    let streams_max = web.role.streams_max;
    let running = measured(metrics, "guildhall_connections_max{listener=\"web\"}");
    let cure = [
        "raise the hard limit of open files: LimitNOFILE=1048576 in systemd, --ulimit \
         nofile=1048576 in Docker, `ulimit -Hn` in a shell; then start again",
        "or set STREAMS_MAX to what there is room for",
    ];
    let Some(connections) = running else {
        let limit = descriptors::limit();
        return match descriptors::shortage(limit, streams_max) {
            None => CheckOutcome::passed(format!(
                "{limit} open files in this shell, enough for STREAMS_MAX={streams_max}"
            )),
            Some(_) => CheckOutcome::found(
                format!(
                    "a process of this shell may have {limit} open files, enough for {} \
                     connections, and STREAMS_MAX is {streams_max}",
                    descriptors::connections(limit, streams_max)
                ),
                cure,
            ),
        };
    };
    if descriptors::are_too_few(connections, streams_max) {
        return CheckOutcome::found(
            format!(
                "the web role that runs takes {connections} connections, for want of open files, \
                 and STREAMS_MAX is {streams_max}"
            ),
            cure,
        );
    }
    CheckOutcome::passed(format!(
        "the web role that runs takes {connections} connections, enough for \
         STREAMS_MAX={streams_max}"
    ))
}

async fn journal(patient: &Patient<'_>, bot: Option<UserId>) -> anyhow::Result<CheckOutcome> {
    if patient.asked.role == crate::cli::DoctorRole::Web {
        return Ok(CheckOutcome::skipped("web keeps none"));
    }
    let cure = "set DATA_DIR to a folder of the gateway's own that its user may write";
    if let Some(why) = &patient.folder {
        return Ok(CheckOutcome::found(why.as_str(), [cure]));
    }
    Ok(match look_at_journal(patient.settings).await? {
        JournalFound::Nothing => {
            CheckOutcome::passed("there is none yet: the first start makes it")
        }
        JournalFound::InUse => CheckOutcome::passed("the gateway that runs has read it"),
        JournalFound::Refused(why) => CheckOutcome::found(
            why,
            [
                "put the file in order as the sentence says, or move it away: the gateway begins \
                 a new log then, and rooms that it made are no longer known as its own",
            ],
        ),
        JournalFound::Of(None) => CheckOutcome::passed("whole, and no bot's yet"),
        JournalFound::Of(Some(kept)) => match bot {
            Some(is) if is != kept => CheckOutcome::found(
                format!(
                    "DATA_DIR holds the journal of the bot {kept}, and the token is the bot {is}'s"
                ),
                [
                    "set DATA_DIR to another folder for this bot",
                    "or put the other bot's token into DISCORD_BOT_TOKEN",
                ],
            ),
            Some(_) => CheckOutcome::passed("whole, and this bot's"),
            None => CheckOutcome::passed("whole; whose the token is was not told, so not compared"),
        },
    })
}
