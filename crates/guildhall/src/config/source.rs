//! Where a setting comes from: flag, then environment, then `.env`, then its default.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read},
    path::Path,
};

use super::{
    ConfigError, Mistakes, dotenv,
    misspelling::{as_meant, misspelt},
    mistakes::UnreadableSetting,
    refuse,
    table::{FOREIGN_WORDS, SETTINGS, Setting, SettingKind},
};

/// What was said, and where; nothing is judged yet.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// By setting name.
    pub(crate) flags: BTreeMap<String, String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) dotenv: BTreeMap<String, String>,
    /// What was said of our settings and can't be read.
    pub(crate) mistakes: Vec<UnreadableSetting>,
    /// What can't be read and is none of them.
    pub(crate) warnings: Vec<String>,
}

impl Sources {
    /// Reads the process's environment and `.env` in the working folder, if there is one.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub(crate) fn from_process(flags: BTreeMap<String, String>) -> Self {
        let file = dotenv::read(Path::new(".env"));
        let mut sources = Self {
            flags,
            environment: BTreeMap::new(),
            dotenv: file.values,
            mistakes: file.mistakes,
            warnings: file.warnings,
        };
        for (name, value) in std::env::vars_os() {
            sources.take(name, &value);
        }
        sources
    }

    /// One variable of the environment.
    pub(super) fn take(&mut self, name: OsString, value: &OsStr) {
        let Ok(name) = name.into_string() else {
            return;
        };
        if value.to_str().is_none() && dotenv::ours(&name).is_some() {
            self.mistakes.push(UnreadableSetting {
                sentence: format!("{name} is not UTF-8 text."),
                name,
            });
            return;
        }
        // Of all other names only whether they are there is of interest.
        let value = value.to_string_lossy().into_owned();
        self.environment.insert(name, value);
    }
}

/// Settings by their canonical name; what is empty counts as unset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    values: BTreeMap<&'static str, String>,
    /// What was said of them can't be used, and that has been told.
    spoilt: BTreeSet<&'static str>,
    /// The files of ours in which they were found.
    kept: BTreeMap<&'static str, String>,
    /// Other programs' words for them, which are set.
    foreign: BTreeMap<&'static str, &'static str>,
    /// What is none of our business to refuse.
    pub(crate) warnings: Vec<String>,
    /// What is wrong with what was said, whatever role reads it.
    pub(crate) mistakes: Mistakes,
}

impl Settings {
    /// Judges what was said: misspelt names, contradictions, features not built.
    pub(crate) fn resolve(sources: &Sources) -> Self {
        let mut settings = Self {
            warnings: sources.warnings.clone(),
            ..Self::default()
        };
        for mistake in &sources.mistakes {
            settings.mistakes.add(&mistake.sentence);
            let plain = mistake.name.strip_suffix("_FILE");
            let about = Setting::named(&mistake.name).or_else(|| Setting::named(plain?));
            settings.spoilt.extend(about.map(|setting| setting.name));
        }
        settings.judge_names(sources);
        for setting in SETTINGS {
            settings.resolve_one(setting, sources);
        }
        settings.judge_foreign_words(sources);
        settings
    }

    fn judge_names(&mut self, sources: &Sources) {
        for name in sources.dotenv.keys() {
            if let Some(meant) = misspelt(name) {
                let written = as_meant(name, meant);
                let sentence = format!("{name} in .env is no setting: did you mean {written}?");
                self.mistakes.add(&sentence);
                self.spoilt.insert(meant);
            }
        }
        for name in sources.environment.keys() {
            let Some(meant) = misspelt(name) else {
                continue;
            };
            let written = as_meant(name, meant);
            let sentence = format!("{name} is no setting: did you mean {written}?");
            if name.starts_with("DISCORD_") || name.starts_with("GATEWAY_WS_") {
                self.mistakes.add(&sentence);
                self.spoilt.insert(meant);
            } else {
                self.warnings.push(sentence);
            }
        }
    }

    fn resolve_one(&mut self, setting: &'static Setting, sources: &Sources) {
        let layers = [
            ("", &sources.flags),
            ("", &sources.environment),
            (" in .env", &sources.dotenv),
        ];
        for (place, layer) in layers {
            let value = match in_layer(setting, layer) {
                Ok(Some(value)) => value,
                Ok(None) => continue,
                Err(error) => {
                    self.mistakes.take::<()>(Err(error));
                    self.spoilt.insert(setting.name);
                    return;
                }
            };
            if setting.kind == SettingKind::NotBuilt {
                self.refuse_not_built(setting, place);
                continue;
            }
            if is_quoted(&value) {
                self.mistakes.add(&format!(
                    "{}{place} is in quotation marks, which are part of the value here (docker's \
                     --env-file does not take them off): leave them out.",
                    setting.name
                ));
                self.spoilt.insert(setting.name);
                return;
            }
            if !place.is_empty() && setting.kind == SettingKind::Plain && has_variable(&value) {
                self.warnings.push(format!(
                    "{}{place} has a `$`, which means itself: no variable is put in its place.",
                    setting.name
                ));
            }
            self.values.insert(setting.name, value);
            return;
        }
    }

    /// Half of all programs have a DATABASE_URL in the `.env` that they share with us. Whoever puts
    /// one into our own environment means us.
    fn refuse_not_built(&mut self, setting: &Setting, place: &str) {
        let Setting { name, help, .. } = setting;
        if !place.is_empty() || setting.is_anybodys() {
            self.warnings.push(format!(
                "{name}{place} is passed over: this build has no such feature yet ({help})."
            ));
        } else {
            self.mistakes.add(&format!(
                "{name} is set, but this build has no such feature yet ({help}): unset it."
            ));
        }
    }

    /// Names that other libraries have for what we call otherwise.
    fn judge_foreign_words(&mut self, sources: &Sources) {
        for (word, meant) in FOREIGN_WORDS {
            let layers = [&sources.environment, &sources.dotenv];
            if layers.iter().any(|layer| filled(layer, word).is_some()) {
                self.foreign.entry(meant).or_insert(word);
            }
        }
    }

    /// What is odd about settings that can be used.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = String> {
        let foreign = self.foreign.iter();
        let foreign = foreign
            .map(|(meant, word)| format!("{word} is no setting of ours: did you mean {meant}?"));
        self.warnings.iter().cloned().chain(foreign)
    }

    /// The value of a setting, or its default.
    pub(crate) fn get(&self, name: &'static str) -> Option<&str> {
        let default = || Setting::named(name).and_then(|setting| setting.default);
        self.values.get(name).map(String::as_str).or_else(default)
    }

    /// Whether somebody set it, even if it was to something that can't be used.
    pub(crate) fn is_set(&self, name: &'static str) -> bool {
        self.values.contains_key(name) || self.spoilt.contains(name)
    }

    /// The value of a setting that must be there.
    pub(crate) fn require(&self, name: &'static str) -> Result<&str, ConfigError> {
        if self.spoilt.contains(name) {
            return Err(ConfigError::told());
        }
        match (self.get(name), Setting::named(name)) {
            (Some(value), _) => Ok(value),
            (None, setting) => {
                let help = setting.map_or("", |setting| setting.help);
                if let Some(word) = self.foreign.get(name) {
                    return refuse!(
                        "{name} is not set ({help}), but {word} is: did you mean {name}?"
                    );
                }
                refuse!("{name} is not set ({help}): set it in the environment or in .env.")
            }
        }
    }

    /// Sets a value from inside: the demo's own choices, generated secrets, bound ports.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.spoilt.remove(name);
        self.kept.remove(name);
        self.values.insert(name, value.into());
    }

    /// Forgets a value that can't be used.
    pub(crate) fn unset(&mut self, name: &'static str) {
        self.values.remove(name);
    }

    /// Sets a value that was found in a file of ours.
    pub(super) fn set_from(&mut self, name: &'static str, value: &str, file: &str) {
        self.set(name, value);
        self.kept.insert(name, file.to_owned());
    }

    /// A setting's name as a refusal has it: with the file that nobody would think of.
    pub(super) fn written(&self, name: &'static str) -> String {
        match self.kept.get(name) {
            Some(file) => format!("{name} in {file}"),
            None => name.to_owned(),
        }
    }
}

fn filled<'a>(layer: &'a BTreeMap<String, String>, name: &str) -> Option<&'a String> {
    layer.get(name).filter(|value| !value.trim().is_empty())
}

/// In the same marks at both ends. A secret may well begin or end with one.
pub(super) fn is_quoted(value: &str) -> bool {
    let inner = |mark: char| value.strip_prefix(mark)?.strip_suffix(mark);
    ['"', '\'', '`']
        .into_iter()
        .any(|mark| inner(mark).is_some())
}

fn has_variable(value: &str) -> bool {
    let begins = |c: char| c == '{' || c == '_' || c.is_ascii_alphabetic();
    value
        .split('$')
        .skip(1)
        .any(|rest| rest.starts_with(begins))
}

/// One setting in one layer: its name, its aliases, its file.
fn in_layer(
    setting: &Setting,
    layer: &BTreeMap<String, String>,
) -> Result<Option<String>, ConfigError> {
    let mut found: Option<(&str, String)> = None;
    for name in std::iter::once(&setting.name).chain(setting.aliases) {
        let Some(value) = filled(layer, name) else {
            continue;
        };
        match &found {
            Some((other, known)) if known != value.trim() => {
                return refuse!("{other} and {name} say different things: set one of them.");
            }
            Some(_) => {}
            None => found = Some((name, value.trim().to_owned())),
        }
    }
    let file = format!("{}_FILE", setting.name);
    match (setting.kind, filled(layer, &file)) {
        (_, None) | (SettingKind::Plain, _) => {}
        (SettingKind::Secret, Some(_)) if found.is_some() => {
            return refuse!("{} and {file} are both set: set one of them.", setting.name);
        }
        (SettingKind::Secret, Some(path)) => return in_file(&file, path.trim()).map(Some),
        (SettingKind::NotBuilt, Some(path)) => return Ok(Some(path.clone())),
    }
    Ok(found.map(|(_, value)| value))
}

/// Far longer than any secret: a path to something endless must not fill the memory.
const LONGEST_FILE: u64 = 64 * 1024;

/// What a file holds, without the blanks and line ends around it.
fn in_file(name: &str, path: &str) -> Result<String, ConfigError> {
    // Somebody may have put the secret itself there.
    let shown = if path.contains('/') {
        format!("{path:?}")
    } else {
        "a file".to_owned()
    };
    let text = match read_short(path) {
        Ok(text) => text,
        Err(error) => return refuse!("{name} names {shown}, which can't be read: {error}."),
    };
    let text = text.trim_start_matches('\u{FEFF}').trim();
    if text.is_empty() {
        return refuse!("{name} names {shown}, which is empty.");
    }
    Ok(text.to_owned())
}

fn read_short(path: &str) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?
        .take(LONGEST_FILE)
        .read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read >= LONGEST_FILE) {
        return Err(io::Error::other("it is longer than any secret"));
    }
    Ok(text)
}
