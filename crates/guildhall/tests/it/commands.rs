//! The way back: from a cookie to Discord, and what is told of it, whatever goes wrong between.
//!
//! Judged by the simulator's truth: its state, its audit log, in which the bot's reasons say for whom
//! it acted, and how many requests came to each route.

/// The six commands, and a stage on which each has something to do.
pub(crate) mod stage;
/// Who gives them, and what they are told.
pub(crate) mod teller;

mod each_answer_of_discord_is_told;
mod histories_with_kills;
mod no_answer_is_found_out_about;
mod one_moves_oneself_and_a_moderator_others;
mod renames_wait_and_survive_a_kill;
mod what_a_kill_leaves_is_done_once;
mod who_is_not_in_voice_is_waited_for;
mod without_rights_nothing_reaches_discord;
mod without_a_gateway_it_is_said;
