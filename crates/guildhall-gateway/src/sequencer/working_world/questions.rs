//! Questions about the working world, until they are answered. The answers leave it as effects, so
//! nobody is told of what is not committed.

use std::{collections::BTreeMap, time::Instant};

use guildhall_model::{
    Guild, GuildId, UnixMs,
    command::{Before, CommandError, CommandErrorCode, CommandRequest, Judgement, judge},
};

use super::{Effect, WorkingWorld};
use crate::inbox::{About, Expectation, QuestionAnswer, QuestionId};

/// Questions that wait for something to be so. As many as whoever asks has under way, which are a
/// bounded number.
#[derive(Debug, Default)]
pub(super) struct Questions {
    waiting: BTreeMap<(GuildId, QuestionId), Waiting>,
    due: BTreeMap<(Instant, QuestionId), GuildId>,
    /// So many wait for Discord to be live.
    await_live: usize,
    /// Events of the batch before this one were looked at.
    looked_at: usize,
}

#[derive(Debug)]
struct Waiting {
    what: WaitingFor,
    until: Instant,
}

#[derive(Debug)]
enum WaitingFor {
    /// Discord to be live in the guild.
    Live(Box<CommandRequest>),
    Expectation(Expectation),
}

impl Questions {
    fn wait(&mut self, guild_id: GuildId, id: QuestionId, what: WaitingFor, until: Instant) {
        self.await_live += usize::from(matches!(what, WaitingFor::Live(_)));
        self.waiting.insert((guild_id, id), Waiting { what, until });
        self.due.insert((until, id), guild_id);
    }

    fn take(&mut self, guild_id: GuildId, id: QuestionId) {
        if let Some(waiting) = self.waiting.remove(&(guild_id, id)) {
            self.await_live -= usize::from(matches!(waiting.what, WaitingFor::Live(_)));
            self.due.remove(&(waiting.until, id));
        }
    }

    fn of_guild(&self, guild_id: GuildId) -> impl Iterator<Item = (QuestionId, &WaitingFor)> {
        let from = (guild_id, QuestionId(0));
        let to = (guild_id, QuestionId(u64::MAX));
        let range = self.waiting.range(from..=to);
        range.map(|((_, id), waiting)| (*id, &waiting.what))
    }

    /// The next whose time is over, taken out.
    fn overdue(&mut self, now: Instant) -> Option<QuestionId> {
        let (&(until, id), &guild_id) = self.due.first_key_value()?;
        if now < until {
            return None;
        }
        self.take(guild_id, id);
        Some(id)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let ((until, _), _) = self.due.first_key_value()?;
        Some(*until)
    }
}

impl WorkingWorld {
    /// Somebody asks.
    pub(in crate::sequencer) fn asked(
        &mut self,
        id: QuestionId,
        guild_id: GuildId,
        about: About,
        wall: UnixMs,
    ) {
        self.begin_cause();
        match about {
            About::Command(request) => {
                let judged = self.judged(guild_id, &request, wall);
                self.answer(id, QuestionAnswer::Judged(judged));
            }
            About::Before { request, until } => {
                self.questions
                    .wait(guild_id, id, WaitingFor::Live(request), until);
                self.answer_of(guild_id);
            }
            About::When { expectation, until } => {
                let what = WaitingFor::Expectation(expectation);
                self.questions.wait(guild_id, id, what, until);
                self.answer_of(guild_id);
            }
        }
    }

    /// Answers what the events since it was last called made so. Called between causes, never
    /// within one: a move's first event alone is nobody's picture.
    pub(super) fn answer_waiting(&mut self) {
        let from = self.questions.looked_at.min(self.events.len());
        self.questions.looked_at = self.events.len();
        if self.questions.waiting.is_empty() {
            return;
        }
        let mut guilds: Vec<GuildId> = self.events[from..].iter().map(|e| e.guild_id).collect();
        guilds.sort_unstable();
        guilds.dedup();
        for guild_id in guilds {
            self.answer_of(guild_id);
        }
    }

    /// Ends a batch: the next one's events begin anew.
    pub(super) fn answer_at_end_of_batch(&mut self) {
        self.answer_waiting();
        self.questions.looked_at = 0;
        if self.questions.await_live > 0 {
            let mut guilds: Vec<GuildId> = self.questions.due.values().copied().collect();
            guilds.sort_unstable();
            guilds.dedup();
            for guild_id in guilds {
                self.answer_of(guild_id);
            }
        }
    }

    /// Answers those whose time is over.
    pub(super) fn give_up_waiting(&mut self, now: Instant) {
        while let Some(id) = self.questions.overdue(now) {
            self.answer(id, QuestionAnswer::NotInTime);
        }
    }

    fn answer_of(&mut self, guild_id: GuildId) {
        let live = self.is_guild_live(guild_id);
        let guild = self.world.guilds.get(&guild_id);
        let waiting = self.questions.of_guild(guild_id);
        let answers = waiting.filter_map(|(id, what)| {
            let answer = answer_to(guild_id, guild, what, live)?;
            Some((id, answer))
        });
        let answers: Vec<(QuestionId, QuestionAnswer)> = answers.collect();
        for (id, answer) in answers {
            self.questions.take(guild_id, id);
            self.answer(id, answer);
        }
    }

    fn answer(&mut self, id: QuestionId, answer: QuestionAnswer) {
        self.effects.push(Effect::AnswerQuestion { id, answer });
    }

    fn judged(
        &self,
        guild_id: GuildId,
        request: &CommandRequest,
        wall: UnixMs,
    ) -> Result<Judgement, CommandError> {
        let Some(guild) = self.world.guilds.get(&guild_id) else {
            return Err(CommandError::new(
                CommandErrorCode::NotFound,
                "There is no such guild, or you are no member of it.",
            ));
        };
        if !self.is_guild_live(guild_id) {
            return Err(CommandError::new(
                CommandErrorCode::GuildUnavailable,
                "The connection to Discord is being restored.",
            )
            .retry_after_ms(1_000));
        }
        judge(guild_id, guild, request.actor, &request.command, wall)
    }

    /// Whether what the world holds of a guild is what Discord holds.
    fn is_guild_live(&self, guild_id: GuildId) -> bool {
        let (awaited, outages) = self.availability.missing();
        let missing = awaited.contains(&guild_id) || outages.contains(&guild_id);
        self.availability.is_live() && !missing && !self.report.stale.contains(&guild_id)
    }
}

fn answer_to(
    guild_id: GuildId,
    guild: Option<&Guild>,
    what: &WaitingFor,
    live: bool,
) -> Option<QuestionAnswer> {
    let expectation = match what {
        WaitingFor::Live(request) => {
            let before = guild.and_then(|guild| Before::of(&request.command, request.actor, guild));
            return live.then_some(QuestionAnswer::Before(before));
        }
        WaitingFor::Expectation(expectation) => expectation,
    };
    let guild = guild?;
    let so = match expectation {
        Expectation::Done(actor, command) => command.is_so(*actor, guild) == Some(true),
        Expectation::Ready(request) => {
            // Who is in a timeout is told so when it is judged for real: here it does not matter.
            let now = UnixMs::MAX;
            let judged = judge(guild_id, guild, request.actor, &request.command, now);
            judged != Ok(Judgement::NotInVoice)
        }
    };
    so.then_some(QuestionAnswer::So)
}
