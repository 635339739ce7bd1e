//! `guildhall doctor`: what is wrong with the settings, this machine, Discord's side and the way to
//! browsers, each with its cure. It reads the settings as the roles do, and changes nothing.

/// The checks there are, and what comes of one.
mod check;
/// How they are printed.
mod report;
/// Settings, open files and the journal.
mod machine;
/// What Discord says of the application.
mod application;
/// What the bot is in its guilds.
mod guilds;
/// Who else uses the bot's budget of sessions.
mod session_starts;
/// A stream on its way through the operator's proxies.
mod path;

use std::{process::ExitCode, sync::Arc};

use guildhall_ports::Clock;

use super::{ops_client::OpsClient, print::print};
use crate::{
    adapters,
    cli::{Doctor, DoctorOutput, DoctorRole, Subcommand},
    commands::{RoleSettings, check_folder, role_settings},
    config::{Mistakes, Settings},
    lifecycle::ProcessExit,
};
use application::Answers;
use check::{CheckResult, Findings};

/// All that the checks look at.
struct Patient<'a> {
    settings: &'a Settings,
    /// As its roles read them.
    roles: RoleSettings,
    /// What is wrong with them.
    mistakes: Mistakes,
    /// Why `DATA_DIR` can't be used, where a gateway is meant.
    folder: Option<String>,
    house: OpsClient,
    clock: Arc<dyn Clock>,
    asked: &'a Doctor,
}

pub(super) async fn run(asked: &Doctor, settings: &Settings) -> Result<ExitCode, ProcessExit> {
    let patient = Patient::new(asked, settings)?;
    let results = patient.examine().await?;
    print(&match asked.output {
        DoctorOutput::All => report::table(&results),
        DoctorOutput::Json => report::json(&results),
        DoctorOutput::Short => report::short(&results),
    })?;
    Ok(if results.iter().any(CheckResult::is_fatal) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

impl<'a> Patient<'a> {
    fn new(asked: &'a Doctor, settings: &'a Settings) -> anyhow::Result<Self> {
        let subcommand = match asked.role {
            DoctorRole::All => Subcommand::All,
            DoctorRole::Gateway => Subcommand::Gateway,
            DoctorRole::Web => Subcommand::Web,
        };
        let mut mistakes = settings.mistakes.clone();
        let folder = subcommand.has_gateway().then(|| check_folder(settings));
        let usable = folder.as_ref().is_some_and(Result::is_ok);
        let folder = folder.and_then(|folder| Some(folder.err()?.to_string()));
        let roles = role_settings(subcommand, settings, usable, &mut mistakes);
        Ok(Self {
            settings,
            roles,
            mistakes,
            folder,
            house: OpsClient::new(&asked.ops, settings)?,
            clock: adapters::clock(),
            asked,
        })
    }

    /// Every check, in the order in which they are listed.
    async fn examine(&self) -> anyhow::Result<Vec<CheckResult>> {
        let mut findings = Findings::default();
        let metrics = self.house.metrics().await;
        let (answers, path) =
            tokio::join!(Answers::ask(&self.roles, &self.clock), path::examine(self));
        let answers = answers?;
        machine::examine(self, &metrics, answers.bot(), &mut findings).await?;
        application::examine(self, &answers, &mut findings);
        session_starts::examine(self, &answers, &metrics, &mut findings);
        guilds::examine(self, &answers, &mut findings).await;
        findings.extend(path?);
        Ok(findings.complete())
    }
}
