//! The operator's listener, apart from the product's ports: `/healthz` (the process answers),
//! `/readyz` (the roles' checks, one line each), `/metrics` (Prometheus), and `/admin` where the
//! process serves browsers.

/// Who has streams open, why somebody sees a room, what happens, ending somebody's sessions, and overlay links.
mod admin;
/// Who is answered.
mod admission;

use std::{fmt::Write, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router, extract::State, http::StatusCode, middleware::from_fn_with_state,
    response::IntoResponse, routing::get,
};
use guildhall_http::{AllowedHosts, Listener, RotatedSecret};
use guildhall_ports::{Check, Condition, Health};
use guildhall_web::WebAdmin;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::config::{ConfigError, not_bound};

/// How often the recorder drops what nobody reads any more.
const UPKEEP: Duration = Duration::from_secs(5);

/// Connections at one time. Idle ones are closed for a new one; a probe and a scraper have one
/// each. Their descriptors are left over by every other count.
const CONNECTIONS: usize = 32;

/// The listener, bound.
pub(crate) struct Ops {
    listener: Listener,
    admission: OpsAdmission,
    state: OpsState,
    admin: Option<WebAdmin>,
}

/// Who is answered.
#[derive(Clone, Debug)]
pub(crate) struct OpsAdmission {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// Opens `/admin` to whoever is not on this machine.
    pub(crate) token: Option<RotatedSecret>,
    /// Names by which browsers may ask.
    pub(crate) hosts: AllowedHosts,
}

#[derive(Clone)]
struct OpsState {
    roles: Arc<[Arc<dyn Health>]>,
    metrics: PrometheusHandle,
}

impl Ops {
    /// Binds the listener; spawns nothing.
    pub(crate) fn build(
        admission: OpsAdmission,
        roles: Vec<Arc<dyn Health>>,
        admin: Option<WebAdmin>,
        metrics: PrometheusHandle,
    ) -> Result<Self, ConfigError> {
        let listen = admission.listen;
        let listener = match Listener::bind(listen) {
            Ok(listener) => listener,
            Err(error) => {
                return Err(ConfigError(not_bound(
                    "OPS_HOST", "OPS_PORT", listen, &error,
                )));
            }
        };
        let roles = roles.into();
        let state = OpsState { roles, metrics };
        Ok(Self {
            listener,
            admission,
            state,
            admin,
        })
    }

    /// Where it listens.
    pub(crate) fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until stopped.
    pub(crate) async fn run(self, tracker: &TaskTracker, stop: CancellationToken) {
        let recorder = self.state.metrics.clone();
        let admin = self.admin;
        let admin = admin.map(|admin| admin::routes(admin, self.admission.clone()));
        let router = router(self.state)
            .merge(admin.unwrap_or_default())
            .layer(from_fn_with_state(self.admission, admission::browsers));
        let http = guildhall_http::Config::keep_alive("ops", CONNECTIONS);
        let serving = guildhall_http::serve(self.listener, router, http, tracker, stop.clone());
        tokio::pin!(serving);
        let mut upkeep = tokio::time::interval(UPKEEP);
        loop {
            tokio::select! {
                () = &mut serving => return,
                _ = upkeep.tick() => recorder.run_upkeep(),
            }
        }
    }
}

fn router(state: OpsState) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(state)
}

/// 200 while every check passes or is merely degraded, else 503; a line for each check.
async fn readyz(State(ops): State<OpsState>) -> impl IntoResponse {
    let checks: Vec<Check> = ops.roles.iter().flat_map(|role| role.checks()).collect();
    let failing = checks
        .iter()
        .any(|check| check.condition == Condition::Failing);
    let status = if failing {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    (status, lines(&checks))
}

fn lines(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks {
        let word = match check.condition {
            Condition::Passing => "ok",
            Condition::Degraded => "degraded",
            Condition::Failing => "failing",
        };
        writeln!(text, "{}: {word}: {}", check.name, check.detail)
            .expect("writing to a String can't fail");
    }
    text
}

async fn metrics(State(ops): State<OpsState>) -> impl IntoResponse {
    let form = "text/plain; version=0.0.4; charset=utf-8";
    ([("content-type", form)], ops.metrics.render())
}
