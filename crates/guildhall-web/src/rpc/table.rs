//! The table: each command and each question once. Who adds one adds a row here and its input to
//! `commands` or `questions`; its route, the document and the types that clients are made of follow.

use guildhall_model::{
    GuildId, UserId,
    command::{Command, CommandDone},
};
#[cfg(feature = "schema")]
use utoipa::openapi::{RefOr, schema::Schema};

use super::{
    authorise::{CallPlace, Seen},
    commands::{
        BlockFromRoomInput, ClaimRoomInput, CloseRoomInput, CommandInput,
        ConnectUserToVoiceChannelInput, CreateInviteInput, CreateRoomInput, DisconnectInput,
        HideRoomInput, JoinRoomInput, KickFromRoomInput, LockRoomInput, RenameRoomInput,
        RevokeInviteInput, SetRoomLimitInput, SetRoomStatusInput, TransferRoomInput,
        UnblockFromRoomInput,
    },
    input::{self, InputError},
    overlays::{CreateOverlayLinkInput, OverlayCall, OverlayInput, RevokeOverlayLinkInput},
    questions::{
        CheckRoomExistsInput, CheckUserInVoiceChannelInput, EnsureUserInGuildInput,
        GetVoiceChannelMembersInput, QuestionInput,
    },
};
use crate::visible::{CommandAnswer, CommandSubject, Visible};

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
        "Take somebody out of a room; out of one that Guildhall made also for good",
        "The room's owner, and whoever may MOVE_MEMBERS there.",
    ),
    Rpc::command::<RenameRoomInput>(
        "renameRoom",
        "Give a room another name",
        "The room's owner, and whoever may MANAGE_CHANNELS there.",
    ),
    Rpc::command::<SetRoomStatusInput>(
        "setRoomStatus",
        "Set the line of text below a room's name",
        "The room's owner, whoever may MANAGE_CHANNELS there, or is in it and may \
         SET_VOICE_CHANNEL_STATUS.",
    ),
    Rpc::command::<SetRoomLimitInput>(
        "setRoomLimit",
        "Set how many fit into a room",
        "The room's owner, and whoever may MANAGE_CHANNELS there.",
    ),
    Rpc::command::<CreateRoomInput>(
        "createRoom",
        "Make a room of one's own",
        "Whoever may CONNECT in its category, or has one of the roles that the operator lists \
         instead; as many rooms as the operator lets one have.",
    ),
    Rpc::command::<LockRoomInput>(
        "lockRoom",
        "Let nobody new into a room that Guildhall made, or let them in again",
        "The room's owner, and whoever may MANAGE_CHANNELS there.",
    ),
    Rpc::command::<HideRoomInput>(
        "hideRoom",
        "Show a room that Guildhall made only to those listed, or to all again",
        "The room's owner, and whoever may MANAGE_CHANNELS there.",
    ),
    Rpc::command::<TransferRoomInput>(
        "transferRoom",
        "Make a room that Guildhall made somebody else's",
        "The room's owner, and whoever may MANAGE_CHANNELS there.",
    ),
    Rpc::command::<ClaimRoomInput>(
        "claimRoom",
        "Make a room that Guildhall made one's own",
        "Whoever is in it, once its owner has been gone for five minutes.",
    ),
    Rpc::command::<CloseRoomInput>(
        "closeRoom",
        "Delete a room that Guildhall made",
        "The room's owner, and whoever may MANAGE_CHANNELS there.",
    ),
    Rpc::command::<BlockFromRoomInput>(
        "blockFromRoom",
        "Keep somebody out of a room that Guildhall made",
        "The room's owner, and whoever may MOVE_MEMBERS there.",
    ),
    Rpc::command::<UnblockFromRoomInput>(
        "unblockFromRoom",
        "Keep somebody out of a room that Guildhall made no longer",
        "The room's owner, and whoever may MOVE_MEMBERS there.",
    ),
    Rpc::command::<CreateInviteInput>(
        "createInvite",
        "Make an invite into a room that Guildhall made",
        "The room's owner, and whoever may MANAGE_CHANNELS there.",
    ),
    Rpc::command::<RevokeInviteInput>(
        "revokeInvite",
        "Make an invite worthless, or all into a room",
        "The room's owner, and whoever may MANAGE_CHANNELS there.",
    )
    .of_one_field(),
    Rpc::command::<JoinRoomInput>(
        "joinRoom",
        "Come into a room by an invite",
        "Members of the invite's guild, whether they see the room or not.",
    ),
    Rpc::overlay::<CreateOverlayLinkInput>(
        "createOverlayLink",
        "Make a link by which stream software shows a room, as one sees it oneself",
        "Whoever sees the room. The link shows it for as long as they do.",
    ),
    Rpc::overlay::<RevokeOverlayLinkInput>(
        "revokeOverlayLink",
        "Make an overlay link worthless",
        "Whoever made it; the room's owner, and whoever may MANAGE_CHANNELS there.",
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
    /// It is done here.
    Overlay(fn(&[u8]) -> Result<OverlayCall, InputError>),
}

/// What the document says.
#[cfg(feature = "schema")]
#[derive(Debug)]
pub(crate) struct RpcDescription {
    pub(crate) summary: &'static str,
    pub(crate) who_may: &'static str,
    pub(crate) input: fn() -> Vec<input::FieldDescription>,
    /// Of the fields, none of which is required, there has to be exactly one.
    pub(crate) one_field: bool,
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
    /// [`QuestionInput::asks_of_oneself`].
    pub(super) asks_of_oneself: bool,
    answer: Box<AnswerQuestion>,
}

/// [`QuestionInput::answer`], as JSON.
type AnswerQuestion = dyn Fn(Option<UserId>, Option<&Seen<'_>>) -> Option<Visible<Vec<u8>>> + Send;

/// Something to be done that was read.
pub(super) struct CommandCall {
    pub(super) place: CallPlace,
    command: Box<dyn FnOnce(GuildId, UserId) -> Command + Send>,
    pub(super) answer: AnswerCommand,
}

/// [`CommandAnswer::of`], as JSON.
pub(super) type AnswerCommand = fn(CommandDone, CommandSubject<'_>) -> Option<Visible<Vec<u8>>>;

impl QuestionCall {
    /// As [`QuestionInput::answer`], as JSON.
    pub(super) fn answer(
        &self,
        asker: Option<UserId>,
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
        matches!(self.kind, RpcKind::Command(_) | RpcKind::Overlay(_))
    }

    /// Whether a repeat with the same key is one with the first.
    #[cfg(feature = "schema")]
    pub(crate) fn is_done_once(&self) -> bool {
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
                one_field: false,
                answer: AnswerSchema::of::<I::Answer>(),
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
                one_field: false,
                answer: AnswerSchema::of::<I::Answer>(),
            },
        }
    }

    #[cfg_attr(
        not(feature = "schema"),
        expect(unused_variables, reason = "for the document alone")
    )]
    const fn overlay<I: OverlayInput + 'static>(
        name: &'static str,
        summary: &'static str,
        who_may: &'static str,
    ) -> Self {
        Self {
            name,
            kind: RpcKind::Overlay(read_overlay::<I>),
            #[cfg(feature = "schema")]
            description: RpcDescription {
                summary,
                who_may,
                input: input::describe::<I>,
                one_field: false,
                answer: AnswerSchema::of::<I::Answer>(),
            },
        }
    }

    /// Of its fields there has to be exactly one. For the document alone: its input sees to it.
    #[cfg_attr(
        not(feature = "schema"),
        expect(unused_mut, reason = "for the document alone")
    )]
    const fn of_one_field(mut self) -> Self {
        #[cfg(feature = "schema")]
        {
            self.description.one_field = true;
        }
        self
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
        answer: |done, subject| I::Answer::of(done, subject).map(Visible::into_json),
    })
}

fn read_overlay<I: OverlayInput + 'static>(body: &[u8]) -> Result<OverlayCall, InputError> {
    input::read::<I>(body).map(OverlayInput::call)
}

fn read_question<I: QuestionInput + 'static>(body: &[u8]) -> Result<QuestionCall, InputError> {
    let question: I = input::read(body)?;
    Ok(QuestionCall {
        place: question.place(),
        asks_of_oneself: question.asks_of_oneself(),
        answer: Box::new(move |asker, seen| question.answer(asker, seen).map(Visible::into_json)),
    })
}
