//! Polls: who votes for what, and when it is over.

use serde_json::{Value, json};

use super::{
    Intents, Message, World,
    change::{Changed, Refusal},
    messages::message_mut,
};
use crate::snowflake::{Snowflake, iso};

impl Message {
    /// Poll object, with what was voted so far.
    pub(super) fn poll_object(&self, bot: Snowflake) -> Option<Value> {
        let mut poll = self.parts.poll.clone()?;
        let answers = poll["answers"].as_array().cloned().unwrap_or_default();
        let counts = answers.iter().filter_map(|answer| {
            let id = answer["answer_id"].as_u64()?;
            let count = self.voters(id).count();
            let own = self.votes.contains(&(id, bot));
            (count > 0).then(|| json!({"id": id, "count": count, "me_voted": own}))
        });
        poll["results"]["answer_counts"] = counts.collect();
        Some(poll)
    }

    /// Who voted for an answer, in their order.
    pub(crate) fn voters(&self, answer_id: u64) -> impl Iterator<Item = Snowflake> {
        let votes = self.votes.iter();
        votes
            .filter(move |(answer, _)| *answer == answer_id)
            .map(|(_, user_id)| *user_id)
    }

    /// Whether a poll has this answer.
    pub(crate) fn has_answer(&self, answer_id: u64) -> bool {
        let poll = self.parts.poll.as_ref();
        let answers = poll.and_then(|poll| poll["answers"].as_array());
        answers.is_some_and(|all| all.iter().any(|one| one["answer_id"] == answer_id))
    }

    /// Whether nobody can vote any more.
    pub(crate) fn poll_is_over(&self) -> bool {
        let poll = self.parts.poll.as_ref();
        poll.is_some_and(|poll| poll["results"]["is_finalized"] == true)
    }
}

impl World {
    /// Somebody votes, or takes it back; MESSAGE_POLL_VOTE_ADD and _REMOVE. A vote in a poll
    /// of one choice takes the place of the one before.
    pub(crate) fn vote(
        &mut self,
        channel_id: Snowflake,
        id: Snowflake,
        user_id: Snowflake,
        answer_id: u64,
        over: bool,
    ) -> Changed<()> {
        self.in_channel(channel_id, |guild, _, told| {
            if !guild.members.contains(user_id) {
                return Err(Refusal::Unknown("member"));
            }
            let message = message_mut(&mut guild.messages, channel_id, id)?;
            if !message.has_answer(answer_id) {
                return Err(Refusal::Unknown("answer"));
            }
            if message.poll_is_over() {
                return Err(Refusal::invalid("the poll is over"));
            }
            let several = message.parts.poll.as_ref();
            let several = several.is_some_and(|poll| poll["allow_multiselect"] == true);
            let vote = (answer_id, user_id);
            let taken = |one: &(u64, Snowflake)| one.1 == user_id && (!several || *one == vote);
            let stays = message.votes.contains(&vote) && !over;
            let gone: Vec<_> = message.votes.iter().copied().filter(taken).collect();
            if stays {
                return Ok(());
            }
            let gone: Vec<_> = gone
                .into_iter()
                .filter(|one| !over || *one == vote)
                .collect();
            message.votes.retain(|one| !gone.contains(one));
            if !over {
                message.votes.push(vote);
            }
            let data =
                |answer: u64| json!({"user_id": user_id, "message_id": id, "answer_id": answer});
            let needs = Intents::GUILD_MESSAGE_POLLS;
            for (answer, _) in gone {
                told.about("MESSAGE_POLL_VOTE_REMOVE", needs, data(answer));
            }
            if !over {
                told.about("MESSAGE_POLL_VOTE_ADD", needs, data(answer_id));
            }
            Ok(())
        })
    }

    /// Ends a poll now; MESSAGE_UPDATE with its results.
    pub(crate) fn end_poll(&mut self, channel_id: Snowflake, id: Snowflake) -> Changed<()> {
        let now = iso(self.now);
        self.in_channel(channel_id, |guild, users, told| {
            let message = message_mut(&mut guild.messages, channel_id, id)?;
            let poll = message.parts.poll.as_mut();
            let poll = poll.ok_or(Refusal::invalid("the message has no poll"))?;
            poll["expiry"] = json!(now);
            poll["results"]["is_finalized"] = json!(true);
            let message = message.clone();
            told.message("MESSAGE_UPDATE", guild, users, &message);
            Ok(())
        })
    }
}
