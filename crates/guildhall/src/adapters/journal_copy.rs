//! The gateway's file, looked at as a start would and left as it is: a copy is opened.

use std::{fs, io, path::Path, sync::Arc};

use guildhall_gateway::ShardId;
use guildhall_model::UserId;
use guildhall_ports::{JournalError, Journals};
use rustix::fs::{Access, access};
use tokio::task::spawn_blocking;

use super::{FILE, FOLDER_SETTING, journal_is_in_use, journals_in};
use crate::config::Settings;

/// What SQLite keeps beside a file whose writer was killed, and reads first.
const BESIDE: &str = "-wal";

/// What a start would find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JournalFound {
    /// No file: the first start makes it.
    Nothing,
    /// A gateway has it, and so has read it.
    InUse,
    /// It is whole and of a version that is known. `None`: no bot is in it yet.
    Of(Option<UserId>),
    /// A start would refuse it with this sentence.
    Refused(String),
}

/// Looks at the file in `DATA_DIR`. Waits for the disk.
pub(crate) async fn look_at_journal(settings: &Settings) -> anyhow::Result<JournalFound> {
    let folder = settings.require(FOLDER_SETTING)?;
    let file = Path::new(folder).join(FILE);
    if !file.exists() {
        return Ok(JournalFound::Nothing);
    }
    // Before anything opens it here: whoever closes it lets go of its own locks.
    if journal_is_in_use(settings) {
        return Ok(JournalFound::InUse);
    }
    let shown = file.display().to_string();
    if let Err(error) = access(&file, Access::READ_OK | Access::WRITE_OK) {
        return Ok(JournalFound::Refused(format!(
            "{shown} can't be read and written by this user ({error})"
        )));
    }
    let copied = spawn_blocking(move || -> io::Result<_> {
        let own = tempfile::tempdir()?;
        let copy = own.path().join(FILE);
        fs::copy(&file, &copy)?;
        let beside = |path: &Path| Path::new(&format!("{}{BESIDE}", path.display())).to_owned();
        match fs::copy(beside(&file), beside(&copy)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let opened = journals_in(&copy);
        Ok((own, copy.display().to_string(), opened))
    });
    let (own, copy, opened) = copied.await??;
    let bot = match opened {
        Ok(journals) => bot_in(journals).await,
        Err(error) => Err(error),
    };
    drop(own);
    Ok(match bot {
        Ok(bot) => JournalFound::Of(bot),
        Err(error) => JournalFound::Refused(error.to_string().replace(&copy, &shown)),
    })
}

async fn bot_in(journals: Arc<dyn Journals>) -> Result<Option<UserId>, JournalError> {
    let fence = journals.fence().await?;
    let journal = journals.journal(ShardId::ONLY.log(), fence);
    let contents = journal.load().await?;
    Ok(contents.and_then(|contents| contents.state.bot))
}
