//! The routes: from a request to its answer, each step refusing what it can.

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::{any, post},
};
use guildhall_http::ClientAddress;
use guildhall_model::command::CommandRequest;
use guildhall_ports::{Clock, RateLimiter};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use metrics::counter;
use tokio::time::Instant;

use super::{
    authorise::{CallPlace, Seen, guild_of, guild_of_repeat, look},
    budget::RpcBudget,
    failure::{NOBODY, NOTHING_MADE, NOWHERE, UNKNOWN_COMMAND, limited, not_member},
    forward::{Giver, forward, recall, refuse_early},
    input::InputError,
    overlays::{OverlayCall, OverlayLinks},
    table::{CommandCall, QuestionCall, RPCS, Rpc, RpcKind},
};
use crate::{
    auth::{Auth, Requester},
    fanout::Fanout,
    http::{ApiError, BODY_BYTES, PublicLinks, read_body},
    link::Link,
    replica::ViewerId,
    stream::{
        admission::{RequestAdmission, guilds_of},
        limit::ConcurrencyLimiter,
    },
    visible::{CommandSubject, Visible},
};

/// What the routes hold. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RpcState {
    pub(crate) auth: Arc<Auth>,
    pub(crate) fanout: Fanout,
    pub(crate) admission: RequestAdmission,
    pub(crate) link: Link,
    /// Of requests that are being answered.
    pub(crate) requests: ConcurrencyLimiter,
    pub(crate) rate_limiter: Arc<dyn RateLimiter>,
    pub(crate) clock: Arc<dyn Clock>,
    /// What people are given to open.
    pub(crate) links: PublicLinks,
    /// Whether signing in by an invite lets people into its guild.
    pub(crate) guilds_join: bool,
}

/// `/api/rpc/*`: a route for each row of the table.
pub(crate) fn routes(state: RpcState) -> Router {
    let mut routes = Router::new();
    for rpc in RPCS {
        let serve = move |State(app): State<RpcState>,
                          Extension(client): Extension<ClientAddress>,
                          headers: HeaderMap,
                          body: Body| async move {
            let answer = serve(&app, rpc, client, &headers, body).await;
            answer.inspect_err(|error| {
                counter!("guildhall_rpc_failures_total", "code" => error.code).increment(1);
            })
        };
        routes = routes.route(&format!("/api/rpc/{}", rpc.name), post(serve));
    }
    let unknown = async || UNKNOWN_COMMAND;
    routes
        .route("/api/rpc/{*name}", any(unknown))
        .with_state(state)
}

async fn serve(
    app: &RpcState,
    rpc: &Rpc,
    client: ClientAddress,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let requester = app.auth.sessions().requester(headers)?;
    app.auth.check_write(headers, &requester)?;
    if matches!(rpc.kind, RpcKind::Command(_) | RpcKind::Overlay(_)) {
        requester.actor()?;
    }
    let account = requester.account();
    let _permit = app
        .requests
        .acquire(account.clone(), client, Instant::now())?;
    let body = read_body(body, BODY_BYTES).await?;
    let request = match &rpc.kind {
        RpcKind::Question(read) => read(&body).map(Call::Question),
        RpcKind::Command(read) => read(&body).map(Call::Command),
        RpcKind::Overlay(read) => read(&body).map(Call::Overlay),
    };
    let (request, key) = match (request, key(headers)) {
        (Ok(request), Ok(key)) => (request, key),
        (Ok(_), Err(complaint)) => return Err(InputError::of(KEY, complaint).into()),
        (Err(wrong), Ok(_)) => return Err(wrong.into()),
        (Err(wrong), Err(complaint)) => return Err(wrong.and(KEY, complaint).into()),
    };
    let budget = RpcBudget::new(Arc::clone(&app.rate_limiter));
    let spent = budget.spend(&rpc.kind, &account, client, Instant::now());
    let spent = spent.await;
    spent.map_err(limited)?;
    counter!("guildhall_rpc_requests_total", "command" => rpc.name).increment(1);
    let answer = match request {
        Call::Question(request) => app.question(&requester, request).await?,
        Call::Command(request) => app.command(&requester, request, key).await?,
        Call::Overlay(call) => app.overlay(&requester, call, key).await?,
    };
    Ok(answered(answer))
}

/// A call that was read.
enum Call {
    Question(QuestionCall),
    Command(CommandCall),
    Overlay(OverlayCall),
}

impl RpcState {
    async fn question(
        &self,
        requester: &Requester,
        request: QuestionCall,
    ) -> Result<Visible<Vec<u8>>, ApiError> {
        let asker = requester.viewer();
        if request.asks_of_oneself && asker == ViewerId::Bot {
            return Err(NOBODY);
        }
        let viewer = self.fanout.viewer(asker);
        let searched = (&self.fanout, &self.admission);
        let own = guilds_of(requester, &self.fanout);
        let id = guild_of(&request.place, &own, &viewer, searched).await?;
        // Nobody is told anything who signed out while the gateway was asked about them.
        self.auth.sessions().check_requester(requester)?;
        let logs = self.fanout.replica().read();
        let seen = match id {
            Some(id) => look(&logs, id, asker)?,
            None => None,
        };
        let seen = seen.as_ref().map(|(guild, rooms)| Seen { guild, rooms });
        request.answer(asker.person(), seen.as_ref()).ok_or(NOWHERE)
    }

    async fn command(
        &self,
        requester: &Requester,
        request: CommandCall,
        key: Option<String>,
    ) -> Result<Visible<Vec<u8>>, ApiError> {
        let actor = requester.actor()?;
        let viewer = self.fanout.viewer(actor);
        let searched = (&self.fanout, &self.admission);
        let own = guilds_of(requester, &self.fanout);
        let id = guild_of(&request.place, &own, &viewer, searched).await?;
        let is_seen = id.is_some();
        let repeat = || guild_of_repeat(&request.place, &own, &viewer, &self.fanout);
        let id = id.or_else(|| key.as_ref().and_then(|_| repeat()));
        let id = id.ok_or_else(|| self.nowhere(&request.place))?;
        let answer = request.answer;
        let command = request.command(id, actor);
        let subject = CommandSubject {
            guild_id: id,
            channel_id: command.channel_id(),
            links: &self.links,
        };
        let request = CommandRequest {
            actor,
            key: key.as_deref().map(|key| requester.key(key)),
            command,
        };
        // From here on whoever's session ends is told nothing more. What was sent stays done.
        let session_end = self.auth.sessions().watch_requester(requester);
        self.auth.sessions().check_requester(requester)?;
        let giver = Giver {
            viewer: &viewer,
            session: &requester.session_id(),
            key: key.as_deref(),
        };
        let answering = async {
            if is_seen {
                refuse_early(&self.fanout, &*self.clock, &request)?;
                forward(&self.link, &self.fanout, giver, request).await
            } else {
                recall(&self.link, &self.fanout, giver, request).await
            }
        };
        let done = session_end.run_until_cancelled(answering).await;
        let done = done.unwrap_or_else(|| Err(ApiError::unauthorized()))?;
        answer(done, subject).ok_or(NOTHING_MADE)
    }

    async fn overlay(
        &self,
        requester: &Requester,
        call: OverlayCall,
        key: Option<String>,
    ) -> Result<Visible<Vec<u8>>, ApiError> {
        let viewer = self.fanout.viewer(requester.viewer());
        let links = OverlayLinks {
            sessions: self.auth.sessions(),
            fanout: &self.fanout,
            admission: &self.admission,
            links: &self.links,
            now: self.clock.now(),
        };
        let answer = links.carry_out(call, requester, &viewer).await?;
        if let Some(key) = key {
            viewer.settle(&requester.session_id(), key, None);
        }
        Ok(answer)
    }

    /// What a command names is nowhere, as far as the asker may know. By an invite they may know more.
    fn nowhere(&self, place: &CallPlace) -> ApiError {
        match place {
            CallPlace::Guild(_) | CallPlace::Room(_) => NOWHERE,
            CallPlace::Invite(token) => {
                let sign_in = self.guilds_join.then(|| self.links.sign_in_by(token));
                not_member(sign_in)
            }
        }
    }
}

/// Only what is visible is answered.
fn answered(answer: Visible<Vec<u8>>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "private, no-store"),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    (StatusCode::OK, headers, answer.into_bytes()).into_response()
}

const KEY: &str = "Idempotency-Key";

/// The longest key of a request.
const KEY_BYTES: usize = 200;

/// The request's key, or what is wrong with it.
fn key(headers: &HeaderMap) -> Result<Option<String>, String> {
    let mut all = headers.get_all(KEY).iter();
    let Some(key) = all.next() else {
        return Ok(None);
    };
    // `to_str` lets spaces and tabs pass.
    let text = key.to_str().ok();
    let fits = |text: &&str| {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        visible && (1..=KEY_BYTES).contains(&text.len())
    };
    let alone = all.next().is_none();
    match text.filter(fits).filter(|_| alone) {
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(format!(
            "must be there once, with 1 to {KEY_BYTES} visible ASCII characters"
        )),
    }
}
