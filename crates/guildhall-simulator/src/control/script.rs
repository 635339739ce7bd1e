//! Faults and acts on a timeline.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use axum::{
    Json,
    body::{Body as HttpBody, to_bytes},
    extract::State,
    http::{Method, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{select, time::sleep_until};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{
    error::{Answer, ControlError},
    faults,
    read::Sent,
};
use crate::{clock, discord::Discord};

/// Steps of one script, and the longest pause before one.
const MOST_STEPS: usize = 10_000;
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// Faults written down; one more and the oldest is forgotten.
const CAUSED_KEPT: usize = 1000;
/// Longest answer of an act that is read.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Who causes a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Hand {
    Person,
    Script,
}

/// The script under way or done last, and every fault caused of late.
#[derive(Debug, Default)]
pub(crate) struct Script {
    running: Option<CancellationToken>,
    steps: Vec<Value>,
    done: Vec<Value>,
    caused: VecDeque<Value>,
}

impl Script {
    /// The newest faults, oldest first.
    pub(super) fn caused(&self) -> Vec<&Value> {
        self.caused.iter().collect()
    }

    pub(super) fn write_down(&mut self, what: &Value, by: Hand, answer: &Json<Value>) {
        if self.caused.len() == CAUSED_KEPT {
            self.caused.pop_front();
        }
        let at = clock::unix_micros() / 1000;
        self.caused
            .push_back(json!({"unixMs": at, "by": by, "fault": what, "answer": answer.0}));
    }
}

/// A step: so long after the one before it, a fault, or a request to `/sim`.
#[derive(Debug)]
struct Step {
    after: Duration,
    what: What,
}

#[derive(Debug)]
enum What {
    Fault(faults::Body),
    Act(Act),
}

/// A request that the script makes of `/sim`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Act {
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

/// `POST /sim/script`: a list of `{afterMs, kind, …}` and `{afterMs, path, body}`;
/// 202. One at a time.
pub(super) async fn start(
    State(discord): State<Arc<Discord>>,
    Sent(list): Sent<Vec<Value>>,
) -> Result<Response, ControlError> {
    run(&discord, list)
}

/// `GET /sim/script`: what was planned and what was done, with the answers.
pub(super) async fn progress(State(discord): State<Arc<Discord>>) -> Answer {
    Ok(discord.with_script(|script| {
        Json(json!({
            "running": script.running.is_some(),
            "steps": script.steps,
            "done": script.done,
        }))
    }))
}

/// `DELETE /sim/script`: no step follows.
pub(super) async fn stop(State(discord): State<Arc<Discord>>) -> Answer {
    discord.with_script(|script| {
        if let Some(running) = &script.running {
            running.cancel();
        }
    });
    Ok(Json(json!({})))
}

/// Begins a script, or says what is wrong with it.
pub(super) fn run(discord: &Arc<Discord>, list: Vec<Value>) -> Result<Response, ControlError> {
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
    let stopped = discord.stop.child_token();
    let begun = discord.with_script(|script| {
        if script.running.is_some() {
            return false;
        }
        script.running = Some(stopped.clone());
        script.steps = list;
        script.done = Vec::new();
        true
    });
    if !begun {
        return Err(ControlError::Conflict("a script is under way".to_owned()));
    }
    discord.tracker.spawn(play(discord.clone(), steps, stopped));
    Ok((StatusCode::ACCEPTED, Json(json!({"steps": count}))).into_response())
}

fn wrong(place: usize, why: &str) -> ControlError {
    ControlError::Invalid(format!("step {place}: {why}"))
}

fn read(step: &Value) -> Result<Step, String> {
    let mut fields = step.as_object().ok_or("is no object")?.clone();
    let after = match fields.remove("afterMs") {
        None => Duration::ZERO,
        Some(ms) => Duration::from_millis(ms.as_u64().ok_or("afterMs is no whole number")?),
    };
    if after > LONGEST_PAUSE {
        return Err("afterMs is more than an hour".to_owned());
    }
    let is_act = fields.contains_key("path");
    let rest = Value::Object(fields);
    let what = if is_act {
        serde_json::from_value(rest).map(What::Act)
    } else {
        serde_json::from_value(rest).map(What::Fault)
    };
    what.map(|what| Step { after, what })
        .map_err(|error| error.to_string())
}

async fn play(discord: Arc<Discord>, steps: Vec<Step>, stopped: CancellationToken) {
    let mut due = clock::now();
    for (place, step) in steps.into_iter().enumerate() {
        due += step.after;
        select! {
            () = sleep_until(due) => {}
            () = stopped.cancelled() => break,
        }
        let answer = match step.what {
            What::Fault(fault) => match faults::apply(&discord, fault, Hand::Script) {
                Ok(Json(answer)) => json!({"status": 200, "answer": answer}),
                Err(error) => told(error.into_response()).await,
            },
            What::Act(act) => match request(&act) {
                Ok(request) => {
                    let router = super::router(discord.clone()).with_state(discord.clone());
                    match router.oneshot(request).await {
                        Ok(response) => told(response).await,
                    }
                }
                Err(error) => told(error.into_response()).await,
            },
        };
        discord.with_script(|script| {
            let at = clock::unix_micros() / 1000;
            script
                .done
                .push(json!({"step": place, "unixMs": at, "result": answer}));
        });
    }
    discord.with_script(|script| script.running = None);
}

fn request(act: &Act) -> Result<Request<HttpBody>, ControlError> {
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
