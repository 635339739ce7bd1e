//! When to connect again after a connection has ended, and whether to RESUME: a pure machine
//! (Discord's documentation, "Gateway", Disconnecting and Resuming; "Opcodes and Status Codes").
//!
//! It never gives up on a network fault. It gives up at once on what no retry cures.

use std::time::{Duration, Instant};

use guildhall_ports::journal::ResumeState;

use crate::{GatewaySettingNames, Limits};

/// So many failures in a row of the resume address, and the base address is tried.
const RESUME_URL_TRIES: u32 = 3;
/// A session that was begun and lasted this long was a good one, whatever ended it.
const STEADY: Duration = Duration::from_secs(30);
/// A RESUME costs nothing, so less will do. One that is cut at once, again and again, is a failure:
/// it would be tried several times a second for ever, and no operator would know.
const STEADY_RESUMED: Duration = Duration::from_secs(5);

/// A close frame has room for so many bytes of text.
const REASON_SHOWN: usize = 123;

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Disconnect {
    /// It never came to a HELLO, or `/gateway/bot` did not answer: why.
    Unreachable(String),
    /// There are too few IDENTIFYs left; none was sent.
    BudgetLow {
        /// So many are left.
        remaining: u32,
        /// Until there are as many as ever.
        resets_in: Duration,
    },
    /// It was up, and is no more. How Discord closed it, if it did.
    Cut(Option<Close>),
    /// It was up, and what came can't be read or nothing could be sent: why.
    Failed(String),
    /// Op 7.
    ReconnectAsked,
    /// Op 9.
    InvalidSession {
        /// Whether a RESUME may be tried again.
        resumable: bool,
    },
    /// Our own inbox was full: what was not handed on is replayed by a RESUME.
    InboxFull,
    /// It no longer answers heartbeats.
    Zombie,
    /// We asked for a new session, since our world is not to be trusted.
    Renewed,
    /// 401 from REST.
    TokenRefused,
}

/// What Discord says when it closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Close {
    pub(super) code: u16,
    pub(super) reason: String,
}

impl std::fmt::Display for Close {
    /// As it may be written into a log: one line, and no more of it than any close frame holds.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, reason } = self;
        let start: String = reason.chars().take(REASON_SHOWN).collect();
        match start.trim() {
            "" => write!(f, "{code}"),
            reason => write!(f, "{code}: {}", reason.escape_debug()),
        }
    }
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Connect, not before this, and after [`ReconnectPolicy::committed`] said how.
    Connect {
        /// When.
        at: Instant,
    },
    /// No retry cures this.
    Misconfigured(Misconfigured),
}

/// Discord's refusal of something that only a setting can cure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misconfigured {
    refused: RefusedSetting,
    /// How Discord closed the connection, if it did.
    close: Option<Close>,
}

/// What Discord does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RefusedSetting {
    Token,
    GuildsOfTheBot,
    GatewayVersion,
    Intents,
    MembersIntent,
}

impl Misconfigured {
    /// REST refused the token.
    pub(super) const TOKEN: Self = Self {
        refused: RefusedSetting::Token,
        close: None,
    };

    /// One sentence that names the setting and the cure.
    pub(super) fn sentence(&self, names: &GatewaySettingNames) -> String {
        let GatewaySettingNames {
            bot_token,
            intents,
            discord_gateway_url,
            ..
        } = names;
        let sentence = match self.refused {
            RefusedSetting::Token => format!(
                "{bot_token} was refused by Discord: copy the bot's token anew from the Developer \
                 Portal (your application, Bot, Reset Token)"
            ),
            RefusedSetting::GuildsOfTheBot => format!(
                "{bot_token} belongs to a bot in more guilds than one connection may serve \
                 (2,500), which Guildhall does not do yet: use a bot that is in fewer guilds"
            ),
            RefusedSetting::GatewayVersion => format!(
                "{discord_gateway_url} leads to a Gateway that no longer speaks version 10: \
                 correct it, or update Guildhall"
            ),
            RefusedSetting::Intents => format!(
                "{intents} has a value that Discord does not know: leave it out, or name only \
                 members and moderation"
            ),
            RefusedSetting::MembersIntent => format!(
                "{intents} names members, which Discord has not allowed this bot: switch on \
                 Server Members Intent in the Developer Portal (your application, Bot, Privileged \
                 Gateway Intents), or leave members out"
            ),
        };
        match &self.close {
            Some(close) => format!("{sentence}. Discord closed with {close}"),
            None => sentence,
        }
    }
}

#[derive(Debug)]
pub(super) struct ReconnectPolicy {
    limits: Limits,
    /// As it was committed when the last connection had ended.
    resume: Option<ResumeState>,
    /// Whether there is a session that Discord may still have.
    has_session: bool,
    /// Tries in a row that did not reach Discord. Whatever Discord sends ends them.
    unreached: u32,
    /// Connections in a row that reached it, and ended before they were good ones.
    unsteady: u32,
    /// Sessions in a row that Discord refused to begin or go on with. Each costs an IDENTIFY.
    refused: u32,
    /// Whether anything of Discord's came on this connection.
    heard: bool,
    /// Failures in a row of the resume address.
    resume_url_tries: u32,
    /// From when on the connection is a good one, if there is one.
    steady_at: Option<Instant>,
}

impl ReconnectPolicy {
    /// `resume`: as it was kept when the process before this one ended.
    pub(super) fn new(limits: Limits, resume: Option<ResumeState>) -> Self {
        Self {
            limits,
            has_session: resume.is_some(),
            resume,
            unreached: 0,
            unsteady: 0,
            refused: 0,
            heard: false,
            resume_url_tries: 0,
            steady_at: None,
        }
    }

    /// The session to resume; `None`: IDENTIFY.
    pub(super) fn resume(&self) -> Option<&ResumeState> {
        self.resume.as_ref()
    }

    /// Where to resume; `None`: at the base address, since Discord named no other, or that one
    /// failed too often.
    pub(super) fn resume_url(&self) -> Option<&str> {
        let url = self.resume.as_ref()?.url.as_deref();
        url.filter(|_| self.resume_url_tries < RESUME_URL_TRIES)
    }

    /// Whether there is a session that Discord may still have.
    pub(super) fn has_session(&self) -> bool {
        self.has_session
    }

    /// Failures in a row.
    pub(super) fn tries(&self) -> u32 {
        self.unreached.saturating_add(self.unsteady)
    }

    /// HELLO came, or anything else that only Discord says: what was in the way is gone.
    pub(super) fn heard(&mut self) {
        self.heard = true;
        self.unreached = 0;
    }

    /// READY came.
    pub(super) fn ready(&mut self, now: Instant) {
        self.heard();
        self.has_session = true;
        self.resume_url_tries = 0;
        self.steady_at = Some(now + STEADY);
    }

    /// RESUMED came.
    pub(super) fn resumed(&mut self, now: Instant) {
        self.heard();
        self.resume_url_tries = 0;
        self.steady_at = Some(now + STEADY_RESUMED);
    }

    /// When [`ReconnectPolicy::time_passed`] forgets the failures before this connection; `None`: there are
    /// none, or there is no connection.
    pub(super) fn steady_at(&self) -> Option<Instant> {
        self.steady_at.filter(|_| self.tries() > 0)
    }

    /// Time has passed, and the connection is up.
    pub(super) fn time_passed(&mut self, now: Instant) {
        if self.steady_at.is_some_and(|at| at <= now) {
            self.forget_failures();
        }
    }

    fn forget_failures(&mut self) {
        self.unreached = 0;
        self.unsteady = 0;
        self.refused = 0;
    }

    /// Everything that the last connection brought is committed: this is how to go on from there.
    pub(super) fn committed(&mut self, resume: Option<ResumeState>) {
        self.has_session = resume.is_some();
        self.resume = resume;
    }

    /// A connection ended. `chance`: in 0..1, drawn each time.
    pub(super) fn disconnected(
        &mut self,
        disconnect: &Disconnect,
        chance: f64,
        now: Instant,
    ) -> Next {
        if let Some(misconfigured) = fatal(disconnect) {
            return Next::Misconfigured(misconfigured);
        }
        self.time_passed(now);
        if is_discords(disconnect) {
            self.heard();
        }
        let established = self.steady_at.take().is_some();
        let heard = std::mem::take(&mut self.heard);
        let has_begun = established || self.resume.is_some();
        if *disconnect == Disconnect::InboxFull && has_begun {
            // It brought more than we could take: nothing failed, and what to wait for is our own
            // disk, which is waited for anyway. One that floods us before there is a session would
            // cost an IDENTIFY each time.
            self.forget_failures();
            self.resume_url_tries = 0;
            return Next::Connect { at: now };
        }
        if loses_session(disconnect) {
            self.has_session = false;
        }
        if !established && self.resume.is_some() {
            self.resume_url_tries = self.resume_url_tries.saturating_add(1);
        }
        let at = now + self.wait(disconnect, chance);
        let failures = if heard {
            &mut self.unsteady
        } else {
            &mut self.unreached
        };
        *failures = failures.saturating_add(1);
        if *disconnect == (Disconnect::InvalidSession { resumable: false }) {
            self.refused = self.refused.saturating_add(1);
        }
        Next::Connect { at }
    }

    /// Anything up to a ceiling that doubles with each failure (full jitter), so that bots cut by
    /// one fault of Discord's do not come back as one.
    fn wait(&self, disconnect: &Disconnect, chance: f64) -> Duration {
        let chance = chance.clamp(0.0, 1.0);
        let failures = match disconnect {
            // Discord answered, whatever was in the way before: only its own refusals count.
            Disconnect::InvalidSession { resumable: false } => self.refused,
            _ => self.tries(),
        };
        let doubled = 2_u32.saturating_pow(failures.min(20));
        let longest = self.limits.reconnect_longest;
        let ceiling = self
            .limits
            .reconnect_first
            .saturating_mul(doubled)
            .min(longest);
        let wait = ceiling.mul_f64(chance);
        match disconnect {
            // Asking oftener than this spares nothing; the operator sees why we wait.
            Disconnect::BudgetLow { resets_in, .. } => {
                (*resets_in).min(Duration::from_mins(10)).max(wait)
            }
            // Discord's own rule before the IDENTIFY that follows. Sessions that are refused again
            // and again cost one each time, so there it is waited for longer and longer.
            Disconnect::InvalidSession { resumable: false } => {
                let most = self.limits.identify_after_refusal;
                let least = most / 5;
                wait.max(least + most.saturating_sub(least).mul_f64(chance))
            }
            _ => wait,
        }
    }
}

/// Whether nobody but Discord ends a connection so, however early.
fn is_discords(disconnect: &Disconnect) -> bool {
    match disconnect {
        Disconnect::Cut(Some(close)) => (4000..=4999).contains(&close.code),
        Disconnect::ReconnectAsked | Disconnect::InvalidSession { .. } => true,
        _ => false,
    }
}

fn loses_session(disconnect: &Disconnect) -> bool {
    match disconnect {
        // Sent before identify, identified twice, bad sequence: a RESUME would be answered so again
        // and again. 4009 (timed out) is worth a try: op 9 says if not.
        Disconnect::Cut(close) => {
            let code = close.as_ref().map(|close| close.code);
            matches!(code, Some(4003 | 4005 | 4007))
        }
        Disconnect::InvalidSession { resumable } => !resumable,
        Disconnect::Renewed => true,
        Disconnect::Unreachable(_)
        | Disconnect::BudgetLow { .. }
        | Disconnect::Failed(_)
        | Disconnect::ReconnectAsked
        | Disconnect::InboxFull
        | Disconnect::Zombie
        | Disconnect::TokenRefused => false,
    }
}

fn fatal(disconnect: &Disconnect) -> Option<Misconfigured> {
    let close = match disconnect {
        Disconnect::TokenRefused => return Some(Misconfigured::TOKEN),
        Disconnect::Cut(close) => close.as_ref()?,
        _ => return None,
    };
    let refused = match close.code {
        4004 => RefusedSetting::Token,
        4010 | 4011 => RefusedSetting::GuildsOfTheBot,
        4012 => RefusedSetting::GatewayVersion,
        4013 => RefusedSetting::Intents,
        4014 => RefusedSetting::MembersIntent,
        _ => return None,
    };
    Some(Misconfigured {
        refused,
        close: Some(close.clone()),
    })
}

#[cfg(test)]
mod tests;
