/// Random guilds, events and viewers: the picture is right, whatever happens.
mod simulation;
/// What a browser knows by what it was sent.
mod picture;
/// The whole role on a network that breaks, in virtual time.
mod network;
/// Single streams, from opening to `bye`.
mod lifecycle;
/// What one cause did, seen while it comes in.
mod moments;
/// Where the `id:` stands, and that a browser may break off anywhere.
mod groups;
/// Rooms that appear and vanish under open streams.
mod rights;
/// Random rights: every frame is what the oracle says.
mod live_rights;
/// Guilds that come, go and are looked up again under open streams.
mod guilds;
/// Streams over several logs.
mod several_logs;
/// An event more: what it takes here.
mod one_more_event;
/// Who is on which room's page.
mod viewing;
/// Events that are worthless late.
mod live_lane;
/// A replica with its writer, and streams of it.
pub(crate) mod harness;
/// What streams say by themselves, held against its types.
mod payloads;
/// Streams as `curl` shows them, kept in `fixtures/transcripts`.
mod transcripts;
