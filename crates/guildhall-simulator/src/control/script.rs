//! Faults and acts on a timeline.

use std::time::Duration;

use axum::{
    Extension, Json, Router,
    body::{Body as HttpBody, to_bytes},
    extract::{FromRef, State},
    http::{Method, Request, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{select, time::sleep_until};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{
    error::{ControlError, ControlResult},
    faults::{Fault, FaultTargets},
    read::StrictJson,
};
use crate::{
    clock,
    state::{AppState, Initiator, ScriptLog, Shared},
};

/// Steps of one script, and the longest pause before one.
const MOST_STEPS: usize = 10_000;
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// Longest answer of an act that is read.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Makes the routes that a script's requests go to: all of `/sim`, which is above this module.
#[derive(Clone, Copy)]
pub(super) struct Target(pub(super) fn(&AppState) -> Router<AppState>);

/// A step: so long after the one before it, a fault, or a request to `/sim`.
#[derive(Debug)]
struct ScriptStep {
    after: Duration,
    action: StepAction,
}

#[derive(Debug)]
enum StepAction {
    Fault(Fault),
    Request(ScriptedRequest),
}

/// A request that the script makes of `/sim`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ScriptedRequest {
    #[serde(default = "post")]
    method: String,
    /// Below `/sim`, such as `/guilds/1/voice`.
    path: String,
    #[serde(default)]
    body: Value,
}

fn post() -> String {
    "POST".to_owned()
}

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/script", get(progress).post(start).delete(stop))
}

/// `POST /sim/script`: a list of `{afterMs, kind, …}` and `{afterMs, path, body}`;
/// 202. One at a time.
async fn start(
    State(state): State<AppState>,
    Extension(target): Extension<Target>,
    StrictJson(list): StrictJson<Vec<Value>>,
) -> Result<Response, ControlError> {
    run(&state, target, list)
}

/// `GET /sim/script`: what was planned and what was done, with the answers.
pub(super) async fn progress(State(script): State<Shared<ScriptLog>>) -> ControlResult {
    let script = script.lock();
    Ok(Json(json!({
        "running": script.running.is_some(),
        "steps": script.steps,
        "done": script.done,
    })))
}

/// `DELETE /sim/script`: no step follows.
pub(super) async fn stop(State(script): State<Shared<ScriptLog>>) -> ControlResult {
    if let Some(running) = &script.lock().running {
        running.cancel();
    }
    Ok(Json(json!({})))
}

/// Begins a script, or says what is wrong with it.
pub(super) fn run(
    state: &AppState,
    target: Target,
    list: Vec<Value>,
) -> Result<Response, ControlError> {
    if list.is_empty() || list.len() > MOST_STEPS {
        return Err(ControlError::Invalid(format!(
            "a script has 1 to {MOST_STEPS} steps"
        )));
    }
    let steps: Vec<_> = list
        .iter()
        .enumerate()
        .map(|(place, step)| read(step).map_err(|why| wrong(place, &why)))
        .collect::<Result<_, _>>()?;
    let count = steps.len();
    let stopped = state.tasks.stop.child_token();
    if !state.script.lock().begin(list, stopped.clone()) {
        return Err(ControlError::Conflict("a script is under way".to_owned()));
    }
    let play = play(state.clone(), target, steps, stopped);
    state.tasks.tracker.spawn(play);
    Ok((StatusCode::ACCEPTED, Json(json!({"steps": count}))).into_response())
}

fn wrong(place: usize, why: &str) -> ControlError {
    ControlError::Invalid(format!("step {place}: {why}"))
}

fn read(step: &Value) -> Result<ScriptStep, String> {
    let mut fields = step.as_object().ok_or("is no object")?.clone();
    let after = match fields.remove("afterMs") {
        None => Duration::ZERO,
        Some(ms) => Duration::from_millis(ms.as_u64().ok_or("afterMs is no whole number")?),
    };
    if after > LONGEST_PAUSE {
        return Err("afterMs is more than an hour".to_owned());
    }
    let is_request = fields.contains_key("path");
    let rest = Value::Object(fields);
    let action = if is_request {
        serde_json::from_value(rest).map(StepAction::Request)
    } else {
        serde_json::from_value(rest).map(StepAction::Fault)
    };
    action
        .map(|action| ScriptStep { after, action })
        .map_err(|error| error.to_string())
}

async fn play(state: AppState, target: Target, steps: Vec<ScriptStep>, stopped: CancellationToken) {
    let targets = FaultTargets::from_ref(&state);
    let mut due = clock::now();
    for (place, step) in steps.into_iter().enumerate() {
        due += step.after;
        select! {
            () = sleep_until(due) => {}
            () = stopped.cancelled() => break,
        }
        let answer = match step.action {
            StepAction::Fault(fault) => match targets.apply(fault, Initiator::Script) {
                Ok(Json(answer)) => json!({"status": 200, "answer": answer}),
                Err(error) => told(error.into_response()).await,
            },
            StepAction::Request(act) => match request(&act) {
                Ok(request) => {
                    let router = target.0(&state).with_state(state.clone());
                    match router.oneshot(request).await {
                        Ok(response) => told(response).await,
                    }
                }
                Err(error) => told(error.into_response()).await,
            },
        };
        let at = clock::unix_micros() / 1000;
        let done = json!({"step": place, "unixMs": at, "result": answer});
        state.script.lock().done.push(done);
    }
    state.script.lock().running = None;
}

fn request(act: &ScriptedRequest) -> Result<Request<HttpBody>, ControlError> {
    let wrong = |_| ControlError::Invalid("no such method or path".to_owned());
    let path = act.path.strip_prefix("/sim").unwrap_or(&act.path);
    let method = Method::from_bytes(act.method.as_bytes())
        .map_err(|_| ControlError::Invalid("no such method".to_owned()))?;
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(HttpBody::from(act.body.to_string()))
        .map_err(wrong)
}

async fn told(response: Response) -> Value {
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), LONGEST_ANSWER)
        .await
        .unwrap_or_default();
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    json!({"status": status, "answer": answer})
}
