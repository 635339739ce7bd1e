//! `NAME=value` as dotenv files have it: `export` before it, a value bare or in `'`, `"` or
//! backticks, a comment after it.

use std::{borrow::Cow, fmt};

use super::super::misspelling::misspelt;

/// A name and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) value: String,
}

/// A line that is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: usize,
    /// The setting of ours that it is about.
    pub(super) names: Option<String>,
    pub(super) why: Why,
}

/// What is wrong with a line. None of them quotes it: it may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    NoPair,
    Spaces,
    Unclosed,
    AfterQuote,
    NoText,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPair => "it is not NAME=value",
            Self::Spaces => "a value with spaces goes in quotes",
            Self::Unclosed => "its quote is never closed",
            Self::AfterQuote => "something follows the closing quote",
            Self::NoText => "it is not UTF-8 text",
        })
    }
}

/// What was found.
pub(super) struct Entries {
    /// How many lines there are.
    pub(super) lines: usize,
    pub(super) found: Vec<Result<Entry, Unreadable>>,
}

/// Reads all lines.
pub(super) fn entries(bytes: &[u8]) -> Entries {
    let text = decoded(bytes);
    let lines = lines(&text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let (read, next) = one(&lines, at);
        found.extend(read.map(|read| {
            read.map_err(|why| Unreadable {
                line: at + 1,
                names: about(lines[at]),
                why,
            })
            .map(|(name, value)| Entry {
                line: at + 1,
                name,
                value,
            })
        }));
        at = next;
    }
    Entries {
        lines: lines.len(),
        found,
    }
}

/// UTF-8, with or without a mark before it; Windows' tools write UTF-16, which has one.
fn decoded(bytes: &[u8]) -> Cow<'_, [u8]> {
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = rest.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        let text: String = char::decode_utf16(units)
            .map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        Cow::Owned(unmarked(text.as_bytes()).to_vec())
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => Cow::Borrowed(unmarked(bytes)),
    }
}

/// Without the mark, which tools that join or convert files put before one that is there already.
fn unmarked(mut text: &[u8]) -> &[u8] {
    while let Some(rest) = text.strip_prefix(b"\xEF\xBB\xBF") {
        text = rest;
    }
    text
}

/// Lines end as they do on any system.
fn lines(text: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        lines.extend(line.split(|byte| *byte == b'\r'));
    }
    lines
}

type Pair = (String, String);

/// The line at this place; `None`: there is nothing in it. And where the next one begins.
fn one(lines: &[&[u8]], at: usize) -> (Option<Result<Pair, Why>>, usize) {
    let next = at + 1;
    let Some(line) = text(lines[at]) else {
        return (Some(Err(Why::NoText)), next);
    };
    let line = line.trim_start();
    if line.is_empty() || line.starts_with('#') {
        return (None, next);
    }
    let Some((name, rest)) = pair(line) else {
        return (Some(Err(Why::NoPair)), next);
    };
    let name = name.to_owned();
    let begin = rest.trim_start();
    let Some(quote) = begin.chars().next().filter(|c| "'\"`".contains(*c)) else {
        return (Some(bare(rest).map(|value| (name, value))), next);
    };
    match quoted(lines, at, &begin[1..], quote) {
        Ok((value, next)) => (Some(Ok((name, value))), next),
        Err(why) => (Some(Err(why)), next),
    }
}

fn text(line: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(line).ok()?;
    (!text.contains('\0')).then_some(text)
}

/// The name before `=`, and what comes after it.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.split_once('=')?;
    let name = name.trim();
    let exported = name.strip_prefix("export").filter(|rest| {
        let blank = rest.starts_with([' ', '\t']);
        blank && !rest.trim().is_empty()
    });
    let name = exported.map_or(name, str::trim);
    let mut letters = name.chars();
    let begins = letters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let goes_on = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    (begins && letters.all(goes_on)).then_some((name, rest))
}

/// To a ` #` or the end; `#`, `$`, `\` and quotes within it are themselves.
fn bare(rest: &str) -> Result<String, Why> {
    let blank = |c: char| c == ' ' || c == '\t';
    let comment = rest.match_indices('#').map(|(at, _)| at);
    let comment = comment.into_iter().find(|at| rest[..*at].ends_with(blank));
    let value = rest[..comment.unwrap_or(rest.len())].trim();
    if value.contains(char::is_whitespace) {
        return Err(Why::Spaces);
    }
    Ok(value.to_owned())
}

/// To the closing quote, over further lines if need be: but never over one that sets a setting of
/// ours, or somebody else's forgotten quote would swallow it. And where the next line begins.
fn quoted(lines: &[&[u8]], at: usize, begin: &str, quote: char) -> Result<(String, usize), Why> {
    let mut value = String::new();
    let mut rest = begin;
    let mut line = at;
    loop {
        let mut letters = rest.char_indices();
        while let Some((place, letter)) = letters.next() {
            if letter == quote {
                let after = rest[place + 1..].trim();
                if !after.is_empty() && !after.starts_with('#') {
                    return Err(Why::AfterQuote);
                }
                return Ok((value, line + 1));
            }
            if letter != '\\' || quote != '"' {
                value.push(letter);
                continue;
            }
            match letters.next().map(|(_, escaped)| escaped) {
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('t') => value.push('\t'),
                Some(escaped @ ('\\' | '"' | '\'' | '$' | '`')) => value.push(escaped),
                Some(other) => value.extend(['\\', other]),
                None => value.push('\\'),
            }
        }
        line += 1;
        let next = lines
            .get(line)
            .copied()
            .filter(|line| about(line).is_none());
        rest = next.and_then(text).ok_or(Why::Unclosed)?;
        value.push('\n');
    }
}

/// The setting of ours that a line is about, however it is written: `NAME: value`, `set NAME=…`,
/// `- NAME=…`.
fn about(line: &[u8]) -> Option<String> {
    // UTF-16 without a mark has a NUL beside each letter.
    let plain: Vec<u8> = line.iter().copied().filter(|byte| *byte != 0).collect();
    let text = String::from_utf8_lossy(&plain);
    let text = text.trim_start();
    if text.starts_with('#') {
        return None;
    }
    let head = text.split(['=', ':']).next().unwrap_or_default();
    let words = head.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let words = words.filter(|word| !["", "export", "set"].contains(word));
    let mut words = words.take(2);
    // A sentence that has one of our names in it sets nothing.
    let word = if head.len() == text.len() {
        words.next()
    } else {
        words.find(|word| super::ours(word).is_some() || misspelt(word).is_some())
    };
    word.filter(|word| super::ours(word).is_some() || misspelt(word).is_some())
        .map(str::to_owned)
}
