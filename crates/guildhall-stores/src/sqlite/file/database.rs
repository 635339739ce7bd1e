//! The open file: read, and written to.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use super::{
    error::{FileError, StorageError},
    module::{Module, Modules, version_of},
    open::{self, LockedFile},
    row_sums::RowSums,
    rows::{Reading, Writing},
};

/// An open file. Every call waits for the disk.
pub(in crate::sqlite) struct Database {
    pub(super) file: LockedFile,
    path: PathBuf,
    /// Of the file that was opened.
    inode: u64,
    /// What the operator calls the setting that says where the file is.
    folder_setting: &'static str,
    /// Of all modules.
    version: i32,
    sums: RowSums,
    /// Modules that may still have to be refused: then nothing was written.
    unread: Vec<&'static Module>,
    /// Why nothing is done to it any more.
    failed: Option<FileError>,
    /// Something was written, so closing has to tidy up.
    written: bool,
}

impl Database {
    /// Opens the file, or makes one, with these stores in it.
    pub(in crate::sqlite) fn open(
        path: &Path,
        folder_setting: &'static str,
        modules: Modules,
    ) -> Result<Self, FileError> {
        let opened = open::open(path, modules);
        let (file, sums) = opened.map_err(|error| error.reading(path, folder_setting))?;
        Ok(Self {
            file,
            inode: inode(path)
                .map_err(|error| FileError::Failed(format!("{}: {error}", path.display())))?,
            path: path.to_owned(),
            folder_setting,
            version: version_of(modules),
            sums,
            unread: modules.to_vec(),
            failed: None,
            written: false,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads all rows of a module: an error that no retry cures is the file's from then on.
    pub(in crate::sqlite) fn read<T>(
        &mut self,
        module: &'static Module,
        read: impl FnOnce(&mut Reading<'_>) -> Result<T, StorageError>,
    ) -> Result<T, FileError> {
        if let Some(why) = &self.failed {
            return Err(why.clone());
        }
        let mut reading = Reading::new(&self.file.connection, &self.sums);
        let read = read(&mut reading);
        match read.and_then(|read| reading.finish(module.tables, self.version).map(|()| read)) {
            Ok(read) => {
                self.unread.retain(|unread| !std::ptr::eq(*unread, module));
                Ok(read)
            }
            Err(error) => {
                let lasting = error.is_lasting();
                let why = error.reading(&self.path, self.folder_setting);
                Err(if lasting { self.fail(why) } else { why })
            }
        }
    }

    /// Reads some rows of a module all of whose rows were read before.
    pub(in crate::sqlite) fn look<T>(
        &mut self,
        look: impl FnOnce(&Connection) -> Result<T, StorageError>,
    ) -> Result<T, FileError> {
        if let Some(why) = &self.failed {
            return Err(why.clone());
        }
        look(&self.file.connection).map_err(|error| {
            let lasting = error.is_lasting();
            let why = error.reading(&self.path, self.folder_setting);
            if lasting { self.fail(why) } else { why }
        })
    }

    /// Changes rows, in one transaction. Answers when it is durable.
    pub(in crate::sqlite) fn write<T>(
        &mut self,
        change: impl FnOnce(&mut Writing<'_>) -> Result<T, StorageError>,
    ) -> Result<T, FileError> {
        if let Some(why) = &self.failed {
            return Err(why.clone());
        }
        if !self.is_still_there() {
            let path = self.path.display();
            let why = format!("{path} was removed or replaced while it was open");
            return Err(self.fail(FileError::Failed(why)));
        }
        // Whatever is refused stays as it was, so all of it is read before any of it is changed.
        while let Some(module) = self.unread.first().copied() {
            self.read(module, module.verify)?;
        }
        let marked = if self.written {
            Ok(())
        } else {
            mark(&self.file.connection)
        };
        self.written |= marked.is_ok();
        match marked.and_then(|()| self.transact(change)) {
            Ok(changed) => Ok(changed),
            Err(error) => {
                // Where SQLite could not even take back what it had begun it says so here.
                let lasting = error.is_lasting() || !self.file.connection.is_autocommit();
                let why = error.writing(&self.path, self.folder_setting);
                Err(if lasting { self.fail(why) } else { why })
            }
        }
    }

    fn transact<T>(
        &mut self,
        change: impl FnOnce(&mut Writing<'_>) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let transaction = self.file.connection.transaction()?;
        let mut writing = Writing::new(&transaction, self.sums.clone());
        let changed = change(&mut writing)?;
        let sums = writing.into_sums();
        sums.put(&transaction, &self.sums)?;
        transaction.commit()?;
        self.sums = sums;
        Ok(changed)
    }

    /// Closes the file. What does not work now is made up for when it is opened again.
    pub(in crate::sqlite) fn close(self) {
        if !self.written || self.failed.is_some() {
            return self.file.leave();
        }
        let mark = self
            .file
            .connection
            .execute("UPDATE writer SET open = 0", []);
        if mark.is_ok() {
            drop(self.file.connection.close());
        }
    }

    /// Somebody may remove or replace a file that is open; what is written to it then is lost, and
    /// the next process would not find it locked.
    fn is_still_there(&self) -> bool {
        inode(&self.path).is_ok_and(|inode| inode == self.inode)
    }

    fn fail(&mut self, why: FileError) -> FileError {
        self.failed = Some(why.clone());
        why
    }

    /// For what only a test does to a file.
    #[cfg(test)]
    pub(in crate::sqlite) fn connection(&self) -> &Connection {
        &self.file.connection
    }
}

fn inode(path: &Path) -> io::Result<u64> {
    fs::metadata(path).map(|metadata| metadata.ino())
}

/// Says in the file, and not only beside it, that the newest commits are beside it.
fn mark(connection: &Connection) -> Result<(), StorageError> {
    open::write_ahead(connection)?;
    connection.execute("UPDATE writer SET open = 1", [])?;
    let question = "PRAGMA wal_checkpoint(PASSIVE)";
    let (frames, moved): (i64, i64) =
        connection.query_row(question, [], |row| Ok((row.get(1)?, row.get(2)?)))?;
    if frames != moved {
        return Err(StorageError::InvalidRequest(
            "its -wal file could not be written back".to_owned(),
        ));
    }
    Ok(())
}
