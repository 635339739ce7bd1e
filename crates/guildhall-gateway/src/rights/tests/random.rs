use proptest::prelude::*;

use super::*;

/// What is under way, as the outside sees it.
#[derive(Default)]
struct UnderWay {
    alone: BTreeSet<MemberKey>,
    calls: BTreeMap<Nonce, (Instant, GuildId, BTreeSet<UserId>)>,
    open: BTreeMap<WatchId, Instant>,
}

impl UnderWay {
    /// Nothing is asked twice at one time, and nobody is answered twice or late.
    fn follow(&mut self, outputs: Vec<Output>, now: Instant) -> Result<(), TestCaseError> {
        let limits = Limits::default();
        self.calls
            .retain(|_, (since, ..)| *since + limits.member_answer > now);
        for output in outputs {
            match output {
                Output::LookUpByRest(key) => {
                    prop_assert!(!self.is_asked(key), "asked twice: {key:?}");
                    self.alone.insert(key);
                }
                Output::LookUpByOp8(MembersRequest {
                    guild_id,
                    user_ids,
                    nonce,
                }) => {
                    prop_assert!((1..=100).contains(&user_ids.len()));
                    for user_id in &user_ids {
                        let key = (guild_id, *user_id);
                        prop_assert!(!self.is_asked(key), "asked twice: {key:?}");
                    }
                    let users: BTreeSet<UserId> = user_ids.iter().copied().collect();
                    prop_assert_eq!(users.len(), user_ids.len());
                    let before = self.calls.insert(nonce, (now, guild_id, users));
                    prop_assert!(before.is_none(), "one name for two calls");
                }
                Output::Answered { watch, .. } => {
                    let begun = self.open.remove(&watch);
                    prop_assert!(begun.is_some_and(|at| now <= at + limits.watch_answer));
                }
                Output::Changed { .. } | Output::Refused { .. } => {}
            }
        }
        prop_assert!(self.alone.len() <= REST_AT_ONCE);
        let late = |at: &&Instant| **at + limits.watch_answer <= now;
        prop_assert_eq!(self.open.values().find(late), None);
        Ok(())
    }

    fn is_asked(&self, key: MemberKey) -> bool {
        let called = |(_, guild_id, users): &(_, GuildId, BTreeSet<UserId>)| {
            *guild_id == key.0 && users.contains(&key.1)
        };
        self.alone.contains(&key) || self.calls.values().any(called)
    }
}

/// Time passes, and nobody comes later than asked.
fn wait(harness: &mut Harness, seen: &mut UnderWay, time: Duration) -> Result<(), TestCaseError> {
    let end = harness.now + time;
    for _ in 0..100_000 {
        let next = harness.rights.deadline().map_or(end, |at| at.min(end));
        let step = next.saturating_duration_since(harness.now);
        let outputs = harness.wait(step);
        seen.follow(outputs, harness.now)?;
        if harness.now >= end {
            return Ok(());
        }
    }
    Err(TestCaseError::fail("it comes back without an end"))
}

proptest! {
    #[test]
    fn every_watch_is_answered_exactly_once_in_time_and_nobody_is_asked_for_twice(
        steps in proptest::collection::vec((0..12_u8, 0..40_u64, 1..4_u64, 0..400_u64), 1..150)
    ) {
        let mut harness = Harness::new(&[GUILD]);
        let mut seen = UnderWay::default();
        let mut watches = 0;
        for (step, user, guild, number) in steps {
            let key = (GuildId(guild), UserId(user));
            let outputs = match step {
                // A login, and a crowd of them.
                0 | 1 => {
                    for user in user..user + [1, 30][usize::from(step)] {
                        watches += 1;
                        seen.open.insert(WatchId(watches), harness.now);
                        let outputs = harness.watch_as(watches, UserId(user), &[key.0, OTHER]);
                        seen.follow(outputs, harness.now)?;
                    }
                    Vec::new()
                }
                2 => harness.told(key, MembershipUpdate::Is(member(number))),
                3 => harness.told(key, MembershipUpdate::Invalidated),
                4 | 5 => match seen.alone.pop_first() {
                    Some(key) => harness.looked_up(key, (step == 4).then(|| member(number))),
                    None => Vec::new(),
                },
                // A chunk of an answer, the last or not; everybody in it or only some.
                6 | 7 => {
                    let mut answer = Vec::new();
                    if let Some(mut call) = seen.calls.first_entry() {
                        let (id, (_, guild_id, users)) = (*call.key(), call.get_mut());
                        let kept = users.split_off(&UserId(user));
                        let members = users.iter().map(|user| (*user, member(number)));
                        let chunk = Op8Chunk {
                            nonce: id,
                            guild_id: *guild_id,
                            members: members.collect(),
                            not_found: kept.iter().filter(|_| step == 7).copied().collect(),
                            last: number % 2 == 0,
                        };
                        *users = if step == 7 { BTreeSet::new() } else { kept };
                        if chunk.last || users.is_empty() {
                            call.remove();
                        }
                        answer = harness.act(|rights, context| rights.op8_chunk_received(chunk, context));
                    }
                    answer
                }
                8 => match seen.calls.pop_first() {
                    Some((call, _)) => harness.act(|rights, context| {
                        rights.op8_rate_limited(call, Duration::from_millis(number), context);
                    }),
                    None => Vec::new(),
                },
                9 => {
                    let live = !harness.live;
                    seen.calls.clear();
                    harness.live(live)
                }
                10 => {
                    if number % 3 == 0 {
                        harness.world.guilds.remove(&key.0);
                    } else {
                        harness.arrive(key.0);
                    }
                    harness.complete = number % 2 == 0;
                    harness.guild_changed(key.0)
                }
                _ => {
                    wait(&mut harness, &mut seen, Duration::from_millis(number * number))?;
                    Vec::new()
                }
            };
            seen.follow(outputs, harness.now)?;
        }
        wait(&mut harness, &mut seen, Limits::default().watch_answer)?;
        prop_assert!(seen.open.is_empty(), "{:?}", seen.open);
    }
}
