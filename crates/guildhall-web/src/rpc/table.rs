//! The table: each command and each question once. Who adds one adds a row here and its input to
//! `commands` or `questions`; its route, the document and the types that clients are made of follow.

use guildhall_model::{GuildId, UserId, command::Command};
#[cfg(feature = "schema")]
use utoipa::openapi::{RefOr, schema::Schema};

use super::{
    authorise::{CallPlace, Seen},
    commands::{
        CommandInput, ConnectUserToVoiceChannelInput, DisconnectInput, KickFromRoomInput,
        RenameRoomInput, SetRoomLimitInput, SetRoomStatusInput,
    },
    input::{self, InputError},
    questions::{
        CheckRoomExistsInput, CheckUserInVoiceChannelInput, EnsureUserInGuildInput,
        GetVoiceChannelMembersInput, QuestionInput,
    },
};
use crate::visible::Visible;

/// Everything that `POST /api/rpc/NAME` answers to.
pub(crate) static RPCS: &[Rpc] = &[
    Rpc::command::<ConnectUserToVoiceChannelInput>(
        "connectUserToVoiceChannel",
        "Move somebody into a room, or once they are in voice",
        "Whoever may CONNECT to the room; for somebody else, who may MOVE_MEMBERS there and where \
         that person is.",
    ),
    Rpc::command::<DisconnectInput>("disconnect", "Leave voice", "Everybody, about themselves."),
    Rpc::command::<KickFromRoomInput>(
        "kickFromRoom",
        "Take somebody out of a room",
        "Whoever may MOVE_MEMBERS there.",
    ),
    Rpc::command::<RenameRoomInput>(
        "renameRoom",
        "Give a room another name",
        "Whoever may MANAGE_CHANNELS there.",
    ),
    Rpc::command::<SetRoomStatusInput>(
        "setRoomStatus",
        "Set the line of text below a room's name",
        "Whoever may MANAGE_CHANNELS there, or is in it and may SET_VOICE_CHANNEL_STATUS.",
    ),
    Rpc::command::<SetRoomLimitInput>(
        "setRoomLimit",
        "Set how many fit into a room",
        "Whoever may MANAGE_CHANNELS there.",
    ),
    Rpc::question::<CheckRoomExistsInput>(
        "checkRoomExists",
        "Whether there is such a room",
        "Everybody; a room that they do not see is none.",
    ),
    Rpc::question::<CheckUserInVoiceChannelInput>(
        "checkUserInVoiceChannel",
        "In which room somebody is",
        "Members of the guild; in a room that they do not see somebody is nowhere.",
    ),
    Rpc::question::<EnsureUserInGuildInput>(
        "ensureUserInGuild",
        "Whether one is a member of a guild; nobody is added",
        "Everybody, about themselves.",
    ),
    Rpc::question::<GetVoiceChannelMembersInput>(
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
    Question(fn(&[u8]) -> Result<QuestionCall, InputError>),
    /// It goes to the gateway.
    Command(fn(&[u8]) -> Result<CommandCall, InputError>),
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
pub(super) struct QuestionCall {
    pub(super) place: CallPlace,
    answer: Box<AnswerQuestion>,
}

/// [`QuestionInput::answer`], as JSON.
type AnswerQuestion = dyn Fn(UserId, Option<&Seen<'_>>) -> Option<Visible<Vec<u8>>> + Send;

/// Something to be done that was read.
pub(super) struct CommandCall {
    pub(super) place: CallPlace,
    command: Box<dyn FnOnce(GuildId, UserId) -> Command + Send>,
}

impl QuestionCall {
    /// As [`QuestionInput::answer`], as JSON.
    pub(super) fn answer(
        &self,
        asker: UserId,
        seen: Option<&Seen<'_>>,
    ) -> Option<Visible<Vec<u8>>> {
        (self.answer)(asker, seen)
    }
}

impl CommandCall {
    /// As [`CommandInput::command`].
    pub(super) fn command(self, guild_id: GuildId, actor: UserId) -> Command {
        (self.command)(guild_id, actor)
    }
}

impl Rpc {
    /// Whether it has something done, rather than asks.
    #[cfg(feature = "schema")]
    pub(crate) fn is_command(&self) -> bool {
        matches!(self.kind, RpcKind::Command(_))
    }

    #[cfg_attr(
        not(feature = "schema"),
        expect(unused_variables, reason = "for the document alone")
    )]
    const fn command<I: CommandInput + 'static>(
        name: &'static str,
        summary: &'static str,
        who_may: &'static str,
    ) -> Self {
        Self {
            name,
            kind: RpcKind::Command(read_command::<I>),
            #[cfg(feature = "schema")]
            description: RpcDescription {
                summary,
                who_may,
                input: input::describe::<I>,
                answer: AnswerSchema::of::<crate::visible::CommandOutcome>(),
            },
        }
    }

    #[cfg_attr(
        not(feature = "schema"),
        expect(unused_variables, reason = "for the document alone")
    )]
    const fn question<I: QuestionInput + 'static>(
        name: &'static str,
        summary: &'static str,
        who_may: &'static str,
    ) -> Self {
        Self {
            name,
            kind: RpcKind::Question(read_question::<I>),
            #[cfg(feature = "schema")]
            description: RpcDescription {
                summary,
                who_may,
                input: input::describe::<I>,
                answer: AnswerSchema::of::<I::Answer>(),
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

fn read_command<I: CommandInput + 'static>(body: &[u8]) -> Result<CommandCall, InputError> {
    let input: I = input::read(body)?;
    Ok(CommandCall {
        place: input.place(),
        command: Box::new(move |guild_id, actor| input.command(guild_id, actor)),
    })
}

fn read_question<I: QuestionInput + 'static>(body: &[u8]) -> Result<QuestionCall, InputError> {
    let question: I = input::read(body)?;
    Ok(QuestionCall {
        place: question.place(),
        answer: Box::new(move |asker, seen| question.answer(asker, seen).map(Visible::into_json)),
    })
}
