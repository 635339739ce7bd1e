//! The `.env` in the working folder.

use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
};

use crate::{adapters, config::secrets::write_aside};

const FILE: &str = ".env";

/// Whether something has that name, be it a file or not.
pub(super) fn is_there() -> bool {
    fs::symlink_metadata(FILE).is_ok()
}

/// Writes it, for its owner alone. What was there goes to another name, which is answered; unless that was
/// asked for, nothing is written over it, even if it has come just now.
pub(super) fn write(values: &[(&str, &str)], overwrite: bool) -> io::Result<Option<String>> {
    let mut text =
        "# Written by `guildhall init`. .env.example says what else can be set.\n".to_owned();
    for (name, value) in values {
        text.extend([name, "=", value, "\n"]);
    }
    let aside = write_aside(Path::new(FILE), &text)?;
    let written = put(&aside, overwrite);
    if written.is_err() {
        // It has the secrets; that it is still there is told by nobody.
        drop(fs::remove_file(&aside));
    }
    written
}

fn put(aside: &Path, overwrite: bool) -> io::Result<Option<String>> {
    // A second name for it, which a file that is there refuses.
    match fs::hard_link(aside, FILE) {
        Ok(()) => {
            fs::remove_file(aside)?;
            Ok(None)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists && overwrite => {
            let kept = format!("{FILE}.{}", adapters::clock().now());
            fs::rename(FILE, &kept)?;
            fs::rename(aside, FILE)?;
            Ok(Some(kept))
        }
        Err(error) => Err(error),
    }
}
