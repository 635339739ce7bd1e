use guildhall_model::{
    Change, Event, Guild, Permissions,
    guild::{GuildInfo, Room},
};

use super::*;

pub(super) struct Harness {
    pub rights: Rights,
    pub world: World,
    /// Whether Discord has said which guilds there are: these, and those that are there.
    pub complete: bool,
    pub awaited: BTreeSet<GuildId>,
    pub live: bool,
    pub now: Instant,
}

impl Harness {
    pub(super) fn new(guilds: &[GuildId]) -> Self {
        Self::with(Limits::default(), guilds)
    }

    pub(super) fn with(limits: Limits, guilds: &[GuildId]) -> Self {
        let mut harness = Self {
            rights: Rights::new(limits, Nonce(1)),
            world: World::default(),
            complete: true,
            awaited: BTreeSet::new(),
            live: true,
            now: Instant::now(),
        };
        for guild in guilds {
            harness.arrive(*guild);
        }
        harness
    }

    /// With the user watched and known.
    pub(super) fn known() -> Self {
        let mut harness = Self::new(&[GUILD]);
        harness.watch(1, &[GUILD]);
        harness.looked_up(KEY, Some(member(5)));
        harness
    }

    pub(super) fn arrive(&mut self, guild: GuildId) {
        self.world.guilds.entry(guild).or_insert_with(|| Guild {
            info: GuildInfo {
                name: String::new(),
                icon: None,
            },
            available: true,
            owner_id: UserId(1),
            roles: BTreeMap::from([(guild.everyone(), Permissions::NONE)]),
            categories: BTreeMap::new(),
            rooms: BTreeMap::<_, Room>::new(),
            voice: BTreeMap::new(),
            pending_voice: BTreeMap::new(),
            memberships: BTreeMap::new(),
        });
    }

    pub(super) fn watch(&mut self, id: u64, guilds: &[GuildId]) -> Vec<Output> {
        self.watch_as(id, USER, guilds)
    }

    pub(super) fn watch_as(&mut self, id: u64, user: UserId, guilds: &[GuildId]) -> Vec<Output> {
        let guilds = guilds.iter().copied();
        self.act(|rights, context| rights.watch(WatchId(id), user, guilds, Vec::new(), context))
    }

    pub(super) fn told(&mut self, key: MemberKey, update: MembershipUpdate) -> Vec<Output> {
        self.act(|rights, context| rights.member_updated(key, update, context))
    }

    pub(super) fn looked_up(
        &mut self,
        key: MemberKey,
        membership: Option<Membership>,
    ) -> Vec<Output> {
        self.act(|rights, context| rights.rest_answered(key, membership, context))
    }

    pub(super) fn guild_changed(&mut self, guild_id: GuildId) -> Vec<Output> {
        self.act(|rights, context| rights.guild_changed(guild_id, context))
    }

    pub(super) fn guilds_changed(&mut self) -> Vec<Output> {
        self.act(Rights::guilds_changed)
    }

    /// A guild whose changes may have been missed is there again.
    pub(super) fn came_again(&mut self, guild_id: GuildId) -> Vec<Output> {
        let guild = self.world.guilds.get_mut(&guild_id).expect("it is known");
        guild.available = true;
        guild.memberships.clear();
        let mut outputs = self.act(|rights, context| rights.invalidate_guild(guild_id, context));
        outputs.extend(self.guild_changed(guild_id));
        outputs
    }

    /// The connection breaks off, or is there again.
    pub(super) fn live(&mut self, live: bool) -> Vec<Output> {
        self.live = live;
        self.act(|rights, context| {
            if live {
                rights.time_passed(context);
            } else {
                rights.connection_lost(context);
            }
        })
    }

    pub(super) fn wait(&mut self, time: Duration) -> Vec<Output> {
        self.now += time;
        self.act(Rights::time_passed)
    }

    /// Does it, and has the world follow.
    pub(super) fn act(&mut self, act: impl FnOnce(&mut Rights, RightsContext<'_>)) -> Vec<Output> {
        let context = RightsContext {
            world: &self.world,
            expected: if self.complete {
                ExpectedGuilds::These(&self.awaited)
            } else {
                ExpectedGuilds::Any
            },
            live: self.live,
            now: self.now,
        };
        act(&mut self.rights, context);
        let outputs = self.rights.take_outputs();
        for output in &outputs {
            if let Output::Changed {
                key: (guild_id, user_id),
                membership,
            } = output
            {
                let (user_id, membership) = (*user_id, membership.clone());
                let change = Change::Rights {
                    user_id,
                    membership,
                };
                self.world.apply(&Event {
                    guild_id: *guild_id,
                    ts: 1,
                    synthetic: false,
                    change,
                });
            }
        }
        outputs
    }

    pub(super) fn membership(&self) -> Option<Membership> {
        self.world
            .guilds
            .get(&GUILD)?
            .memberships
            .get(&USER)
            .cloned()
    }
}
