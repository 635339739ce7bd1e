use super::*;

const CROWD: u64 = 200;
/// What a call waits for others at most, after few calls.
const MOMENT: Duration = Duration::from_millis(150);

/// A crowd that came at one moment: the first go alone, then a full call, and others wait.
fn crowd() -> (Harness, Vec<Output>) {
    let mut harness = Harness::new(&[GUILD]);
    let mut outputs = Vec::new();
    for user in 1..=CROWD {
        outputs.extend(harness.watch_as(user, UserId(user), &[GUILD]));
    }
    (harness, outputs)
}

/// Those of another guild for whom places are left.
fn others_alone(harness: &mut Harness) {
    for user in 501..=502 {
        let outputs = harness.watch_as(user, UserId(user), &[OTHER]);
        assert_eq!(look_ups(&outputs).len(), 1);
    }
}

fn call(outputs: &[Output]) -> (Nonce, Vec<UserId>) {
    let mut calls = calls(outputs);
    assert_eq!(calls.len(), 1, "{outputs:?}");
    calls.remove(0)
}

fn calls(outputs: &[Output]) -> Vec<(Nonce, Vec<UserId>)> {
    let call = |output: &Output| match output {
        Output::LookUpByOp8(MembersRequest {
            nonce, user_ids, ..
        }) => Some((*nonce, user_ids.clone())),
        _ => None,
    };
    outputs.iter().filter_map(call).collect()
}

fn users(range: std::ops::RangeInclusive<u64>) -> Vec<UserId> {
    range.map(UserId).collect()
}

fn chunk(nonce: Nonce, members: &[UserId], last: bool) -> Op8Chunk {
    Op8Chunk {
        nonce,
        guild_id: GUILD,
        members: members.iter().map(|user| (*user, member(5))).collect(),
        not_found: Vec::new(),
        last,
    }
}

fn came(harness: &mut Harness, chunk: Op8Chunk) -> Vec<Output> {
    harness.act(|rights, context| rights.op8_chunk_received(chunk, context))
}

fn answers(outputs: &[Output]) -> Vec<u64> {
    let answer = |output: &Output| match output {
        Output::Answered { watch, failed } if failed.is_empty() => Some(watch.0),
        _ => None,
    };
    outputs.iter().filter_map(answer).collect()
}

#[test]
fn who_finds_no_place_goes_with_others_in_order_of_arrival() {
    let (mut harness, outputs) = crowd();
    let alone: Vec<UserId> = look_ups(&outputs)
        .into_iter()
        .map(|(_, user)| user)
        .collect();
    assert_eq!(alone, users(1..=8));
    let (call, together) = call(&outputs);
    assert_eq!(together, users(9..=108));
    let outputs = came(&mut harness, chunk(call, &together, true));
    assert_eq!(answers(&outputs), (9..=108).collect::<Vec<_>>());
}

#[test]
fn a_call_with_room_left_waits_a_moment_for_more_to_join_it() {
    let (mut harness, _) = crowd();
    let due = harness.rights.deadline().expect("more will go");
    let wait = due - harness.now;
    assert!(wait <= MOMENT, "{wait:?}");
    assert_eq!(calls(&harness.wait(wait / 2)), []);
    for user in CROWD + 1..=CROWD + 3 {
        assert_eq!(harness.watch_as(user, UserId(user), &[GUILD]), []);
    }
    let (_, joined) = call(&harness.wait(wait / 2));
    assert_eq!(joined, users(109..=CROWD + 3));
}

#[test]
fn the_head_of_the_line_decides_the_guild_and_a_full_call_of_another_does_not_wait_for_it() {
    let mut harness = Harness::new(&[GUILD, OTHER]);
    let mut outputs = Vec::new();
    for user in 1..=8 {
        outputs.extend(harness.watch_as(user, UserId(user), &[GUILD]));
    }
    others_alone(&mut harness);
    assert_eq!(harness.watch_as(9, UserId(9), &[OTHER]), []);
    for user in 10..=108 {
        assert_eq!(harness.watch_as(user, UserId(user), &[GUILD]), []);
    }
    let full = harness.watch_as(109, UserId(109), &[GUILD]);
    assert_eq!(call(&full).1, users(10..=109));
    for user in 110..=112 {
        let guilds = [OTHER, GUILD];
        let guild = guilds[usize::from(user == 111)];
        assert_eq!(harness.watch_as(user, UserId(user), &[guild]), []);
    }
    let first = &harness.wait(MOMENT)[0];
    let Output::LookUpByOp8(MembersRequest {
        guild_id, user_ids, ..
    }) = first
    else {
        panic!("a call")
    };
    assert_eq!(*guild_id, OTHER);
    assert_eq!(user_ids, &[UserId(9), UserId(110), UserId(112)]);
}

#[test]
fn the_last_call_is_left_to_the_head_of_the_line() {
    let limits = Limits {
        member_calls: 1,
        ..Limits::default()
    };
    let mut harness = Harness::with(limits, &[GUILD, OTHER]);
    for user in 1..=8 {
        harness.watch_as(user, UserId(user), &[GUILD]);
    }
    others_alone(&mut harness);
    harness.watch_as(9, UserId(9), &[OTHER]);
    for user in 10..=120 {
        assert_eq!(harness.watch_as(user, UserId(user), &[GUILD]), []);
    }
    assert_eq!(call(&harness.wait(MOMENT)).1, users(9..=9));
}

#[test]
fn who_is_not_found_is_a_stranger_and_who_is_in_no_part_is_looked_up_alone() {
    let (mut harness, outputs) = crowd();
    let (call, together) = call(&outputs);
    let outputs = came(&mut harness, chunk(call, &together[..10], false));
    assert_eq!(answers(&outputs), (9..=18).collect::<Vec<_>>());
    let strangers = Op8Chunk {
        not_found: together[10..50].to_vec(),
        ..chunk(call, &[], true)
    };
    let outputs = came(&mut harness, strangers);
    assert_eq!(answers(&outputs), (19..=58).collect::<Vec<_>>());
    let stranger = &harness.world.guilds[&GUILD].memberships[&UserId(19)];
    assert_eq!(stranger, &Membership::Stranger);
    // A place is free: the first of those left takes it, whoever came meanwhile.
    let outputs = harness.looked_up((GUILD, UserId(1)), Some(member(5)));
    assert_eq!(look_ups(&outputs), [(GUILD, UserId(59))]);
}

#[test]
fn an_answer_to_another_question_is_none() {
    let (mut harness, outputs) = crowd();
    let (call, together) = call(&outputs);
    let unknown = chunk(Nonce(call.0 + 1), &together, true);
    assert_eq!(came(&mut harness, unknown), []);
    let elsewhere = Op8Chunk {
        guild_id: OTHER,
        ..chunk(call, &together, true)
    };
    assert_eq!(came(&mut harness, elsewhere), []);
    let others = chunk(call, &users(1..=8), false);
    assert_eq!(
        came(&mut harness, others),
        [],
        "they were not asked for by this"
    );
    assert_eq!(
        answers(&came(&mut harness, chunk(call, &together, true))).len(),
        100
    );
    assert_eq!(
        came(&mut harness, chunk(call, &together, true)),
        [],
        "again"
    );
}

#[test]
fn a_dispatch_overtakes_the_answer_of_a_call_too() {
    let (mut harness, outputs) = crowd();
    let (call, together) = call(&outputs);
    let (told, hinted) = ((GUILD, UserId(9)), (GUILD, UserId(10)));
    assert_eq!(
        answers(&harness.told(told, MembershipUpdate::Is(member(6)))),
        [9]
    );
    assert_eq!(harness.told(hinted, MembershipUpdate::Invalidated), []);
    let outputs = came(&mut harness, chunk(call, &together, true));
    assert_eq!(answers(&outputs), (11..=108).collect::<Vec<_>>());
    let known = &harness.world.guilds[&GUILD].memberships;
    assert_eq!(known[&UserId(9)], member(6));
    assert!(!known.contains_key(&UserId(10)));
    harness.wait(MOMENT / 2);
    let (_, again) = op8::call(&harness.wait(MOMENT / 2));
    assert_eq!(again.last(), Some(&UserId(10)));
}

#[test]
fn a_call_that_a_lost_connection_took_with_it_is_asked_again_where_it_stood() {
    let (mut harness, outputs) = crowd();
    let (lost, together) = call(&outputs);
    assert_eq!(harness.live(false), []);
    let outputs = harness.looked_up((GUILD, UserId(1)), Some(member(5)));
    assert_eq!(look_ups(&outputs), [(GUILD, UserId(9))], "alone meanwhile");
    harness.wait(Duration::from_secs(1));
    let calls = calls(&harness.live(true));
    let (again, head) = &calls[0];
    assert_eq!(head, &users(10..=109));
    assert_eq!(calls[1].1, users(110..=CROWD));
    assert_eq!(
        came(&mut harness, chunk(lost, &together, true)),
        [],
        "replayed"
    );
    let outputs = came(&mut harness, chunk(*again, head, true));
    assert_eq!(answers(&outputs), (10..=109).collect::<Vec<_>>());
}

#[test]
fn of_a_lost_call_who_was_told_meanwhile_is_not_asked_again_and_who_is_wanted_goes_first() {
    let mut harness = Harness::new(&[GUILD]);
    for user in 1..=30 {
        harness.watch_as(user, UserId(user), &[GUILD]);
        harness.looked_up((GUILD, UserId(user)), Some(member(5)));
    }
    assert_eq!(call(&harness.wait(MINUTE)).1, users(1..=30), "refreshed");
    harness.told((GUILD, UserId(1)), MembershipUpdate::Is(member(6)));
    harness.told((GUILD, UserId(5)), MembershipUpdate::Invalidated);
    let guild = harness.world.guilds.get_mut(&GUILD).expect("it is there");
    guild.memberships.remove(&UserId(7));
    assert_eq!(harness.watch_as(31, UserId(7), &[GUILD]), []);
    let mut asked = look_ups(&harness.live(false));
    while let Some(key) = asked.get(asked.len() - REST_OF_ONE.min(asked.len())) {
        let outputs = harness.looked_up(*key, Some(member(5)));
        let next = look_ups(&outputs);
        if next.is_empty() {
            break;
        }
        asked.extend(next);
    }
    let asked: Vec<u64> = asked.into_iter().map(|(_, user)| user.0).collect();
    assert_eq!(asked[..4], [5, 7, 2, 3]);
    assert!(!asked.contains(&1));
}

#[test]
fn a_call_without_an_answer_is_given_up_and_its_users_are_looked_up_alone() {
    let (mut harness, outputs) = crowd();
    let (silent, together) = call(&outputs);
    for place in 1..=8 {
        harness.looked_up((GUILD, UserId(place)), Some(member(5)));
    }
    let limit = Limits::default().member_answer;
    let by = harness.now + limit;
    while let Some(next) = harness.rights.deadline().filter(|at| *at < by) {
        harness.wait(next - harness.now);
    }
    assert!(harness.rights.deadline() == Some(by));
    let outputs = harness.wait(by - harness.now);
    assert_eq!(calls(&outputs), [], "not that way again");
    for (user, next) in [(109, 9), (110, 10)] {
        let outputs = harness.looked_up((GUILD, UserId(user)), Some(member(5)));
        assert_eq!(look_ups(&outputs), [(GUILD, UserId(next))]);
    }
    assert_eq!(came(&mut harness, chunk(silent, &together, true)), []);
    let late = harness.wait(Limits::default().watch_answer.saturating_sub(limit));
    let failed =
        |output: &Output| matches!(output, Output::Answered { failed, .. } if failed == &[GUILD]);
    assert!(late.iter().any(failed));
}

#[test]
fn a_refused_call_goes_alone_and_no_further_one_before_discord_allows_it() {
    let (mut harness, outputs) = crowd();
    let (refused, _) = call(&outputs);
    let wait = Duration::from_secs(3);
    harness.act(|rights, context| rights.op8_rate_limited(refused, wait, context));
    assert_eq!(calls(&harness.wait(wait.saturating_sub(MOMENT))), []);
    assert_eq!(call(&harness.wait(MOMENT)).1, users(109..=CROWD));
}

#[test]
fn without_a_live_connection_and_in_an_outage_everybody_goes_alone() {
    let mut harness = Harness::new(&[GUILD]);
    harness.live(false);
    let mut outputs = Vec::new();
    for user in 1..=CROWD {
        outputs.extend(harness.watch_as(user, UserId(user), &[GUILD]));
    }
    outputs.extend(harness.wait(Duration::from_secs(1)));
    assert_eq!((look_ups(&outputs).len(), outputs.len()), (8, 8));

    let mut harness = Harness::new(&[GUILD]);
    let guild = harness.world.guilds.get_mut(&GUILD).expect("it is there");
    guild.available = false;
    let mut outputs = Vec::new();
    for user in 1..=CROWD {
        outputs.extend(harness.watch_as(user, UserId(user), &[GUILD]));
    }
    outputs.extend(harness.wait(Duration::from_secs(1)));
    assert_eq!((look_ups(&outputs).len(), outputs.len()), (8, 8));
}

#[test]
fn refreshes_of_one_guild_go_together_and_take_along_who_is_due_soon() {
    let mut harness = Harness::new(&[GUILD]);
    for user in 1..=30 {
        harness.watch_as(user, UserId(user), &[GUILD]);
        harness.looked_up((GUILD, UserId(user)), Some(member(5)));
        harness.wait(Duration::from_millis(500));
    }
    let outputs = harness.wait(Duration::from_secs(43));
    assert_eq!(look_ups(&outputs), []);
    assert_eq!(call(&outputs).1, users(1..=30));
}

#[test]
fn who_waits_goes_alone_once_calls_are_not_answered() {
    let mut harness = Harness::new(&[GUILD]);
    let users = 1..=3_000;
    let outputs: Vec<Output> = users
        .flat_map(|user| harness.watch_as(user, UserId(user), &[GUILD]))
        .collect();
    let alone = look_ups(&outputs);
    assert_eq!(alone.len(), REST_OF_ONE);
    let calls = |output: &&Output| matches!(output, Output::LookUpByOp8(_));
    assert_eq!(outputs.iter().filter(calls).count(), 16);
    for key in alone {
        let outputs = harness.looked_up(key, Some(member(5)));
        assert_eq!(look_ups(&outputs), [], "a call would take them all");
    }
    assert_eq!(look_ups(&harness.wait(Duration::from_millis(450))), []);
    let outputs = harness.wait(Duration::from_millis(100));
    assert_eq!(look_ups(&outputs).len(), REST_OF_ONE);
}

#[test]
fn rights_of_an_earlier_process_are_looked_up_when_their_user_comes_and_forgotten_else() {
    let mut harness = Harness::new(&[GUILD]);
    let guild = harness.world.guilds.get_mut(&GUILD).expect("it is there");
    guild.memberships.insert(USER, member(5));
    guild.memberships.insert(UserId(8), member(5));
    let left = Duration::from_hours(2);
    harness.act(|rights, context| assert!(rights.restore(left, None, context)));
    assert_eq!(harness.rights.count_watched(harness.now), 0);
    assert_eq!(harness.rights.oldest(harness.now), Duration::ZERO);
    assert_eq!(harness.wait(MINUTE), [], "nobody is here");
    assert_eq!(harness.watch(1, &[GUILD]), [Output::LookUpByRest(KEY)]);
    assert_eq!(harness.looked_up(KEY, Some(member(5))), [answered(1, &[])]);
    let forgotten = Output::Changed {
        key: (GUILD, UserId(8)),
        membership: None,
    };
    let asked_until_gone = harness.wait(left);
    assert_eq!(asked_until_gone.last(), Some(&forgotten));
    assert_eq!(harness.wait(Limits::default().rights_kept), [changed(None)]);
    assert_eq!(harness.rights.deadline(), None);
}
