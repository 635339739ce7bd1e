//! Names that are nearly those of settings.

use super::table::{SETTINGS, Setting, SettingKind};

/// Names that many programs have for what is theirs, a letter away from one of ours.
const OF_OTHERS: [&str; 1] = ["API_TOKEN"];

/// The setting that was probably meant by a name that is none.
///
/// In a short name two letters are a quarter of it: `DB_PORT` is not meant to be `WEB_PORT`.
pub(crate) fn misspelt(name: &str) -> Option<&'static str> {
    let plain = name.strip_suffix("_FILE").unwrap_or(name);
    // What is not built may be a secret: its file is judged with it.
    let may_have_file =
        Setting::named(plain).is_some_and(|setting| setting.kind != SettingKind::Plain);
    let is_ours = Setting::named(name).is_some() || (plain != name && may_have_file);
    if is_ours || OF_OTHERS.contains(&plain) {
        return None;
    }
    // Only secrets come from files. Many a program has a file for its own RUST_LOG.
    let plain_file = Setting::named(plain)
        .filter(|setting| setting.kind == SettingKind::Plain && setting.name != "RUST_LOG");
    if let Some(setting) = plain_file {
        return Some(setting.name);
    }
    let upper = name.to_ascii_uppercase();
    let names = SETTINGS
        .iter()
        .filter(|setting| setting.kind != SettingKind::NotBuilt)
        .flat_map(|setting| std::iter::once(&setting.name).chain(setting.aliases));
    names
        .filter(|known| known.len() >= 8)
        .map(|known| (distance(&upper, known), *known))
        .filter(|(distance, known)| *distance <= if known.len() < 10 { 1 } else { 2 })
        .min()
        .map(|(_, known)| known)
}

/// From a name to this one, or to that of its file.
fn distance(name: &str, known: &str) -> usize {
    let plain = strsim::damerau_levenshtein(name, known);
    plain.min(file_distance(name, known).unwrap_or(usize::MAX))
}

fn file_distance(name: &str, known: &str) -> Option<usize> {
    let is_secret =
        Setting::named(known).is_some_and(|setting| setting.kind == SettingKind::Secret);
    is_secret.then(|| strsim::damerau_levenshtein(name, &format!("{known}_FILE")))
}

/// What [`misspelt`] found, as it was to be written.
pub(super) fn as_meant(name: &str, known: &str) -> String {
    let upper = name.to_ascii_uppercase();
    match file_distance(&upper, known) {
        Some(file) if file < strsim::damerau_levenshtein(&upper, known) => format!("{known}_FILE"),
        _ => known.to_owned(),
    }
}
