//! Gateway sessions: who gets which dispatch, and what is kept for replay.
//!
//! A session is a numbered run of dispatches; a connection is a cursor over it.

/// Close codes of Discord, and what each means for the session.
mod close;
/// The query of a gateway URL: version, encoding, compression.
mod query;
/// JSON objects, read strictly.
mod json_object;
/// What a session may ask for: presence, voice, members, sounds, channel info.
mod request;
/// What a client sends, read without trust.
mod payload;
/// What a present connection is told to do.
mod order;
/// Every event by name.
mod events;
/// One session: its dispatches, and those kept for replay.
mod session;
/// All sessions, the identify budget, and detached ones.
mod registry;

#[cfg(test)]
mod tests;

pub(crate) use close::{CloseCode, client_ends_session};
pub(crate) use order::{ORDERS_WAITING, Order};
pub(crate) use payload::{Identify, Payload, Resume, read as read_payload};
pub(crate) use query::{GatewayQuery, TransportCompression, read as read_query};
pub(crate) use registry::{ConnectionHandle, Denied, Granted, Sessions};
pub(crate) use request::{
    ChannelField, ChannelInfoRequest, GuildMembersRequest, SessionRequest, UpdateVoiceState,
    WantedMembers,
};
pub(crate) use session::Dispatch;
