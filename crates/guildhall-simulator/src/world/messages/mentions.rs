//! Who is pinged: whoever the text names or answers, as far as its author allowed.

use crate::{
    snowflake::Snowflake,
    world::{Guild, Message, Permissions},
};

impl Message {
    /// Members named in the text, and the answered author if the reply pings.
    pub(super) fn mentioned(&self, guild: &Guild) -> Vec<Snowflake> {
        let mut all = ids(&self.content, "<@");
        all.extend(ids(&self.content, "<@!"));
        all.retain(|id| self.allowed.users.holds(*id));
        let answered = self
            .reply_to
            .filter(|_| self.allowed.replied_user)
            .and_then(|id| guild.messages.get(self.channel_id, id));
        all.extend(answered.map(|message| message.author_id));
        all.sort_unstable();
        all.dedup();
        all.retain(|id| guild.members.contains(*id));
        all
    }

    /// Roles named in the text.
    pub(super) fn mentioned_roles(&self, guild: &Guild) -> Vec<Snowflake> {
        let mut all = ids(&self.content, "<@&");
        all.sort_unstable();
        all.dedup();
        all.retain(|id| guild.roles.contains(*id) && self.allowed.roles.holds(*id));
        all
    }

    /// Whether @everyone or @here is named by somebody who may.
    pub(super) fn mentions_everyone(&self, guild: &Guild) -> bool {
        let said = self.content.contains("@everyone") || self.content.contains("@here");
        let may = || {
            guild
                .channel_or_thread(self.channel_id)
                .is_some_and(|channel| {
                    guild
                        .permissions_in(self.author_id, channel)
                        .has(Permissions::MENTION_EVERYONE)
                })
        };
        said && self.allowed.everyone && may()
    }
}

/// The ids of every `{open}{id}>` in a text.
fn ids(content: &str, open: &str) -> Vec<Snowflake> {
    content
        .split(open)
        .skip(1)
        .filter_map(|rest| rest.split_once('>')?.0.parse().ok())
        .collect()
}
