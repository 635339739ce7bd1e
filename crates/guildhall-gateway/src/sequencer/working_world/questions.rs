//! Questions about the working world, until they are answered. The answers leave it as effects, so
//! nobody is told of what is not committed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use guildhall_model::{
    Change, ChannelId, Guild, GuildId, UnixMs, UserId,
    command::{Before, CommandError, CommandErrorCode, CommandRequest, Judgement, judge},
};

use super::{Effect, WorkingWorld};
use crate::{
    inbox::{About, Expectation, QuestionAnswer, QuestionId},
    rights::MembershipUpdate,
};

/// Questions that wait for something to be so. As many as whoever asks has under way, which are a
/// bounded number.
#[derive(Debug, Default)]
pub(super) struct Questions {
    /// By what their answers depend on, so that an event looks at few of them.
    waiting: BTreeMap<(GuildId, Subject, QuestionId), Waiting>,
    due: BTreeMap<(Instant, QuestionId), (GuildId, Subject)>,
    /// So many wait for Discord to be live.
    await_live: usize,
    /// Events of the batch before this one were looked at.
    looked_at: usize,
}

/// What an answer depends on, or an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Guild,
    Room(ChannelId),
    User(UserId),
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

impl WaitingFor {
    fn subject(&self) -> Subject {
        let (actor, command) = match self {
            Self::Live(_) => return Subject::Guild,
            Self::Expectation(
                Expectation::RoomIs(channel_id) | Expectation::RoomGone(channel_id),
            ) => return Subject::Room(*channel_id),
            Self::Expectation(Expectation::Done(actor, command)) => (*actor, command),
            Self::Expectation(Expectation::Ready(request)) => (request.actor, &request.command),
        };
        let person = command.moves(actor).map(Subject::User);
        let room = command.channel_id().map(Subject::Room);
        person.or(room).unwrap_or(Subject::Guild)
    }
}

impl Questions {
    fn wait(&mut self, guild_id: GuildId, id: QuestionId, what: WaitingFor, until: Instant) {
        self.await_live += usize::from(matches!(what, WaitingFor::Live(_)));
        let subject = what.subject();
        self.waiting
            .insert((guild_id, subject, id), Waiting { what, until });
        self.due.insert((until, id), (guild_id, subject));
    }

    fn take(&mut self, guild_id: GuildId, subject: Subject, id: QuestionId) {
        if let Some(waiting) = self.waiting.remove(&(guild_id, subject, id)) {
            self.await_live -= usize::from(matches!(waiting.what, WaitingFor::Live(_)));
            self.due.remove(&(waiting.until, id));
        }
    }

    /// Those in a guild that depend on something; `Subject::Guild`: all of them.
    fn about(
        &self,
        guild_id: GuildId,
        subject: Subject,
    ) -> impl Iterator<Item = (Subject, QuestionId, &WaitingFor)> {
        let last = match subject {
            Subject::Guild => Subject::User(UserId(u64::MAX)),
            one => one,
        };
        let from = (guild_id, subject, QuestionId(0));
        let to = (guild_id, last, QuestionId(u64::MAX));
        let range = self.waiting.range(from..=to);
        range.map(|((_, subject, id), waiting)| (*subject, *id, &waiting.what))
    }

    /// The next whose time is over, taken out.
    fn overdue(&mut self, now: Instant) -> Option<QuestionId> {
        let (&(until, id), &(guild_id, subject)) = self.due.first_key_value()?;
        if now < until {
            return None;
        }
        self.take(guild_id, subject, id);
        Some(id)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let ((until, _), _) = self.due.first_key_value()?;
        Some(*until)
    }
}

/// What an event is about. `None`: nothing that anybody waits for.
fn subject_of(change: &Change) -> Option<Subject> {
    match change {
        Change::VoiceJoined(person) => Some(Subject::User(person.user_id)),
        Change::VoiceLeft { user_id, .. } => Some(Subject::User(*user_id)),
        Change::RoomUpdated(room) => Some(Subject::Room(room.channel_id)),
        Change::VoiceUpdated(_)
        | Change::VoicePending(_)
        | Change::VoicePendingRemoved { .. }
        | Change::GuildUpdated(_)
        | Change::CategorySet { .. }
        | Change::CategoryRemoved { .. }
        | Change::RoomIdle { .. }
        | Change::Gap { .. } => None,
        // Rights decide who may do what, and whole guilds bring everything.
        _ => Some(Subject::Guild),
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
                self.answer_about(guild_id, Subject::Guild);
            }
            About::When { expectation, until } => {
                let what = WaitingFor::Expectation(expectation);
                let subject = what.subject();
                self.questions.wait(guild_id, id, what, until);
                self.answer_about(guild_id, subject);
            }
            About::Making { room, making } => {
                self.making(guild_id, room, making, wall);
                self.answer(id, QuestionAnswer::So);
            }
            About::Manage {
                channel_id,
                management,
            } => {
                self.manage(guild_id, channel_id, management, wall);
                self.answer(id, QuestionAnswer::So);
            }
            About::Idle {
                channel_id,
                deletes_at,
            } => {
                self.idle(guild_id, channel_id, deletes_at, wall);
                self.answer(id, QuestionAnswer::So);
            }
            About::Occupants { channels } => {
                let seen = self.occupants_of(guild_id, &channels);
                self.answer(id, QuestionAnswer::Occupants(seen));
            }
            About::MemberIs {
                user_id,
                membership,
                as_of,
            } => {
                let (rights, context) = self.rights_and_context(as_of);
                let update = MembershipUpdate::Is(membership);
                rights.member_updated((guild_id, user_id), update, context);
                self.follow_rights(wall);
                self.answer(id, QuestionAnswer::So);
            }
            About::Scene(question) => {
                let scene = self.scene(guild_id, &question, wall);
                self.answer(id, QuestionAnswer::Scene(scene.map(Box::new)));
            }
            About::Rooms => {
                let seen = self.rooms_of(guild_id);
                self.answer(id, QuestionAnswer::Rooms(seen));
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
        let new = self.events[from..].iter();
        let about = new.filter_map(|event| Some((event.guild_id, subject_of(&event.change)?)));
        let mut about: Vec<(GuildId, Subject)> = about.collect();
        about.sort_unstable();
        about.dedup();
        for (guild_id, subject) in about {
            self.answer_about(guild_id, subject);
        }
    }

    /// Ends a batch: the next one's events begin anew.
    pub(super) fn answer_at_end_of_batch(&mut self) {
        self.answer_waiting();
        self.questions.looked_at = 0;
        if self.questions.await_live > 0 {
            let waiting = self.questions.due.values();
            let guilds = waiting.filter(|(_, subject)| *subject == Subject::Guild);
            let guilds: BTreeSet<GuildId> = guilds.map(|(guild_id, _)| *guild_id).collect();
            for guild_id in guilds {
                self.answer_about(guild_id, Subject::Guild);
            }
        }
    }

    /// Answers those whose time is over.
    pub(super) fn give_up_waiting(&mut self, now: Instant) {
        while let Some(id) = self.questions.overdue(now) {
            self.answer(id, QuestionAnswer::NotInTime);
        }
    }

    fn answer_about(&mut self, guild_id: GuildId, subject: Subject) {
        let live = self.is_guild_live(guild_id);
        let guild = self.world.guilds.get(&guild_id);
        let waiting = self.questions.about(guild_id, subject);
        let answers = waiting.filter_map(|(subject, id, what)| {
            let answer = answer_to(guild_id, guild, what, live)?;
            Some((subject, id, answer))
        });
        let answers: Vec<(Subject, QuestionId, QuestionAnswer)> = answers.collect();
        for (subject, id, answer) in answers {
            self.questions.take(guild_id, subject, id);
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
            return Err(CommandError::nowhere());
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
    pub(super) fn is_guild_live(&self, guild_id: GuildId) -> bool {
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
        Expectation::RoomIs(channel_id) => guild.rooms.contains_key(channel_id),
        Expectation::RoomGone(channel_id) => !guild.rooms.contains_key(channel_id),
        Expectation::Done(actor, command) => command.is_so(*actor, guild) == Some(true),
        Expectation::Ready(request) => {
            // Who is in a timeout is told so when it is judged for real: here it does not matter.
            let now = UnixMs::MAX;
            let judged = judge(guild_id, guild, request.actor, &request.command, now);
            // What is only unknown at the moment is waited for, too.
            let is_unknown = judged
                .as_ref()
                .is_err_and(|error| error.code == CommandErrorCode::GuildUnavailable);
            judged != Ok(Judgement::NotInVoice) && !is_unknown
        }
    };
    so.then_some(QuestionAnswer::So)
}
