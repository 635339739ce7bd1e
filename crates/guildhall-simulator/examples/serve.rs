//! A simulator on its own: `cargo run -p guildhall-simulator --example serve -- 127.0.0.1:4000`.

use guildhall_simulator::Config;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

#[tokio::main]
#[expect(
    clippy::print_stdout,
    reason = "the address is what whoever starts it wants to read"
)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut config = Config::default();
    if let Some(listen) = std::env::args().nth(1) {
        config.listen = listen.parse()?;
    }
    let simulator = config.build().await?;
    println!("http://{}/", simulator.local_addr());

    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let interrupted = stop.clone();
    tracker.spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.cancel();
        }
    });
    simulator.run(&tracker, stop).await?;
    tracker.close();
    tracker.wait().await;
    Ok(())
}
