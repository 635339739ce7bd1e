//! The simulator as its users meet it: over real sockets, with a raw WebSocket
//! client and an HTTP client that know nothing of its insides.

mod house;

mod audit_log;
mod control_moves_the_world;
mod fault_kinds;
mod faults_and_scenarios;
mod gateway_answers;
mod gateway_compression;
mod gateway_handshake;
mod gateway_messages;
mod gateway_resume;
mod gateway_shards;
mod gateway_strict;
mod guild_pages;
mod hidden_channels;
mod hostile_input;
mod interactions;
mod invites;
mod limits;
mod lost_answers;
mod mentions;
mod moves;
mod oauth_login;
mod presences;
mod raw;
mod renames;
mod reset;
mod rest_acts;
mod rest_answers;
mod rest_limits;
mod rest_orders;
mod rest_shapes;
mod room_limits;
mod rooms;
mod slow_clients;
mod stamps;
mod switches;
mod tls;
mod tolerance;
mod twins;
mod webhooks;
