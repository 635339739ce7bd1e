//! `guildhall init`: a `.env` that a house starts from, and what is left to be done in Discord.

/// Somebody at a terminal.
mod ask;
/// What Discord says of what was entered.
mod discord;
/// The file.
mod file;

use std::{collections::BTreeMap, fmt::Write, process::ExitCode};

use guildhall_model::{
    Permissions,
    command::{BotUse, TO_HEAR_THE_AUDIT_LOG, TO_LET_PEOPLE_IN},
};
use serde_json::json;
use url::Url;

use self::{
    ask::Terminal,
    discord::{Application, DiscordCheck},
};
use super::print::{harmless, harmless_json, note, print};
use crate::{
    adapters,
    cli::{Init, TextOrJson, UsedFor},
    config::{self, ConfigError, Settings, refuse, secrets::random_hex},
    lifecycle::ProcessExit,
};

/// What is written if it is set, in this order.
const WRITTEN: [&str; 15] = [
    "DISCORD_BOT_TOKEN",
    "DISCORD_CLIENT_ID",
    "DISCORD_CLIENT_SECRET",
    "DISCORD_PUBLIC_KEY",
    "DISCORD_GUILD_ID",
    "DISCORD_INTENTS",
    "LINK_TOKEN",
    "SESSION_SECRET",
    "BASE_URL",
    "WEB_PORT",
    "GUILDS_JOIN",
    "DISCORD_URL",
    "DISCORD_CDN_URL",
    "DISCORD_PUBLIC_URL",
    "DISCORD_GATEWAY_URL",
];

/// The settings among the flags.
pub(super) fn flags(asked: &Init) -> BTreeMap<String, String> {
    let said = [
        ("BASE_URL", &asked.base_url),
        ("WEB_PORT", &asked.web_port),
        ("DISCORD_GUILD_ID", &asked.discord_guild_id),
        ("DISCORD_INTENTS", &asked.discord_intents),
        ("GUILDS_JOIN", &asked.guilds_join),
        ("DISCORD_URL", &asked.discord_url),
        ("DISCORD_CDN_URL", &asked.discord_cdn_url),
    ];
    let said = said
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    said.collect()
}

pub(super) async fn run(asked: &Init, settings: Settings) -> Result<ExitCode, ProcessExit> {
    if file::is_there() && !asked.overwrite {
        return Err(ConfigError(
            ".env is there already: --overwrite writes a new one, and keeps that under another name."
                .to_owned(),
        )
        .into());
    }
    settings.mistakes.clone().none()?;
    let mut form = Form {
        settings,
        terminal: Terminal::if_there(),
    };
    for name in ["LINK_TOKEN", "SESSION_SECRET"] {
        form.settings.set(name, random_hex());
    }
    form.before_asking_discord()?;
    let discord = DiscordCheck::new(&form.settings, &adapters::clock())?;
    let application = form.application(&discord).await?;
    form.secret(&discord, &application).await?;
    form.base_url().await?;
    let used_for = form.used_for(asked.used_for).await?;
    let settings = form.settings;
    // By the very functions that a start reads them with.
    config::gateway(&settings)?;
    let web = config::web(&settings)?.role;

    let values = WRITTEN.iter().filter(|name| settings.is_set(name));
    let values = values.filter_map(|name| Some((*name, settings.get(name)?)));
    let kept = file::write(&values.collect::<Vec<_>>(), asked.overwrite)
        .map_err(|error| ConfigError(format!(".env can't be written: {error}.")))?;
    if let Some(kept) = kept {
        note(&format!("what .env was is kept as {kept}"));
    }
    let next = NextSteps {
        permissions: permissions(used_for, &settings),
        redirect: web.callback_url(),
        public_url: web.oauth.public_url.as_str().to_owned(),
        application,
    };
    print(&match asked.output {
        TextOrJson::Text => next.text(),
        TextOrJson::Json => next.json(),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What may be asked for a setting.
struct SettingQuestion {
    setting: &'static str,
    text: &'static str,
    is_secret: bool,
}

const TOKEN: SettingQuestion = SettingQuestion {
    setting: "DISCORD_BOT_TOKEN",
    text: "The bot's token (Discord's developer portal, your application, Bot, Reset Token; it is not shown)",
    is_secret: true,
};

const SECRET: SettingQuestion = SettingQuestion {
    setting: "DISCORD_CLIENT_SECRET",
    text: "The application's client secret (OAuth2, Reset Secret; it is not shown)",
    is_secret: true,
};

const BASE_URL: SettingQuestion = SettingQuestion {
    setting: "BASE_URL",
    text: "The page as browsers reach it",
    is_secret: false,
};

/// What is known, and whoever may be asked for the rest.
struct Form {
    settings: Settings,
    terminal: Option<Terminal>,
}

impl Form {
    /// What a start would refuse of a setting, whatever others are.
    fn refusal(&self, name: &str) -> Option<String> {
        let refused = [
            config::gateway(&self.settings).err(),
            config::web(&self.settings).err(),
        ];
        let sentences = refused.into_iter().flatten().map(|ConfigError(said)| said);
        let sentences = sentences.collect::<Vec<_>>().join("\n");
        let mut lines = sentences.lines();
        lines.find(|line| line.starts_with(name)).map(str::to_owned)
    }

    /// Nothing is sent anywhere while it is not clear to whom, and nobody is asked in vain.
    fn before_asking_discord(&self) -> Result<(), ConfigError> {
        let mut mistakes = config::Mistakes::default();
        let said = WRITTEN.iter().filter(|name| self.settings.is_set(name));
        for sentence in said.filter_map(|name| self.refusal(name)) {
            mistakes.add(&sentence);
        }
        if self.terminal.is_none() {
            for name in ["DISCORD_BOT_TOKEN", "DISCORD_CLIENT_SECRET"] {
                if !self.settings.is_set(name) {
                    mistakes.add(&format!(
                        "{name} is not set, and nobody can be asked, since this is no terminal: set it, or \
                         {name}_FILE, in the environment."
                    ));
                }
            }
        }
        mistakes.none()
    }

    /// Asks until the answer is one; elsewhere than on a terminal what is wrong ends it.
    async fn answered(&mut self, question: &SettingQuestion) -> Result<(), ProcessExit> {
        let name = question.setting;
        loop {
            if self.settings.is_set(name) {
                let Some(refusal) = self.refusal(name) else {
                    return Ok(());
                };
                self.wrong(&refusal)?;
            }
            let terminal = self.terminal.as_ref();
            let terminal = terminal.ok_or_else(|| ConfigError(format!("{name} is not set.")))?;
            let answer = if question.is_secret {
                terminal.ask_secret(question.text).await?
            } else {
                terminal.ask(question.text).await?
            };
            if !answer.is_empty() {
                self.settings.set(name, answer);
            }
        }
    }

    /// Says what is wrong where somebody can answer anew.
    fn wrong(&self, sentence: &str) -> Result<(), ConfigError> {
        if self.terminal.is_none() {
            return refuse!("{sentence}");
        }
        note(sentence);
        Ok(())
    }

    /// The bot's token, and the application that Discord says it is of.
    async fn application(&mut self, discord: &DiscordCheck) -> Result<Application, ProcessExit> {
        loop {
            self.answered(&TOKEN).await?;
            let token = self.settings.require("DISCORD_BOT_TOKEN")?;
            match discord.application(token).await? {
                Ok(application) => {
                    self.settings.agree(&application)?;
                    return Ok(application);
                }
                Err(sentence) => {
                    self.wrong(&sentence)?;
                    self.settings.unset("DISCORD_BOT_TOKEN");
                }
            }
        }
    }

    /// The application's secret, tried at Discord.
    async fn secret(
        &mut self,
        discord: &DiscordCheck,
        application: &Application,
    ) -> Result<(), ProcessExit> {
        loop {
            self.answered(&SECRET).await?;
            let secret = self.settings.require("DISCORD_CLIENT_SECRET")?;
            match discord.refused_secret(&application.id, secret).await? {
                None => return Ok(()),
                Some(sentence) => {
                    self.wrong(&sentence)?;
                    self.settings.unset("DISCORD_CLIENT_SECRET");
                }
            }
        }
    }

    async fn base_url(&mut self) -> Result<(), ProcessExit> {
        if !self.settings.is_set("BASE_URL") {
            let port = self.settings.get("WEB_PORT").unwrap_or_default();
            let mut said = format!("http://localhost:{port}");
            if let Some(terminal) = &self.terminal {
                let answer = terminal.ask(&format!("{} [{said}]", BASE_URL.text)).await?;
                if !answer.is_empty() {
                    said = answer;
                }
            }
            self.settings.set("BASE_URL", said);
        }
        self.answered(&BASE_URL).await
    }

    async fn used_for(&self, said: Option<UsedFor>) -> Result<BotUse, ProcessExit> {
        const QUESTION: &str = "What the bot is for: show rooms, command people, or make rooms as well? \
                                show, command or rooms [rooms]";
        let (Some(terminal), None) = (&self.terminal, said) else {
            return Ok(bot_use(said.unwrap_or(UsedFor::Rooms)));
        };
        loop {
            match terminal.ask(QUESTION).await?.as_str() {
                "show" => return Ok(BotUse::Show),
                "command" => return Ok(BotUse::Command),
                "" | "rooms" => return Ok(BotUse::Rooms),
                _ => note("That is none of the three words."),
            }
        }
    }
}

fn bot_use(said: UsedFor) -> BotUse {
    match said {
        UsedFor::Show => BotUse::Show,
        UsedFor::Command => BotUse::Command,
        UsedFor::Rooms => BotUse::Rooms,
    }
}

/// What the bot asks for when it is invited.
fn permissions(used_for: BotUse, settings: &Settings) -> Permissions {
    let mut all = used_for.permissions();
    if settings.get("GUILDS_JOIN") == Some("1") {
        all = all | TO_LET_PEOPLE_IN;
    }
    let intents = settings.get("DISCORD_INTENTS").unwrap_or_default();
    if intents.split(',').any(|one| one.trim() == "moderation") {
        all = all | TO_HEAR_THE_AUDIT_LOG;
    }
    all
}

/// What is left to be done.
struct NextSteps {
    application: Application,
    permissions: Permissions,
    /// Discord as browsers reach it.
    public_url: String,
    redirect: Url,
}

impl NextSteps {
    const COMMAND: &str = "guildhall all";

    fn invite_url(&self) -> String {
        format!(
            "{}/oauth2/authorize?client_id={}&scope=bot&permissions={}",
            self.public_url.trim_end_matches('/'),
            self.application.id,
            self.permissions.0
        )
    }

    fn permission_names(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = self.permissions.names().collect();
        for (permission, name) in [
            (TO_LET_PEOPLE_IN, "CREATE_INSTANT_INVITE"),
            (TO_HEAR_THE_AUDIT_LOG, "VIEW_AUDIT_LOG"),
        ] {
            if self.permissions.contains(permission) {
                names.push(name);
            }
        }
        names
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut line =
            |line: &str| writeln!(text, "{line}").expect("writing to a String can't fail");
        line(&format!(
            ".env is written, for the application {:?} ({}). Nobody but you can read it.",
            harmless(&self.application.name),
            self.application.id
        ));
        line("");
        line("1. Invite the bot to your guild:");
        line(&format!("   {}", self.invite_url()));
        line(&format!(
            "   It asks for {}.",
            self.permission_names().join(", ")
        ));
        line("2. Enter this redirect on the OAuth2 page of Discord's developer portal:");
        line(&format!("   {}", self.redirect));
        line("3. Start the house:");
        line(&format!("   {}", Self::COMMAND));
        text
    }

    fn json(&self) -> String {
        let json = json!({
            "applicationId": self.application.id,
            "applicationName": self.application.name,
            "permissions": self.permissions,
            "permissionNames": self.permission_names(),
            "inviteUrl": self.invite_url(),
            "redirectUri": self.redirect.as_str(),
            "command": Self::COMMAND,
        });
        harmless_json(&json.to_string())
    }
}
