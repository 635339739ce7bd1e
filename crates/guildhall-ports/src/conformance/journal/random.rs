use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use guildhall_model::{Event, Guild, GuildId, LogId, Position, arbitrary};
use proptest::{
    collection::{btree_set, vec},
    option,
    prelude::{Just, any, prop_oneof},
    sample::Index,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use super::{base, following, start, state};
use crate::{
    journal::{Beginning, Commit, Journal, JournalError, JournalState, Saved},
    memory::MemoryJournal,
};

const LIVES: usize = 48;

/// What happens to a journal.
#[derive(Clone, Debug)]
enum Step {
    Begin {
        log: u16,
        guilds: Vec<(GuildId, Guild)>,
        state: JournalState,
        awaited: bool,
    },
    Commit {
        events: Vec<Event>,
        state: JournalState,
        bases: Vec<Based>,
        awaited: bool,
    },
    /// A commit with a hole before it.
    NotAtHead(Event),
    Load,
    Reopen,
}

/// A base, its floor somewhere between the last one and the head.
#[derive(Clone, Debug)]
struct Based {
    guild_id: GuildId,
    floor: Index,
    guild: Option<Guild>,
}

/// What a journal was told.
#[derive(Clone)]
enum Told {
    Begin(Box<Beginning>),
    Commit(Commit),
}

/// Random sequences of steps end equal to the reference. What was called and not awaited is there
/// whole or not at all, and nothing that was called after it without it.
pub(super) async fn any_life_ends_as_the_references_does<Place>(fresh: impl Fn() -> Place)
where
    Place: AsyncFn() -> Arc<dyn Journal>,
{
    holds(&vec(step(), 1..24), async |steps: Vec<Step>| {
        live(fresh(), steps).await
    })
    .await;
}

/// `proptest!` for what has to be awaited: the smallest failing value is the one that is shown.
async fn holds<S>(strategy: &S, property: impl AsyncFn(S::Value) -> Result<(), String>)
where
    S: Strategy,
    S::Value: Debug,
{
    let mut runner = TestRunner::default();
    for _ in 0..LIVES {
        let mut tree = strategy.new_tree(&mut runner).expect("rejects nothing");
        let Err(mut why) = property(tree.current()).await else {
            continue;
        };
        let mut smallest = tree.current();
        let mut smaller = tree.simplify();
        while smaller {
            match property(tree.current()).await {
                Err(again) => {
                    (smallest, why) = (tree.current(), again);
                    smaller = tree.simplify();
                }
                Ok(()) => smaller = tree.complicate(),
            }
        }
        panic!("{why}\n{smallest:#?}");
    }
}

fn step() -> impl Strategy<Value = Step> {
    let guild_id = || (1..=3_u64).prop_map(GuildId);
    let awaited = || proptest::bool::weighted(0.7);
    let known = vec((guild_id(), arbitrary::guild()), 0..3);
    let begin =
        (0..2_u16, known, any_state(), awaited()).prop_map(|(log, guilds, state, awaited)| {
            Step::Begin {
                log,
                guilds,
                state,
                awaited,
            }
        });
    let raised = (guild_id(), any::<Index>(), option::of(arbitrary::guild())).prop_map(
        |(guild_id, floor, guild)| Based {
            guild_id,
            floor,
            guild,
        },
    );
    let bases = prop_oneof![2 => Just(Vec::new()), 1 => vec(raised, 1..4)];
    let commit = (vec(arbitrary::event(), 0..6), any_state(), bases, awaited()).prop_map(
        |(events, state, bases, awaited)| Step::Commit {
            events,
            state,
            bases,
            awaited,
        },
    );
    prop_oneof![
        1 => begin,
        12 => commit,
        1 => arbitrary::event().prop_map(Step::NotAtHead),
        1 => Just(Step::Load),
        2 => Just(Step::Reopen),
    ]
}

fn any_state() -> impl Strategy<Value = JournalState> {
    let guilds = || btree_set((1..=3_u64).prop_map(GuildId), 0..3);
    let sets = (guilds(), guilds(), guilds());
    (any::<u64>(), any::<bool>(), sets).prop_map(|(number, known, (awaited, outages, stale))| {
        let full = state(number);
        JournalState {
            bot: full.bot.filter(|_| known),
            resume: full.resume.filter(|_| number % 2 == 0),
            heard_at: full.heard_at.filter(|_| known),
            awaited,
            outages,
            stale,
            renewed_at: full.renewed_at.filter(|_| known),
            forget_at: full.forget_at.filter(|_| known),
        }
    })
}

async fn live(place: impl AsyncFn() -> Arc<dyn Journal>, steps: Vec<Step>) -> Result<(), String> {
    let mut life = Life {
        journal: place().await,
        told: Vec::new(),
        certain: 0,
    };
    for step in steps {
        let (told, awaited) = match step {
            Step::Load => {
                life.compare().await?;
                continue;
            }
            Step::Reopen => {
                life.journal = Arc::new(MemoryJournal::default());
                life.journal = place().await;
                life.compare().await?;
                continue;
            }
            Step::NotAtHead(event) => {
                life.tell_not_at_head(event).await?;
                continue;
            }
            Step::Begin {
                log,
                guilds,
                state,
                awaited,
            } => {
                let epoch = life
                    .expected()
                    .await
                    .map_or(1, |saved| saved.head.epoch + 1);
                let beginning = Beginning {
                    start: Position::start(LogId(log), epoch),
                    guilds,
                    state,
                };
                (Told::Begin(Box::new(beginning)), awaited)
            }
            Step::Commit {
                events,
                state,
                bases,
                awaited,
            } => (life.commit(events, state, bases).await, awaited),
        };
        life.tell(told, awaited).await?;
    }
    life.compare().await
}

struct Life {
    journal: Arc<dyn Journal>,
    /// Everything it was told and did not refuse.
    told: Vec<Told>,
    /// So much of it was answered.
    certain: usize,
}

impl Life {
    async fn tell(&mut self, told: Told, awaited: bool) -> Result<(), String> {
        let begun = self.told.iter().any(|told| matches!(told, Told::Begin(_)));
        let may_fail = matches!(told, Told::Commit(_)) && !begun;
        let answer = match told.clone() {
            Told::Begin(beginning) => self.journal.begin(*beginning),
            Told::Commit(commit) => self.journal.commit(commit),
        };
        if !awaited {
            drop(answer);
            if !may_fail {
                self.told.push(told);
            }
            return Ok(());
        }
        match (answer.await, may_fail) {
            (Ok(()), false) => {
                // In order: what was called before and not awaited is there too.
                self.told.push(told);
                self.certain = self.told.len();
                Ok(())
            }
            (Err(JournalError::Failed(_)), true) => Ok(()),
            (answer, _) => Err(format!("was told {} things: {answer:?}", self.told.len())),
        }
    }

    async fn tell_not_at_head(&mut self, event: Event) -> Result<(), String> {
        let head = self.expected().await.map_or(start(), |saved| saved.head);
        let commit = Commit {
            events: following(head.at(head.seq + 1), [event]),
            state: Arc::new(state(66)),
            bases: Vec::new(),
        };
        match self.journal.commit(commit).await {
            Err(JournalError::Failed(_)) => Ok(()),
            answer => Err(format!("a hole in the log was answered {answer:?}")),
        }
    }

    async fn commit(&self, events: Vec<Event>, state: JournalState, bases: Vec<Based>) -> Told {
        let expected = self.expected().await;
        let head = expected.as_ref().map_or(start(), |saved| saved.head);
        let known = expected.map_or(Vec::new(), |saved| saved.bases);
        let known = known.iter().map(|base| (base.guild_id, base.floor));
        let mut floors: BTreeMap<GuildId, u64> = known.collect();
        let mut place = |based: Based| {
            let least = floors.entry(based.guild_id).or_default();
            let room = usize::try_from(head.seq - *least).expect("few events");
            *least += u64::try_from(based.floor.index(room + 1)).expect("few events");
            base(based.guild_id, *least, based.guild)
        };
        Told::Commit(Commit {
            bases: bases.into_iter().map(&mut place).collect(),
            events: following(head, events),
            state: Arc::new(state),
        })
    }

    /// What it holds if everything that it was told is there.
    async fn expected(&self) -> Option<Saved> {
        replay(&self.told).await
    }

    async fn compare(&mut self) -> Result<(), String> {
        let loaded = self.journal.load().await;
        let loaded = loaded.map_err(|error| format!("cannot be read: {error}"))?;
        for there in (self.certain..=self.told.len()).rev() {
            if replay(&self.told[..there]).await == loaded {
                self.told.truncate(there);
                self.certain = there;
                return Ok(());
            }
        }
        let expected = self.expected().await;
        Err(format!("holds {loaded:#?}\nand should hold {expected:#?}"))
    }
}

async fn replay(told: &[Told]) -> Option<Saved> {
    let reference = MemoryJournal::default();
    for told in told.iter().cloned() {
        let answer = match told {
            Told::Begin(beginning) => reference.begin(*beginning).await,
            Told::Commit(commit) => reference.commit(commit).await,
        };
        answer.expect("was not refused the first time");
    }
    reference.load().await.expect("memory can be read")
}
