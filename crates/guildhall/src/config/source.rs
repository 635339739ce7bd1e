//! Where a setting comes from: flag, then environment, then `.env`, then its default.

use std::{collections::BTreeMap, path::Path};

use super::{
    ConfigError, refuse,
    table::{Kind, SETTINGS, Setting},
};

/// What was said, and where; nothing is judged yet.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// By setting name.
    pub(crate) flags: BTreeMap<String, String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) dotenv: BTreeMap<String, String>,
}

impl Sources {
    /// Reads the process's environment and `.env` in the working folder, if there is one.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub(crate) fn from_process(flags: BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let mut environment = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else {
                continue;
            };
            let Ok(value) = value.into_string() else {
                if Setting::named(&name).is_some() {
                    return refuse!("{name} is not UTF-8 text.");
                }
                continue;
            };
            environment.insert(name, value);
        }
        Ok(Self {
            flags,
            environment,
            dotenv: read_dotenv(Path::new(".env"))?,
        })
    }
}

fn read_dotenv(path: &Path) -> Result<BTreeMap<String, String>, ConfigError> {
    let lines = match dotenvy::from_path_iter(path) {
        Ok(lines) => lines,
        Err(error) if error.not_found() => return Ok(BTreeMap::new()),
        Err(error) => return refuse!("{} can't be read: {error}.", path.display()),
    };
    lines
        .collect::<Result<_, _>>()
        // The parser's message quotes the line, and the line may hold a secret.
        .map_err(|_| {
            ConfigError(format!(
                "{} has a line that is not NAME=value; quote values with spaces or '#'.",
                path.display()
            ))
        })
}

/// Settings by their canonical name; what is empty counts as unset.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    values: BTreeMap<&'static str, String>,
    /// Names that look like a slip of the pen but are none of our business to refuse.
    pub(crate) warnings: Vec<String>,
}

impl Settings {
    /// Judges what was said: misspelt names, contradictions, features not built.
    pub(crate) fn resolve(sources: &Sources) -> Result<Self, ConfigError> {
        let mut settings = Self::default();
        for name in sources.dotenv.keys() {
            if let Some(meant) = misspelt(name) {
                return refuse!("{name} in .env is no setting: did you mean {meant}?");
            }
        }
        for name in sources.environment.keys() {
            if let Some(meant) = misspelt(name) {
                if name.starts_with("DISCORD_") || name.starts_with("GATEWAY_WS_") {
                    return refuse!("{name} is no setting: did you mean {meant}?");
                }
                let warning = format!("{name} is no setting: did you mean {meant}?");
                settings.warnings.push(warning);
            }
        }
        for setting in SETTINGS {
            let layers = [&sources.flags, &sources.environment, &sources.dotenv];
            for layer in layers {
                if let Some(value) = in_layer(setting, layer)? {
                    settings.values.insert(setting.name, value);
                    break;
                }
            }
            if setting.kind == Kind::NotBuilt && settings.values.contains_key(setting.name) {
                return refuse!(
                    "{} is set, but this build has no such feature yet ({}): unset it.",
                    setting.name,
                    setting.help
                );
            }
        }
        Ok(settings)
    }

    /// The value of a setting, or its default.
    pub(crate) fn get(&self, name: &'static str) -> Option<&str> {
        let default = || Setting::named(name).and_then(|setting| setting.default);
        self.values.get(name).map(String::as_str).or_else(default)
    }

    /// Whether somebody set it.
    pub(crate) fn is_set(&self, name: &'static str) -> bool {
        self.values.contains_key(name)
    }

    /// The value of a setting that must be there.
    pub(crate) fn require(&self, name: &'static str) -> Result<&str, ConfigError> {
        match (self.get(name), Setting::named(name)) {
            (Some(value), _) => Ok(value),
            (None, setting) => {
                let help = setting.map_or("", |setting| setting.help);
                refuse!("{name} is not set ({help}): set it in the environment or in .env.")
            }
        }
    }

    /// Sets a value from inside: the demo's own choices, generated secrets, bound ports.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.values.insert(name, value.into());
    }
}

/// One setting in one layer: its name, its aliases, its file.
fn in_layer(
    setting: &Setting,
    layer: &BTreeMap<String, String>,
) -> Result<Option<String>, ConfigError> {
    let said = |name: &str| layer.get(name).filter(|value| !value.trim().is_empty());
    let mut found: Option<(&str, String)> = None;
    for name in std::iter::once(&setting.name).chain(setting.aliases) {
        let Some(value) = said(name) else { continue };
        match &found {
            Some((other, known)) if known != value.trim() => {
                return refuse!("{other} and {name} say different things: set one of them.");
            }
            Some(_) => {}
            None => found = Some((name, value.trim().to_owned())),
        }
    }
    if setting.kind == Kind::Secret {
        let file = format!("{}_FILE", setting.name);
        if let Some(path) = said(&file) {
            if found.is_some() {
                return refuse!("{} and {file} are both set: set one of them.", setting.name);
            }
            return match std::fs::read_to_string(path.trim()) {
                Ok(text) if !text.trim().is_empty() => Ok(Some(text.trim().to_owned())),
                Ok(_) => refuse!("{file} names {path}, which is empty."),
                Err(error) => refuse!("{file} names {path}, which can't be read: {error}."),
            };
        }
    }
    Ok(found.map(|(_, value)| value))
}

/// The setting that was probably meant by a name that is none.
fn misspelt(name: &str) -> Option<&'static str> {
    let plain = name.strip_suffix("_FILE").unwrap_or(name);
    let secret_file = Setting::named(plain).is_some_and(|setting| setting.kind == Kind::Secret);
    if Setting::named(name).is_some() || (plain != name && secret_file) {
        return None;
    }
    let names = SETTINGS
        .iter()
        .flat_map(|setting| std::iter::once(&setting.name).chain(setting.aliases));
    names
        .map(|known| (strsim::damerau_levenshtein(name, known), *known))
        .filter(|(distance, known)| *distance <= 2 && known.len() >= 8)
        .min()
        .map(|(_, known)| known)
}
