//! A running simulator, and the hand under `/sim`.

use std::{path::Path, sync::Once, time::Duration};

use guildhall_simulator::{Application, Config};
use serde_json::Value;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Outcome = Result<(), Failure>;

/// Nothing here takes longer unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The whole tree, of which this crate is a part.
pub(crate) fn repository() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own)
}

/// A simulator on a free port; it stops when this is dropped.
pub(crate) struct House {
    pub(crate) origin: String,
    pub(crate) application: Application,
    http: reqwest::Client,
    stop: CancellationToken,
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl House {
    pub(crate) async fn open(settings: impl FnOnce(&mut Config)) -> Result<Self, Failure> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // An error means another test was first, which is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let mut config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            ..Config::default()
        };
        settings(&mut config);
        // The simulator closes a connection that was idle for its limit: none is used again shortly before.
        let http = reqwest::Client::builder().pool_idle_timeout(config.head_limit / 2);
        let simulator = config.build().await?;
        let origin = format!("http://{}", simulator.local_addr());
        let application = simulator.application();
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let (tasks, stopped) = (tracker.clone(), stop.clone());
        tracker.spawn(async move { simulator.run(&tasks, stopped).await });
        Ok(Self {
            origin,
            application,
            http: http.timeout(PATIENCE).build()?,
            stop,
        })
    }

    pub(crate) async fn state(&self) -> Result<Value, Failure> {
        self.act("GET", "/state", &Value::Null).await
    }

    /// Acts through `/sim`; anything but success is a failure.
    pub(crate) async fn act(
        &self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        let url = format!("{}/sim{path}", self.origin);
        let method = reqwest::Method::from_bytes(method.as_bytes())?;
        let answer = self
            .http
            .request(method.clone(), url)
            .json(body)
            .send()
            .await?;
        let status = answer.status();
        let told: Value = answer.json().await?;
        if status.is_success() {
            Ok(told)
        } else {
            Err(format!("{method} /sim{path}: {status} {told}").into())
        }
    }

    /// Calls a route of the bot's until its bucket is empty.
    pub(crate) async fn spend(&self, path: &str) -> Outcome {
        let url = format!("{}/api/v10{path}", self.origin);
        let token = format!("Bot {}", self.application.bot_token);
        for _ in 0..1000 {
            let call = self.http.get(&url).header("authorization", &token);
            if call.send().await?.status() == reqwest::StatusCode::TOO_MANY_REQUESTS {
                return Ok(());
            }
        }
        Err(format!("a thousand calls of {path} met no 429").into())
    }
}
