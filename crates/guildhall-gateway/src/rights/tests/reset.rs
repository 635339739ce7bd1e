use super::*;

#[test]
fn a_guild_that_was_out_of_hearing_has_all_who_are_here_looked_up_at_once_together() {
    let mut harness = Harness::new(&[GUILD]);
    for user in 1..=30 {
        harness.watch_as(user, UserId(user), &[GUILD]);
        harness.looked_up((GUILD, UserId(user)), Some(member(5)));
    }
    let outputs = harness.came_again(GUILD);
    let [
        Output::LookUpByOp8(MembersRequest {
            nonce, user_ids, ..
        }),
    ] = &outputs[..]
    else {
        panic!("one request, at once: {outputs:?}")
    };
    assert_eq!(user_ids.len(), 30);
    let chunk = Op8Chunk {
        nonce: *nonce,
        guild_id: GUILD,
        members: Vec::new(),
        not_found: user_ids.clone(),
        last: true,
    };
    harness.act(|rights, context| rights.op8_chunk_received(chunk, context));
    let thrown_out = &harness.world.guilds[&GUILD].memberships;
    assert!(thrown_out.values().all(|is| *is == Membership::Stranger));
    assert_eq!(thrown_out.len(), 30);
}

#[test]
fn who_came_with_the_guild_need_not_be_asked_for() {
    let mut harness = Harness::known();
    let guild = harness.world.guilds.get_mut(&GUILD).expect("it is known");
    guild.memberships.clear();
    harness.act(|rights, context| rights.invalidate_guild(GUILD, context));
    let told = harness.told(KEY, MembershipUpdate::Is(member(5)));
    assert_eq!(told, [changed(Some(member(5)))], "the same, and yet said");
    assert_eq!(harness.guild_changed(GUILD), []);
}

#[test]
fn an_answer_to_what_was_asked_before_is_worth_nothing() {
    let mut harness = Harness::known();
    assert_eq!(harness.wait(MINUTE), [Output::LookUpByRest(KEY)]);
    assert_eq!(harness.came_again(GUILD), []);
    let outputs = harness.looked_up(KEY, Some(member(5)));
    assert_eq!(
        outputs,
        [Output::LookUpByRest(KEY)],
        "of before, so asked again"
    );
    assert_eq!(harness.membership(), None, "invisible meanwhile");
    let outputs = harness.looked_up(KEY, Some(Membership::Stranger));
    assert_eq!(outputs, [changed(Some(Membership::Stranger))]);
}

#[test]
fn a_guild_that_was_removed_and_comes_anew_takes_no_answer_of_before_either() {
    let mut harness = Harness::new(&[GUILD]);
    harness.watch(1, &[GUILD]);
    harness.world.guilds.clear();
    harness.guild_changed(GUILD);
    harness.arrive(GUILD);
    assert_eq!(harness.came_again(GUILD), []);
    let outputs = harness.looked_up(KEY, Some(member(5)));
    assert_eq!(look_ups(&outputs), [KEY]);
    assert_eq!(harness.membership(), None);
}

#[test]
fn who_is_not_here_any_more_is_not_looked_up() {
    let mut harness = Harness::known();
    harness.wait(6 * MINUTE);
    harness.looked_up(KEY, Some(member(5)));
    assert_eq!(harness.came_again(GUILD), []);
    assert_eq!(harness.watch(2, &[GUILD]), [Output::LookUpByRest(KEY)]);
}

#[test]
fn a_watch_meanwhile_is_answered_by_the_new_look_up_only() {
    let mut harness = Harness::known();
    assert_eq!(harness.came_again(GUILD), [Output::LookUpByRest(KEY)]);
    assert_eq!(harness.watch(2, &[GUILD]), []);
    let outputs = harness.looked_up(KEY, Some(member(6)));
    assert_eq!(outputs, [changed(Some(member(6))), answered(2, &[])]);
}

#[test]
fn one_that_fails_is_tried_again_soon_and_waits_for_no_tick() {
    let mut harness = Harness::known();
    // Whatever tick there was is over, and another has just been.
    harness.wait(Duration::from_secs(5));
    harness.came_again(GUILD);
    let failed_at = harness.now;
    assert_eq!(harness.looked_up(KEY, None), []);
    let due = harness.rights.deadline().expect("it is tried again");
    assert_eq!(due - failed_at, Duration::from_millis(250));
    assert_eq!(
        harness.wait(Duration::from_millis(250)),
        [Output::LookUpByRest(KEY)]
    );
    assert_eq!(
        harness.looked_up(KEY, Some(member(5))),
        [changed(Some(member(5)))]
    );
}

#[test]
fn who_can_not_be_looked_up_is_tried_less_and_less_often() {
    let mut harness = Harness::known();
    harness.came_again(GUILD);
    let mut waits = Vec::new();
    let doubled = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000];
    for _ in doubled {
        assert_eq!(harness.looked_up(KEY, None), []);
        let due = harness.rights.deadline().expect("it is tried again");
        let wait = due - harness.now;
        waits.push(wait.as_millis());
        assert_eq!(harness.wait(wait), [Output::LookUpByRest(KEY)]);
    }
    assert_eq!(waits, doubled);
}

/// Each guild comes in a dispatch of its own, and the world has no viewers by name before.
#[test]
fn twenty_guilds_are_looked_up_within_a_second_and_the_biggest_of_many_first() {
    let guilds: Vec<GuildId> = (1..=20).map(GuildId).collect();
    let mut storm = storm::Storm::new(Limits::default(), &guilds);
    for guild in &guilds {
        for user in 0..guild.0 * 7 {
            storm.login(guild.0 * 1_000 + user, *guild);
        }
        storm.run(Duration::from_secs(4));
    }
    storm.run(MINUTE);
    let known = storm.known();
    assert_eq!(known, 7 * 210);
    // A connection of its own, as after op 9.
    let outputs = storm.harness.live(false);
    storm.follow(outputs);
    let outputs = storm.harness.live(true);
    storm.follow(outputs);
    for guild in &guilds {
        let outputs = storm.harness.came_again(*guild);
        storm.follow(outputs);
    }
    let asked_at = storm.harness.now;
    while storm.known() < known {
        storm.run(Duration::from_millis(20));
        assert!(storm.harness.now < asked_at + MINUTE);
    }
    let took = storm.harness.now - asked_at;
    println!("20 guilds with {known} viewers were known again after {took:?}");
    assert!(took <= Duration::from_secs(1), "{took:?}");

    // Beyond that, while one connection lasts: the guild with most viewers goes first.
    let mut harness = Harness::new(&guilds);
    harness.live(false);
    for guild in &guilds {
        for user in 0..guild.0 * 2 + 9 {
            let key = (*guild, UserId(guild.0 * 1_000 + user));
            harness.watch_as(key.1.0, key.1, &[*guild]);
        }
    }
    harness.wait(Limits::default().watch_answer);
    for guild in &guilds {
        harness.came_again(*guild);
    }
    let sizes: Vec<usize> = harness.live(true).iter().filter_map(call_size).collect();
    assert_eq!(sizes.len(), 16, "as many as may be under way");
    assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
}

fn call_size(output: &Output) -> Option<usize> {
    match output {
        Output::LookUpByOp8(MembersRequest { user_ids, .. }) => Some(user_ids.len()),
        _ => None,
    }
}
