//! Reads `.env` line by line. The file is shared with other programs, which read more into it than
//! we do: a mistake ends at the line it stands in, and one that is about none of our settings is a
//! warning.
//!
//! Nothing is put in the place of a `$`, or a secret that has one would be another secret.

/// One line, or several that a quoted value spans.
mod line;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use super::{
    mistakes::UnreadableSetting,
    table::{Setting, SettingKind},
};
use line::{Entry, Unreadable, entries};

/// Nobody writes more than this by hand. The longest `.env` of a public repository that was looked
/// at has 40 KiB.
const LONGEST: u64 = 1024 * 1024;

/// So many lines are told of one by one.
const TOLD: usize = 5;

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Dotenv {
    /// The last of a name counts.
    pub(super) values: BTreeMap<String, String>,
    /// About what is none of our settings.
    pub(super) warnings: Vec<String>,
    /// About what is.
    pub(super) mistakes: Vec<UnreadableSetting>,
    /// Whether a line is not as such a file has it, ours or not.
    pub(super) unreadable: bool,
}

/// Reads a file. None at all is an empty one, and so is one that can't be read, with a warning.
pub(super) fn read(path: &Path) -> Dotenv {
    let name = path.display().to_string();
    match bytes(path) {
        Ok(Some(bytes)) => parse(&name, &bytes),
        Ok(None) => Dotenv::default(),
        Err(why) => Dotenv {
            warnings: vec![format!("{name} is passed over: {why}.")],
            unreadable: true,
            ..Dotenv::default()
        },
    }
}

fn bytes(path: &Path) -> Result<Option<Vec<u8>>, String> {
    let is = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
        Ok(is) => is,
    };
    // To open a pipe that nobody writes to would be to wait for ever.
    if !is.is_file() {
        let what = if is.is_dir() {
            "folder"
        } else {
            "pipe or device"
        };
        return Err(format!("it is a {what} and no file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    Ok(Some(bytes))
}

/// Reads what is in a file of this name.
pub(super) fn parse(file: &str, bytes: &[u8]) -> Dotenv {
    let mut found = Dotenv::default();
    let whole = u64::try_from(bytes.len()).is_ok_and(|length| length <= LONGEST);
    let read = bytes
        .len()
        .min(usize::try_from(LONGEST).unwrap_or(usize::MAX));
    let mut said_at: BTreeMap<&'static str, Vec<Entry>> = BTreeMap::new();
    let mut passed_over = Vec::new();
    let entries = entries(&bytes[..read]);
    let lines = entries.lines;
    for entry in entries.found {
        match entry {
            Ok(entry) => {
                if let Some(setting) = ours(&entry.name) {
                    let entries = said_at.entry(setting.name).or_default();
                    entries.extend((entry.name == setting.name).then(|| entry.clone()));
                }
                found.values.insert(entry.name, entry.value);
            }
            Err(Unreadable { line, names, why }) => {
                found.unreadable = true;
                match names {
                    Some(name) => found.mistakes.push(UnreadableSetting {
                        sentence: format!("Line {line} of {file}, {name}, can't be read: {why}."),
                        name,
                    }),
                    None => passed_over.push(format!(
                        "Line {line} of {file} is passed over, for it can't be read: {why}."
                    )),
                }
            }
        }
    }
    found.mistakes.extend(
        said_at
            .into_iter()
            .filter_map(|(name, entries)| contradiction(file, name, &entries)),
    );
    let more = passed_over.len().saturating_sub(TOLD);
    passed_over.truncate(TOLD);
    found.warnings.append(&mut passed_over);
    if more > 0 {
        found.warnings.push(format!(
            "{more} more lines of {file} are passed over as well."
        ));
    }
    if !whole {
        found.warnings.push(format!(
            "{file} is longer than 1 MiB: what comes after line {lines} is not read."
        ));
        found.unreadable = true;
    }
    found
}

/// A setting of ours that this build has, or that names one's file.
pub(super) fn ours(name: &str) -> Option<&'static Setting> {
    let plain = name.strip_suffix("_FILE").unwrap_or(name);
    let setting = Setting::named(name)
        .or_else(|| Setting::named(plain).filter(|setting| setting.kind == SettingKind::Secret))?;
    (setting.kind != SettingKind::NotBuilt).then_some(setting)
}

/// A setting that is given twice, and not the same.
fn contradiction(file: &str, name: &'static str, entries: &[Entry]) -> Option<UnreadableSetting> {
    let full = |entry: &&Entry| !entry.value.trim().is_empty();
    let mut entries = entries.iter().filter(full);
    let first = entries.next()?;
    let other = entries.find(|entry| entry.value.trim() != first.value.trim())?;
    Some(UnreadableSetting {
        name: name.to_owned(),
        sentence: format!(
            "Lines {} and {} of {file} say different things about {name}: keep one.",
            first.line, other.line
        ),
    })
}

#[cfg(test)]
mod tests;
