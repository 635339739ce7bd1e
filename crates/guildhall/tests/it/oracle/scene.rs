//! The guilds of a run, as they are before anybody acts: in each the same people, with roles, gates
//! and categories, one guild for each log.

use guildhall_model::{ChannelId, GuildId, RoleId, UserId};
use serde_json::{Value, json};

use crate::{
    house::Discord,
    oracle::{
        discord_state::{DiscordState, Guild},
        rng::Rng,
    },
};

pub(crate) const VIEW: u64 = 1 << 10;
pub(crate) const CONNECT: u64 = 1 << 20;
pub(crate) const ADMINISTRATOR: u64 = 1 << 3;
/// What the bot's role gives: seeing, commands, rooms, and reading the audit log.
const BOTS: u64 = VIEW | CONNECT | 1 << 4 | 1 << 7 | 1 << 24 | 1 << 28 | 1 << 21;
/// A category of Discord's.
pub(crate) const CATEGORY: u64 = 4;

/// How many people look.
pub(crate) const VIEWERS: usize = 6;
/// How many others there are to come and go.
const OTHERS: usize = 5;
const ROLES: u64 = 4;

/// Whose guilds these are, and who looks at them.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) guilds: Vec<GuildId>,
    pub(crate) viewers: Vec<UserId>,
    pub(crate) others: Vec<UserId>,
    pub(crate) bot: UserId,
}

/// In the shard of this number, of three.
fn guild_id(number: u64) -> GuildId {
    GuildId((300_000_000_000 * 3 + number) << 22)
}

/// The role by which the bot sees and acts in a guild: nothing is done to it.
pub(crate) fn bots_role(guild: GuildId) -> RoleId {
    RoleId(guild.0 + 1)
}

impl Scene {
    /// Three guilds in place of those that stand there.
    pub(crate) async fn build(discord: &Discord, rng: &mut Rng) -> Self {
        let standing = read(discord).await;
        for guild in &standing.guilds {
            discord.remove_guild(&guild.id.to_string()).await;
        }
        let people = standing.users.iter().filter(|user| !user.bot);
        let people = people.filter(|user| user.username != "metronome");
        let people: Vec<UserId> = people.map(|user| user.id).collect();
        let scene = Self {
            guilds: (0..3).map(guild_id).collect(),
            viewers: people[..VIEWERS].to_vec(),
            others: people[VIEWERS..VIEWERS + OTHERS].to_vec(),
            bot: standing.application.id,
        };
        for guild in &scene.guilds {
            scene.build_guild(discord, *guild, rng).await;
        }
        scene
    }

    async fn build_guild(&self, discord: &Discord, id: GuildId, rng: &mut Rng) {
        let people = || self.viewers.iter().chain(&self.others);
        let owner = rng.pick(people());
        let made = json!({"id": id, "name": format!("Guild {}", id.0), "ownerId": owner});
        discord.post("/sim/guilds", &made).await;
        let within = format!("/sim/guilds/{id}");
        let role = |id: u64, permissions: u64| json!({"id": id.to_string(), "name": format!("Role {id}"), "permissions": permissions.to_string()});
        let roles = format!("{within}/roles");
        discord.post(&roles, &role(bots_role(id).0, BOTS)).await;
        let bot = format!("{within}/members/{}", self.bot);
        discord
            .patch(&bot, &json!({"roles": [bots_role(id)]}))
            .await;
        let all: Vec<u64> = (0..ROLES).map(|number| id.0 + 10 + number).collect();
        for role_id in &all {
            let permissions = rng.choose(&[0, 0, VIEW, CONNECT]);
            discord.post(&roles, &role(*role_id, permissions)).await;
        }
        for user_id in people() {
            let has: Vec<RoleId> = all
                .iter()
                .filter(|_| rng.one_in(2))
                .map(|role| RoleId(*role))
                .collect();
            let member = json!({"userId": user_id, "roles": has});
            if Some(user_id) == owner {
                let path = format!("{within}/members/{user_id}");
                discord.patch(&path, &json!({"roles": has})).await;
            } else {
                discord.post(&format!("{within}/members"), &member).await;
            }
        }
        for number in 0..8 {
            let channel = ChannelId(id.0 + 100 + number);
            let made = Self::channel(id, channel, &all, number, rng);
            discord.post(&format!("{within}/channels"), &made).await;
        }
    }

    /// Two categories, then rooms.
    fn channel(guild: GuildId, id: ChannelId, roles: &[u64], number: u64, rng: &mut Rng) -> Value {
        let is_category = number < 2;
        let parent = rng
            .pick([None, Some(guild.0 + 100), Some(guild.0 + 101)])
            .flatten();
        json!({
            "id": id,
            "name": format!("Channel {number}"),
            "type": if is_category { CATEGORY } else { rng.choose(&[2, 2, 2, 13]) },
            "parentId": parent.filter(|_| !is_category).map(|id| id.to_string()),
            "permissionOverwrites": gate(guild, roles, rng),
        })
    }
}

/// Open to all, or closed to `@everyone` and open to some role; the bot sees it.
pub(crate) fn gate(guild: GuildId, roles: &[u64], rng: &mut Rng) -> Value {
    let one = |id: u64, allow: u64, deny: u64| json!({"id": id.to_string(), "type": 0, "allow": allow.to_string(), "deny": deny.to_string()});
    let mut overwrites = vec![one(bots_role(guild).0, BOTS, 0)];
    if rng.one_in(2) {
        overwrites.push(one(guild.0, 0, VIEW));
        overwrites.extend(rng.pick(roles).map(|role| one(*role, VIEW | CONNECT, 0)));
    }
    if rng.one_in(4) {
        overwrites.extend(rng.pick(roles).map(|role| one(*role, 0, VIEW)));
    }
    let mut seen = std::collections::BTreeSet::new();
    overwrites.retain(|one| seen.insert(one["id"].to_string()));
    json!(overwrites)
}

/// The simulator's state.
pub(crate) async fn read(discord: &Discord) -> DiscordState {
    serde_json::from_value(discord.state().await).expect("the state has its shape")
}

/// The roles of a guild that something may be done to.
pub(crate) fn free_roles(guild: &Guild) -> impl Iterator<Item = RoleId> + Clone {
    let ids = guild.roles.iter().map(|role| role.id);
    ids.filter(|id| *id != bots_role(guild.id) && *id != guild.id.everyone())
}
