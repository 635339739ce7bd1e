//! Which adapter stands behind each port.

/// The gateway's file as it is, for whoever only looks.
mod journal_copy;

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use guildhall_gateway::GatewayPorts;
use guildhall_http::WsUrl;
use guildhall_ports::{
    Clock, CommandJournal, GatewayRegistry, JournalError, Journals, LinkAddress, RevocationStore,
    RoomStore, SystemClock,
    memory::{
        CookieSessionStore, InMemoryEventBus, MemoryRateLimiter, NoOpEventStore,
        SingleInstanceRegistry,
    },
};
use guildhall_stores::sqlite::SqliteJournals;
use guildhall_web::WebPorts;
use rustix::process::{Flock, FlockType, fcntl_getlk};
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep},
};

use crate::{
    config::{ConfigError, Settings},
    lifecycle::ProcessExit,
};

pub(crate) use journal_copy::{JournalFound, look_at_journal};

/// The setting that says where the gateway's own file is.
const FOLDER_SETTING: &str = "DATA_DIR";

/// That file.
const FILE: &str = "gateway.sqlite3";

/// A gateway that is being replaced has this long to end after its successor was started.
const HANDOVER: Duration = Duration::from_secs(10);

/// Between two looks whether it has.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Knows the gateway of this process from its announcement on. Where the process has a web role too,
/// what the gateway announces is what web dials.
pub(crate) fn registry() -> Arc<dyn GatewayRegistry> {
    Arc::new(SingleInstanceRegistry::default())
}

/// Where the gateway is another process, which a setting says where to find.
pub(crate) fn registry_at(gateway_url: &WsUrl) -> Arc<dyn GatewayRegistry> {
    let gateway = LinkAddress::new(gateway_url.as_str());
    Arc::new(SingleInstanceRegistry::at(gateway))
}

/// The time.
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// What the web role asks of the outside: nothing that has to be installed.
pub(crate) fn web(gateways: Arc<dyn GatewayRegistry>) -> WebPorts {
    WebPorts {
        clock: clock(),
        sessions: Arc::new(CookieSessionStore::default()),
        rate_limiter: Arc::new(MemoryRateLimiter::default()),
        gateways,
    }
}

/// What the gateway keeps, in one file that this process has for itself: until the last of these
/// is dropped.
#[derive(Clone)]
pub(crate) struct GatewayStores {
    journals: Arc<dyn Journals>,
    commands: Arc<dyn CommandJournal>,
    rooms: Arc<dyn RoomStore>,
    revocations: Arc<dyn RevocationStore>,
}

/// What the gateway asks of the outside beside its stores: its logs are carried to attachments
/// within this process, and there is no history.
pub(crate) fn gateway(stores: GatewayStores, registry: Arc<dyn GatewayRegistry>) -> GatewayPorts {
    GatewayPorts {
        clock: clock(),
        journals: stores.journals,
        commands: stores.commands,
        rooms: stores.rooms,
        revocations: stores.revocations,
        bus: Arc::new(InMemoryEventBus::default()),
        history: Arc::new(NoOpEventStore),
        registry,
    }
}

/// Opens the gateway's file, waiting for a gateway that is on its way out.
pub(crate) async fn gateway_stores(settings: &Settings) -> Result<GatewayStores, ProcessExit> {
    let folder = PathBuf::from(settings.require(FOLDER_SETTING)?);
    make(&folder).map_err(|error| {
        let folder = folder.display();
        ConfigError(format!(
            "{FOLDER_SETTING}: {folder} can't be made ({error}): set it to a folder of your own."
        ))
    })?;
    let give_up_at = Instant::now() + HANDOVER;
    let mut said = false;
    loop {
        let path = folder.join(FILE);
        let opened = spawn_blocking(move || SqliteJournals::open(&path, FOLDER_SETTING)).await;
        match opened.map_err(anyhow::Error::from)? {
            Ok(all) => {
                return Ok(GatewayStores {
                    journals: Arc::new(all.clone()),
                    commands: Arc::new(all.clone()),
                    rooms: Arc::new(all.clone()),
                    revocations: Arc::new(all),
                });
            }
            Err(JournalError::InUse(_)) if Instant::now() < give_up_at => {
                if !said {
                    tracing::info!("[Gateway] Waiting for the gateway before this one to end");
                    said = true;
                }
                sleep(LOOK_AGAIN).await;
            }
            Err(JournalError::Refused(sentence)) => return Err(ConfigError(sentence).into()),
            // A restart may help: the other one may be ending still.
            Err(
                error
                @ (JournalError::InUse(_) | JournalError::Fenced(_) | JournalError::Failed(_)),
            ) => {
                return Err(ProcessExit::Failed(error.into()));
            }
        }
    }
}

/// The journals in a file.
fn journals_in(path: &Path) -> Result<Arc<dyn Journals>, JournalError> {
    Ok(Arc::new(SqliteJournals::open(path, FOLDER_SETTING)?))
}

/// Whether another process has the journal: the gateway before this one, on its way out. To be
/// asked before the journal is opened here, for whoever closes the file lets go of its own locks.
pub(crate) fn journal_is_in_use(settings: &Settings) -> bool {
    let folder = settings.require(FOLDER_SETTING).map(Path::new);
    let Ok(file) = folder.map(|folder| fs::File::open(folder.join(FILE))) else {
        return false;
    };
    // SQLite's lock is one on bytes of the file; asked for is any of them.
    let whole = Flock::from(FlockType::WriteLock);
    file.is_ok_and(|file| fcntl_getlk(file, &whole).is_ok_and(|held| held.is_some()))
}

fn make(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

#[cfg(test)]
mod tests {
    use guildhall_ports::memory::{
        MemoryCommandJournal, MemoryJournals, MemoryRevocationStore, MemoryRoomStore,
    };

    use super::*;

    #[tokio::test]
    async fn what_the_gateway_of_the_process_announces_is_what_its_web_role_dials() {
        let registry = registry();
        let stores = GatewayStores {
            journals: Arc::new(MemoryJournals::default()),
            commands: Arc::new(MemoryCommandJournal::default()),
            rooms: Arc::new(MemoryRoomStore::default()),
            revocations: Arc::new(MemoryRevocationStore::default()),
        };
        let gateway = gateway(stores, Arc::clone(&registry));
        let web = web(registry);
        assert_eq!(web.gateways.gateways().await, Ok(Vec::new()));
        let address = LinkAddress::new("ws://127.0.0.1:8080/link");
        let announced = gateway.registry.announce(address.clone()).await;
        assert_eq!(announced, Ok(()));
        assert_eq!(web.gateways.gateways().await, Ok(vec![address.clone()]));
        assert_eq!(gateway.registry.withdraw(address).await, Ok(()));
        assert_eq!(web.gateways.gateways().await, Ok(Vec::new()));
    }

    #[tokio::test]
    async fn a_web_role_alone_dials_where_its_setting_says() {
        let url: WsUrl = "wss://gateway.example/link".parse().expect("an address");
        let web = web(registry_at(&url));
        let listed = web.gateways.gateways().await;
        assert_eq!(listed, Ok(vec![LinkAddress::new(url.as_str())]));
    }
}
