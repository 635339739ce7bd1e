//! The table: each command and each look-up once. Who adds one adds a row here and its input to
//! `effects` or `look_ups`; its route, the document and the types that clients are made of follow.

use guildhall_model::{GuildId, UserId, command::Command};
#[cfg(feature = "schema")]
use utoipa::openapi::{RefOr, schema::Schema};

use super::{
    authorise::{Place, Seen},
    effects::{
        ConnectUserToVoiceChannel, Disconnect, Effect, KickFromRoom, RenameRoom, SetRoomLimit,
        SetRoomStatus,
    },
    input::{self, InputError},
    look_ups::{
        CheckRoomExists, CheckUserInVoiceChannel, EnsureUserInGuild, GetVoiceChannelMembers, LookUp,
    },
};
use crate::visible::Visible;

/// Everything that `POST /api/rpc/NAME` answers to.
pub(crate) static RPCS: &[Rpc] = &[
    Rpc::effect::<ConnectUserToVoiceChannel>(
        "connectUserToVoiceChannel",
        "Move somebody into a room, or once they are in voice",
        "Whoever may CONNECT to the room; for somebody else, who may MOVE_MEMBERS there and where \
         that person is.",
    ),
    Rpc::effect::<Disconnect>("disconnect", "Leave voice", "Everybody, about themselves."),
    Rpc::effect::<KickFromRoom>(
        "kickFromRoom",
        "Take somebody out of a room",
        "Whoever may MOVE_MEMBERS there.",
    ),
    Rpc::effect::<RenameRoom>(
        "renameRoom",
        "Give a room another name",
        "Whoever may MANAGE_CHANNELS there.",
    ),
    Rpc::effect::<SetRoomStatus>(
        "setRoomStatus",
        "Set the line of text below a room's name",
        "Whoever may MANAGE_CHANNELS there, or is in it and may SET_VOICE_CHANNEL_STATUS.",
    ),
    Rpc::effect::<SetRoomLimit>(
        "setRoomLimit",
        "Set how many fit into a room",
        "Whoever may MANAGE_CHANNELS there.",
    ),
    Rpc::look_up::<CheckRoomExists>(
        "checkRoomExists",
        "Whether there is such a room",
        "Everybody; a room that they do not see is none.",
    ),
    Rpc::look_up::<CheckUserInVoiceChannel>(
        "checkUserInVoiceChannel",
        "In which room somebody is",
        "Members of the guild; in a room that they do not see somebody is nowhere.",
    ),
    Rpc::look_up::<EnsureUserInGuild>(
        "ensureUserInGuild",
        "Whether one is a member of a guild; nobody is added",
        "Everybody, about themselves.",
    ),
    Rpc::look_up::<GetVoiceChannelMembers>(
        "getVoiceChannelMembers",
        "Who is in a room",
        "Whoever sees the room.",
    ),
];

/// One of them.
#[derive(Debug)]
pub(crate) struct Rpc {
    /// Its name in the path.
    pub(crate) name: &'static str,
    pub(super) kind: RpcKind,
    #[cfg(feature = "schema")]
    pub(crate) description: RpcDescription,
}

/// What is done with a request, and how its body is read.
#[derive(Debug)]
pub(super) enum RpcKind {
    /// It is answered from the replica.
    LookUp(fn(&[u8]) -> Result<LookUpRequest, InputError>),
    /// It goes to the gateway.
    Effect(fn(&[u8]) -> Result<EffectRequest, InputError>),
}

/// What the document says.
#[cfg(feature = "schema")]
#[derive(Debug)]
pub(crate) struct RpcDescription {
    pub(crate) summary: &'static str,
    pub(crate) who_may: &'static str,
    pub(crate) input: fn() -> Vec<input::FieldDescription>,
    pub(crate) answer: AnswerSchema,
}

/// The schema of an answer, and of what it is made of.
#[cfg(feature = "schema")]
#[derive(Debug)]
pub(crate) struct AnswerSchema {
    pub(crate) name: fn() -> std::borrow::Cow<'static, str>,
    pub(crate) schema: fn() -> RefOr<Schema>,
    pub(crate) parts: fn(&mut Vec<(String, RefOr<Schema>)>),
}

/// A question that was read.
pub(super) struct LookUpRequest {
    pub(super) place: Place,
    answer: Box<dyn Fn(UserId, Option<&Seen<'_>>) -> Option<Visible<Vec<u8>>> + Send>,
}

/// Something to be done that was read.
pub(super) struct EffectRequest {
    pub(super) place: Place,
    command: Box<dyn FnOnce(GuildId, UserId) -> Command + Send>,
}

impl LookUpRequest {
    /// As [`LookUp::answer`], as JSON.
    pub(super) fn answer(
        &self,
        asker: UserId,
        seen: Option<&Seen<'_>>,
    ) -> Option<Visible<Vec<u8>>> {
        (self.answer)(asker, seen)
    }
}

impl EffectRequest {
    /// As [`Effect::command`].
    pub(super) fn command(self, guild_id: GuildId, actor: UserId) -> Command {
        (self.command)(guild_id, actor)
    }
}

impl Rpc {
    /// Whether it has something done, rather than asks.
    #[cfg(feature = "schema")]
    pub(crate) fn is_effect(&self) -> bool {
        matches!(self.kind, RpcKind::Effect(_))
    }

    #[cfg_attr(
        not(feature = "schema"),
        expect(unused_variables, reason = "for the document alone")
    )]
    const fn effect<E: Effect + 'static>(
        name: &'static str,
        summary: &'static str,
        who_may: &'static str,
    ) -> Self {
        Self {
            name,
            kind: RpcKind::Effect(read_effect::<E>),
            #[cfg(feature = "schema")]
            description: RpcDescription {
                summary,
                who_may,
                input: input::describe::<E>,
                answer: AnswerSchema::of::<crate::visible::CommandOutcome>(),
            },
        }
    }

    #[cfg_attr(
        not(feature = "schema"),
        expect(unused_variables, reason = "for the document alone")
    )]
    const fn look_up<L: LookUp + 'static>(
        name: &'static str,
        summary: &'static str,
        who_may: &'static str,
    ) -> Self {
        Self {
            name,
            kind: RpcKind::LookUp(read_look_up::<L>),
            #[cfg(feature = "schema")]
            description: RpcDescription {
                summary,
                who_may,
                input: input::describe::<L>,
                answer: AnswerSchema::of::<L::Answer>(),
            },
        }
    }
}

#[cfg(feature = "schema")]
impl AnswerSchema {
    const fn of<T: utoipa::ToSchema>() -> Self {
        Self {
            name: T::name,
            schema: T::schema,
            parts: T::schemas,
        }
    }
}

fn read_effect<E: Effect + 'static>(body: &[u8]) -> Result<EffectRequest, InputError> {
    let effect: E = input::read(body)?;
    Ok(EffectRequest {
        place: effect.place(),
        command: Box::new(move |guild_id, actor| effect.command(guild_id, actor)),
    })
}

fn read_look_up<L: LookUp + 'static>(body: &[u8]) -> Result<LookUpRequest, InputError> {
    let look_up: L = input::read(body)?;
    Ok(LookUpRequest {
        place: look_up.place(),
        answer: Box::new(move |asker, seen| look_up.answer(asker, seen).map(Visible::into_json)),
    })
}
