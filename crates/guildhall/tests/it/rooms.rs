//! Rooms, from the cookie of whoever makes one to their end: who gets in, who is told, and what of them
//! is left at Discord, whatever goes wrong between.
//!
//! Judged by the simulator's truth: its channels, roles, overwrites and messages, compared with those
//! before the house began, and its audit log.

/// A house in which rooms are made, and people who come to it.
mod stage;
/// What Discord has of rooms, as the simulator knows it.
mod truth;

mod a_lobby_makes_rooms;
mod a_login_brings_into_the_guild;
mod a_room_has_a_role_where_roles_are_asked_for;
mod a_room_is_ours_from_its_first_moment;
mod a_table_for_two;
mod each_step_may_fail;
mod histories_of_rooms;
mod invites_open_what_they_say;
mod nobody_is_served_twice;
mod owners_have_tools;
mod rooms_end_when_nobody_is_there;
mod somebody_acts_in_discord;
mod the_page_makes_a_room;
mod what_fails_leaves_nothing;
