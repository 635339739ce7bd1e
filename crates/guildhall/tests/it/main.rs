//! The whole house: the real binary as separate processes, a simulated Discord, a real HTTP
//! client, a real browser. A file for each promise.

/// Starts processes, signs in, opens streams.
mod house;

mod a_browser_shows_it;
mod a_command_is_done_in_discord;
mod a_demo_needs_nothing;
mod a_guild_that_comes_later_is_there;
mod a_flood_leaves_others_alone;
mod a_mistake_is_told_in_a_sentence;
mod a_storm_of_logins_is_let_in_in_order;
mod a_stream_goes_on_where_it_was;
mod an_event_reaches_the_browser;
mod attacks;
mod commands;
mod doctor;
mod hidden_stays_hidden;
mod hostile_input_is_refused;
mod init_writes_what_a_house_starts_from;
mod metrics_are_there_from_the_start;
mod one_person_cannot_hurt_another;
mod oracle;
mod one_dispatch_is_one_moment;
mod other_clients_are_served;
mod other_clients_come_back;
mod others_come_in;
mod others_mistakes_end_at_their_line;
mod overlays;
mod rights_change_under_an_open_stream;
mod rooms;
mod secrets_stay_secret;
mod sessions;
mod tail_follows_a_house;
mod the_edge_has_rules;
mod the_gateway_goes_on_where_it_was;
mod the_house_runs_over_tls;
mod the_house_stands_beside_an_app;
mod the_house_stops_in_order;
mod the_operator_is_told_why;
mod the_network_lets_us_down;
mod three_logs_reach_the_browser;
mod trouble_is_told_and_survived;
mod who_was_signed_out_stays_out;
