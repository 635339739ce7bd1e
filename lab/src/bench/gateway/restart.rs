//! How soon a gateway with many guilds is live again, and what its world weighs.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::Deserialize;

use super::{GatewayPlan, Stage, many, row};
use crate::bench::clock::now;
use crate::bench::http::Client;
use crate::bench::procfs;
use crate::bench::restartable_gateway::Gateway;
use crate::bench::table::{Budget, Row};

const RESTART_MS: f64 = 2_000.0;
/// Discord starts one session of a bot in so long.
const BETWEEN_IDENTIFIES: Duration = Duration::from_millis(5_500);

pub(super) fn rows(plan: &GatewayPlan, stage: &Stage) -> anyhow::Result<Vec<Row>> {
    let mut small = stage.gateway("small")?;
    small.start()?;
    small.wait_until_live()?;
    let nearly_empty = procfs::resident_bytes(small.id()?)?;
    small.stop()?;

    let began = now();
    many::make(stage.simulator_at, plan.guilds, plan.people)?;
    println!(
        "  {} guilds of {} people made in {:.1} s",
        plan.guilds,
        plan.people,
        began.elapsed().as_secs_f64()
    );
    let mut restarts = Restarts::of(stage)?;
    restarts.fresh(true)?;
    let full = procfs::resident_bytes(restarts.gateway.id()?)?;
    let (mut stopped, mut killed, mut fresh) = (Vec::new(), Vec::new(), Vec::new());
    for repetition in 1..=plan.repetitions {
        let before = restarts.identifies_left()?;
        restarts.gateway.stop()?;
        stopped.push(restarts.live_ms()?);
        restarts.gateway.end()?;
        killed.push(restarts.live_ms()?);
        if restarts.identifies_left()? != before {
            bail!("a restart took an IDENTIFY: {}", restarts.gateway.log_end());
        }
        restarts.gateway.end()?;
        fresh.push(restarts.fresh(repetition % 2 == 0)?);
        if restarts.identifies_left()? != before - 1 {
            bail!(
                "no fresh session, or more than one: {}",
                restarts.gateway.log_end()
            );
        }
    }
    restarts.gateway.stop()?;
    restarts.live_ms()?;
    let resumed = procfs::resident_bytes(restarts.gateway.id()?)?;
    restarts.gateway.stop()?;

    let here = format!("{} guilds of {} in voice", plan.guilds, plan.people);
    #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
    let each =
        |bytes: u64| bytes.saturating_sub(nearly_empty) as f64 / (plan.guilds * plan.people) as f64;
    let in_time = Some(Budget::AtMost(RESTART_MS));
    Ok(vec![
        row(
            &format!("start to live after SIGTERM, {here}"),
            "ms",
            &stopped,
            in_time,
        ),
        row("the same after SIGKILL", "ms", &killed, in_time),
        row("the same with a fresh IDENTIFY", "ms", &fresh, in_time),
        row(
            "world memory per person after IDENTIFY (twilight-cache-inmemory: about 906)",
            "bytes",
            &[each(full)],
            None,
        ),
        row(
            "the same after a restart from the journal",
            "bytes",
            &[each(resumed)],
            None,
        ),
    ])
}

struct Restarts<'a> {
    stage: &'a Stage,
    gateway: Gateway,
    last_identify: Instant,
}

impl<'a> Restarts<'a> {
    fn of(stage: &'a Stage) -> anyhow::Result<Self> {
        Ok(Self {
            stage,
            gateway: stage.gateway("full")?,
            last_identify: now(),
        })
    }

    /// From the process's start until Discord is live and every guild is there.
    fn live_ms(&mut self) -> anyhow::Result<f64> {
        let began = now();
        self.gateway.start()?;
        self.gateway.wait_until_live()?;
        Ok(began.elapsed().as_secs_f64() * 1e3)
    }

    /// The same with other intents than before, which ends Discord's session.
    fn fresh(&mut self, with_moderation: bool) -> anyhow::Result<f64> {
        let intents = if with_moderation {
            "moderation"
        } else {
            "guilds"
        };
        self.gateway.set("DISCORD_INTENTS", intents);
        thread::sleep(BETWEEN_IDENTIFIES.saturating_sub(self.last_identify.elapsed()));
        let took = self.live_ms()?;
        self.last_identify = now();
        Ok(took)
    }

    /// As Discord tells the bot.
    fn identifies_left(&self) -> anyhow::Result<u64> {
        #[derive(Deserialize)]
        struct Bot {
            session_start_limit: Limit,
        }
        #[derive(Deserialize)]
        struct Limit {
            remaining: u64,
        }
        let token = &self.stage.world.application.bot_token;
        let headers = [
            ("Authorization", format!("Bot {token}")),
            ("User-Agent", "DiscordBot (https://localhost, 1)".to_owned()),
        ];
        let headers = headers
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let mut discord = Client::new(self.stage.simulator_at);
        let answer = discord.get("/api/v10/gateway/bot", &headers)?;
        let bot: Bot = serde_json::from_str(&answer.body)
            .with_context(|| format!("/gateway/bot answers {}", answer.body))?;
        Ok(bot.session_start_limit.remaining)
    }
}
