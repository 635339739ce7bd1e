//! Secrets: which are refused, and how `guildhall all` makes its own.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use guildhall_http::{RotatedSecret, Secret, StrongSecret};

use super::{ConfigError, Settings, dotenv, guess, parse, refuse, source::is_quoted};

/// What `.env.example` prints is known to everybody.
const EXAMPLE: &str = include_str!("../../../../.env.example");

/// The file inside `DATA_DIR`.
const FILE: &str = "secrets.env";

/// The comma-separated secrets of a setting, each long enough and none of them public.
pub(super) fn strong(
    settings: &Settings,
    name: &'static str,
    most: usize,
) -> Result<RotatedSecret, ConfigError> {
    const MAKE: &str = "make one with `openssl rand -hex 32`";
    let text = settings.require(name)?;
    let name = &settings.written(name);
    let said: Vec<&str> = parse::list(text).collect();
    if said.len() > most {
        return refuse!("{name} holds 1 to {most} secrets, comma-separated.");
    }
    let mut secrets = Vec::new();
    for secret in said {
        let Ok(secret) = StrongSecret::try_from(usable(name, secret, MAKE)?) else {
            let least = StrongSecret::MIN_LENGTH;
            return refuse!("{name} is shorter than {least} characters: {MAKE}.");
        };
        secrets.push(secret);
    }
    let mut secrets = secrets.into_iter();
    let Some(current) = secrets.next() else {
        return refuse!("{name} holds 1 to {most} secrets, comma-separated.");
    };
    Ok(RotatedSecret {
        current,
        others: secrets.collect(),
    })
}

/// Refuses what is no secret of anybody's. `cure`: where to get one.
pub(super) fn usable(name: &str, secret: &str, cure: &str) -> Result<Secret, ConfigError> {
    if is_in_example(secret) || guess::is_placeholder(secret) {
        return refuse!("{name} is a placeholder, such as .env.example prints them: {cure}.");
    }
    if is_quoted(secret) {
        return refuse!("{name} has quotation marks, which are part of it here: leave them out.");
    }
    let Ok(usable) = secret.parse() else {
        return refuse!("{name} has a blank or a letter that is not ASCII in it: {cure}.");
    };
    if guess::is_guessed(secret) {
        return refuse!(
            "{name} repeats a few characters or counts on, which is guessed at once: {cure}."
        );
    }
    Ok(usable)
}

/// Whether a value is printed in `.env.example`.
fn is_in_example(value: &str) -> bool {
    EXAMPLE
        .lines()
        .filter_map(|line| line.trim_start_matches(['#', ' ']).split_once('='))
        .any(|(_, printed)| printed.trim() == value)
}

/// Takes what `DATA_DIR/secrets.env` has of those of `names` that nobody set. Returns all
/// that the file has.
pub(crate) fn take_kept(
    settings: &mut Settings,
    names: &[&'static str],
) -> Result<Vec<(String, String)>, ConfigError> {
    let missing = missing(settings, names);
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let path = Path::new(settings.require("DATA_DIR")?).join(FILE);
    let file = dotenv::read(&path);
    if file.unreadable {
        let why = file.warnings.into_iter().next();
        let why = why.or_else(|| Some(file.mistakes.into_iter().next()?.sentence));
        let why = why.unwrap_or_default();
        return Err(unusable(&path, &missing, &why.trim_end_matches('.')));
    }
    for name in missing {
        if let Some(value) = file.values.get(name) {
            settings.set_from(name, value, &path.display().to_string());
        }
    }
    Ok(file.values.into_iter().collect())
}

/// Takes what is kept, makes what is missing in `names`, and writes the file back (mode 0600,
/// aside and renamed, so that a crash leaves the old one).
pub(crate) fn generate_missing(
    settings: &mut Settings,
    names: &[&'static str],
) -> Result<(), ConfigError> {
    let mut known = take_kept(settings, names)?;
    let missing = missing(settings, names);
    if missing.is_empty() {
        return Ok(());
    }
    for name in missing.iter().copied() {
        let value = random_hex();
        known.push((name.to_owned(), value.clone()));
        settings.set(name, value);
    }
    let folder = Path::new(settings.require("DATA_DIR")?);
    let path = folder.join(FILE);
    keep(folder, &path, &known).map_err(|error| unusable(&path, &missing, &error))
}

fn missing(settings: &Settings, names: &[&'static str]) -> Vec<&'static str> {
    let names = names.iter().copied();
    names.filter(|name| !settings.is_set(name)).collect()
}

fn unusable(path: &Path, missing: &[&'static str], why: &dyn std::fmt::Display) -> ConfigError {
    ConfigError(format!(
        "{} can't be used for generated secrets ({why}): set DATA_DIR to a folder of your own, or set {}.",
        path.display(),
        missing.join(" and ")
    ))
}

fn keep(folder: &Path, path: &Path, secrets: &[(String, String)]) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder)?;
    let mut text = "# Made by guildhall. Deleting a line makes a new secret.\n".to_owned();
    for (name, value) in secrets {
        text.extend([name, "=", value, "\n"]);
    }
    fs::rename(write_aside(path, &text)?, path)
}

/// Writes a file for its owner alone beside where it is to be, and answers with its name: whatever ends this,
/// there is the old one or the new one.
pub(crate) fn write_aside(path: &Path, text: &str) -> io::Result<PathBuf> {
    let aside = path.with_extension(format!("env.{}", std::process::id()));
    // Left by a process of the same id that was killed between these lines.
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&aside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(aside)
}

/// 256 random bits.
pub(crate) fn random_hex() -> String {
    use std::fmt::Write as _;
    #[expect(clippy::disallowed_methods, reason = "a secret is made of chance")]
    let bits: [u8; 32] = rand::random();
    bits.iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("writing to a String can't fail");
            hex
        })
}
