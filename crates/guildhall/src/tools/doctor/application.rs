//! What Discord says of the application and of the time.

use std::sync::Arc;

use guildhall_model::{UnixMs, UserId};
use guildhall_ports::Clock;
use serde_json::Value;

use super::{
    Patient,
    check::{CheckOutcome, Findings},
};
use crate::{
    commands::RoleSettings,
    tools::discord_api::{DiscordApi, DiscordResult, MEMBERS_FLAGS},
};

/// So far apart clocks may be: less is the time that an answer takes, and what a token's and a
/// session's times have of room.
const CLOCKS_APART: UnixMs = 30_000;

/// All that Discord was asked.
pub(super) struct Answers {
    /// Without a token. `None`: the settings don't say where it is.
    reached: Option<DiscordResult>,
    /// `None` here and below: there is no token.
    application: Option<DiscordResult>,
    gateway: Option<DiscordResult>,
    guilds: Option<Result<Vec<Value>, String>>,
}

impl Answers {
    pub(super) async fn ask(roles: &RoleSettings, clock: &Arc<dyn Clock>) -> anyhow::Result<Self> {
        let api = match (&roles.gateway, &roles.web) {
            (Some(gateway), _) => Some(DiscordApi::new(
                &gateway.discord_url,
                &gateway.tls,
                Some(&gateway.bot_token),
                clock,
            )?),
            (None, Some(web)) => Some(DiscordApi::new(
                &web.role.oauth.api_url,
                &web.role.tls,
                None,
                clock,
            )?),
            (None, None) => None,
        };
        let Some(api) = api else {
            return Ok(Self {
                reached: None,
                application: None,
                gateway: None,
                guilds: None,
            });
        };
        let reached = api.ask("gateway").await;
        let (mut application, mut gateway, mut guilds) = (None, None, None);
        // What can't be reached need not be waited for again, nor a wrong token be said twice.
        if reached.is_ok() {
            application = api.ask_as_bot("applications/@me").await;
        }
        if matches!(&application, Some(Ok(answer)) if answer.status == 200) {
            gateway = api.ask_as_bot("gateway/bot").await;
            guilds = api.guilds().await;
        }
        Ok(Self {
            reached: Some(reached),
            application,
            gateway,
            guilds,
        })
    }

    /// The application, where Discord took the token.
    fn application(&self) -> Option<&Value> {
        match &self.application {
            Some(Ok(answer)) if answer.status == 200 => Some(&answer.body),
            _ => None,
        }
    }

    /// Whose the token is.
    pub(super) fn bot(&self) -> Option<UserId> {
        let application = self.application()?;
        let id = match &application["bot"]["id"] {
            Value::String(id) => id,
            _ => application["id"].as_str()?,
        };
        id.parse().ok()
    }

    /// The bot's guilds, with what it may do in each.
    pub(super) fn guilds(&self) -> Result<&[Value], String> {
        match &self.guilds {
            Some(Ok(guilds)) => Ok(guilds),
            Some(Err(why)) => Err(format!("Discord's list of guilds did not come: {why}")),
            None => Err(self.without()),
        }
    }

    /// How many sessions may still be started: `remaining` and `reset_after` of Discord's.
    pub(super) fn session_starts(&self) -> Result<&Value, String> {
        match &self.gateway {
            Some(Ok(answer)) if answer.status == 200 => Ok(&answer.body["session_start_limit"]),
            Some(Ok(answer)) => Err(format!("Discord answers {}", answer.status)),
            Some(Err(why)) => Err(why.clone()),
            None => Err(self.without()),
        }
    }

    /// Why something was not asked with the token.
    fn without(&self) -> String {
        match (&self.reached, &self.application) {
            (None, _) => "the settings can't be read",
            (Some(Err(_)), _) => "Discord does not answer",
            (_, None) => "there is no bot token to ask with",
            _ => "Discord did not take the token",
        }
        .to_owned()
    }
}

pub(super) fn examine(patient: &Patient<'_>, answers: &Answers, findings: &mut Findings) {
    findings.add("discord", reached(answers));
    findings.add("clock", clock(answers));
    findings.add("token", token(answers));
    findings.add("application", application(patient, answers));
    findings.add("intents", intents(patient, answers));
    findings.add("redirect-uri", redirect_uri(patient, answers));
}

fn reached(answers: &Answers) -> CheckOutcome {
    let cure = [
        "look at this machine's network, at DISCORD_URL (unset, it is https://discord.com), and, \
         where the certificate is another authority's, at SSL_CERT_FILE",
    ];
    match &answers.reached {
        None => CheckOutcome::skipped("the settings can't be read"),
        Some(Ok(answer)) if answer.status == 200 && answer.body["url"].is_string() => {
            CheckOutcome::passed("its API answers")
        }
        Some(Ok(answer)) => CheckOutcome::found(
            format!(
                "what is at DISCORD_URL answers {}, and not as Discord's API does",
                answer.status
            ),
            cure,
        ),
        Some(Err(why)) => CheckOutcome::found(format!("Discord can't be reached: {why}"), cure),
    }
}

fn clock(answers: &Answers) -> CheckOutcome {
    let answered = [&answers.application, &answers.reached];
    let mut answered = answered.into_iter().flatten();
    let clocks = answered.find_map(|asked| asked.as_ref().ok()?.clocks);
    let Some([theirs, ours]) = clocks else {
        return CheckOutcome::skipped("Discord said no time");
    };
    let apart = ours.abs_diff(theirs);
    // A `Date` has whole seconds.
    if apart < CLOCKS_APART {
        return CheckOutcome::passed(format!("within {} s of Discord's", apart.div_ceil(1_000)));
    }
    let side = if ours > theirs { "ahead of" } else { "behind" };
    CheckOutcome::found(
        format!(
            "this machine's clock is {} s {side} Discord's",
            apart / 1_000
        ),
        ["set it by NTP: `timedatectl set-ntp true`, or start chronyd"],
    )
}

fn token(answers: &Answers) -> CheckOutcome {
    match &answers.application {
        Some(Ok(answer)) => match answer.status {
            200 => CheckOutcome::passed(match answers.bot() {
                Some(bot) => format!("Discord takes it, of the bot {bot}"),
                None => "Discord takes it".to_owned(),
            }),
            401 => CheckOutcome::found(
                "Discord does not take DISCORD_BOT_TOKEN",
                [
                    "copy it anew from the developer portal (your application, Bot, Reset Token) and \
                     restart the gateway",
                ],
            ),
            status => CheckOutcome::skipped(format!("Discord answers {status} now")),
        },
        Some(Err(why)) => CheckOutcome::skipped(format!("Discord can't be reached: {why}")),
        None => CheckOutcome::skipped(answers.without()),
    }
}

fn application(patient: &Patient<'_>, answers: &Answers) -> CheckOutcome {
    let Some(web) = &patient.roles.web else {
        return CheckOutcome::skipped(
            "it is about web's sign-in, whose settings are not read here",
        );
    };
    let Some(application) = answers.application() else {
        return CheckOutcome::skipped(answers.without());
    };
    let set = &web.role.oauth.client_id;
    match application["id"].as_str() {
        Some(id) if id == set => CheckOutcome::passed("the token is DISCORD_CLIENT_ID's"),
        Some(id) => CheckOutcome::found(
            format!("DISCORD_CLIENT_ID is {set}, and the token is the application {id}'s"),
            [format!(
                "set DISCORD_CLIENT_ID={id} and that application's DISCORD_CLIENT_SECRET, or put in the \
                 token of {set}"
            )],
        ),
        None => CheckOutcome::skipped("Discord did not say whose the token is"),
    }
}

fn intents(patient: &Patient<'_>, answers: &Answers) -> CheckOutcome {
    let Some(gateway) = &patient.roles.gateway else {
        return CheckOutcome::skipped(answers.without());
    };
    if !gateway.intents.members {
        return CheckOutcome::passed("none is asked for that has to be switched on");
    }
    let flags = answers.application().map(|it| it["flags"].as_u64());
    match flags {
        Some(Some(flags)) if flags & MEMBERS_FLAGS == 0 => CheckOutcome::found(
            "DISCORD_INTENTS asks for members, which is not switched on: Discord refuses the connection",
            [
                "switch on \"Server Members Intent\" in the developer portal (your application, Bot, \
                 Privileged Gateway Intents)",
                "or take members out of DISCORD_INTENTS: changes of roles are obeyed within a minute then",
            ],
        ),
        Some(Some(_)) => CheckOutcome::passed("members is switched on"),
        Some(None) => CheckOutcome::skipped("Discord did not say what is switched on"),
        None => CheckOutcome::skipped(answers.without()),
    }
}

fn redirect_uri(patient: &Patient<'_>, answers: &Answers) -> CheckOutcome {
    let Some(web) = &patient.roles.web else {
        return CheckOutcome::skipped(
            "it is about web's sign-in, whose settings are not read here",
        );
    };
    let Some(application) = answers.application() else {
        return CheckOutcome::skipped(answers.without());
    };
    let ours = web.role.callback_url();
    let Some(list) = application["redirect_uris"].as_array() else {
        return CheckOutcome::skipped("Discord did not say which are registered");
    };
    if list.iter().any(|uri| uri.as_str() == Some(ours.as_str())) {
        return CheckOutcome::passed(format!("{ours} is registered"));
    }
    CheckOutcome::found(
        format!("{ours} is not registered, so Discord refuses every sign-in"),
        [format!(
            "add {ours} in the developer portal (your application, OAuth2, Redirects), letter by letter, \
             or correct BASE_URL"
        )],
    )
}
