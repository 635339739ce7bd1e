//! The simulated Discord of one run, in this process.

use guildhall_simulator::{Application, Config};
use reqwest::{Client, Method};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::simulator_state::SimulatorState;

pub(crate) struct Discord {
    pub(crate) origin: String,
    pub(crate) application: Application,
    http: Client,
    tracker: TaskTracker,
    running: JoinHandle<()>,
    stop: DropGuard,
}

impl Discord {
    pub(crate) async fn start(config: Config, http: Client) -> Self {
        let simulator = config.build().await.expect("a free port");
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        let (address, application) = (simulator.local_addr(), simulator.application());
        let (its_stop, its_tracker) = (stop.clone(), tracker.clone());
        let running = tracker.spawn(async move {
            let served = simulator.run(&its_tracker, its_stop).await;
            served.expect("the simulator serves to the end");
        });
        Self {
            origin: format!("http://{address}"),
            application,
            http,
            tracker,
            running,
            stop: stop.drop_guard(),
        }
    }

    /// The ground truth.
    pub(crate) async fn state(&self) -> SimulatorState {
        let url = format!("{}/sim/state", self.origin);
        let answer = self.http.get(url).send().await.expect("it answers");
        let text = answer.bytes().await.expect("it answers");
        serde_json::from_slice(&text).expect("the state has its shape")
    }

    /// Does something below `/sim`.
    pub(crate) async fn act(&self, method: Method, path: &str, body: &Value) {
        let url = format!("{}/sim{path}", self.origin);
        let answer = self.http.request(method, url).json(body).send().await;
        let answer = answer.expect("it answers");
        let status = answer.status();
        if !status.is_success() {
            let why = answer.text().await.unwrap_or_default();
            panic!("the simulator refused {path} {body}: {status} {why}");
        }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) {
        self.act(Method::POST, path, body).await;
    }

    /// Ends it with all of its tasks.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.running.await.expect("it ends in order");
        self.tracker.close();
        self.tracker.wait().await;
    }
}
