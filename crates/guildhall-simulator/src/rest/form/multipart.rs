//! `multipart/form-data`: the JSON of a body, and the files beside it.

use std::collections::HashMap;

use memchr::memmem::find;
use serde_json::{Value, json};

use super::{PAYLOAD, meant};
use crate::world::LARGEST_FILE;

/// A multipart body, taken apart.
pub(super) struct Multipart {
    /// What stands for a body of JSON; `None` is no JSON.
    pub(super) json: Option<Value>,
    pub(super) files: Vec<NewFile>,
}

/// A file that came with a body. What is in it is not kept.
#[derive(Clone, Debug)]
pub(in crate::rest) struct NewFile {
    /// `n` of the field `files[n]`, by which the JSON names it.
    place: u64,
    name: String,
    content_type: String,
    size: usize,
}

impl NewFile {
    pub(super) fn is_too_large(&self) -> bool {
        self.size as u64 > LARGEST_FILE
    }

    /// Attachment object without what a place in a channel gives it. `described` is what
    /// the JSON says of the file.
    fn object(&self, described: Option<&Value>) -> Value {
        let mut object = json!({
            "filename": self.name,
            "size": self.size,
            "content_type": self.content_type,
        });
        for field in ["description", "title"] {
            if let Some(text) = described.and_then(|one| one[field].as_str()) {
                object[field] = json!(text);
            }
        }
        if let Some(name) = described.and_then(|one| one["filename"].as_str()) {
            object["filename"] = json!(name);
        }
        object
    }
}

/// The attachments of a message: each file, as `attachments` of the JSON describes it.
pub(in crate::rest) fn attachments(files: &[NewFile], described: &[Value]) -> Vec<Value> {
    let is_of = |one: &&Value, place: u64| match &one["id"] {
        Value::String(text) => text.parse() == Ok(place),
        id => id.as_u64() == Some(place),
    };
    files
        .iter()
        .map(|file| file.object(described.iter().find(|one| is_of(one, file.place))))
        .collect()
}

/// Takes a body apart; `boundary` is the parameter of its `Content-Type`.
pub(super) fn read(boundary: &str, body: &[u8]) -> Multipart {
    let mark = format!("--{boundary}");
    let (mut payload, mut fields, mut files) = (None, HashMap::new(), Vec::new());
    for part in parts(body, mark.as_bytes()) {
        let Some(at) = find(part, b"\r\n\r\n") else {
            continue;
        };
        let (head, content) = (&part[..at], &part[at + 4..]);
        let head = String::from_utf8_lossy(head);
        let Some(name) = parameter(&head, "name") else {
            continue;
        };
        if let Some(file) = parameter(&head, "filename") {
            let place = name
                .strip_prefix("files[")
                .and_then(|rest| rest.strip_suffix(']'))
                .and_then(|place| place.parse().ok());
            files.push(NewFile {
                place: place.unwrap_or(files.len() as u64),
                name: file,
                content_type: header(&head, "content-type")
                    .unwrap_or("application/octet-stream")
                    .to_owned(),
                size: content.len(),
            });
        } else if name == PAYLOAD {
            payload = Some(content);
        } else {
            let text = String::from_utf8_lossy(content).into_owned();
            fields.insert(name, text);
        }
    }
    Multipart {
        json: meant(payload, fields),
        files,
    }
}

/// What stands between the marks, without the line ends around it.
fn parts<'a>(body: &'a [u8], mark: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = find(body, mark).map(|at| &body[at + mark.len()..]);
    std::iter::from_fn(move || {
        let begun = rest?.strip_prefix(b"\r\n")?;
        let end = find(begun, mark)?;
        rest = Some(&begun[end + mark.len()..]);
        let part = &begun[..end];
        Some(part.strip_suffix(b"\r\n").unwrap_or(part))
    })
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(one, _)| one.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// A parameter of `Content-Disposition`, which is quoted if there is a `;` in it.
fn parameter(head: &str, name: &str) -> Option<String> {
    let mut rest = header(head, "content-disposition")?.split_once(';')?.1;
    loop {
        let (key, after) = rest.split_once('=')?;
        let (value, after) = value_of(after);
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = after.split_once(';')?.1;
    }
}

/// The value at the beginning of a text, and what comes behind it. Within quotes a quote is
/// written `\"` by some clients and `%22`, as the HTML standard has it, by others.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.trim_start().strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return (text[..end].trim().to_owned(), &text[end..]);
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, one) in quoted.char_indices() {
        match one {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return (plain(&value), &quoted[at + 1..]),
            _ => {
                // A backslash escapes itself and a quote, and stands for itself elsewhere.
                if escaped && !matches!(one, '"' | '\\') {
                    value.push('\\');
                }
                value.push(one);
                escaped = false;
            }
        }
    }
    (plain(&value), "")
}

/// The three characters that the HTML standard escapes in names of fields and files.
fn plain(value: &str) -> String {
    value
        .replace("%22", "\"")
        .replace("%0D", "\r")
        .replace("%0A", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "--x\r\nContent-Disposition: form-data; name=\"payload_json\"\r\n\
        Content-Type: application/json\r\n\r\n{\"attachments\":[{\"id\":\"1\",\"description\":\"a map\"}]}\r\n\
        --x\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"a.txt\"\r\n\
        Content-Type: text/plain\r\n\r\nhello\r\n--x\r\n\
        Content-Disposition: form-data; name=\"files[1]\"; filename=\"b.png\"\r\n\r\n\r\n--x--\r\n";

    #[test]
    fn files_are_told_by_name_and_size_as_the_json_describes_them() {
        let body = read("x", BODY.as_bytes());
        let json = body.json.expect("JSON");
        let described = json["attachments"].as_array().expect("a list");
        let attachments = attachments(&body.files, described);
        assert_eq!(
            attachments,
            [
                json!({"filename": "a.txt", "size": 5, "content_type": "text/plain"}),
                json!({
                    "filename": "b.png", "size": 0, "description": "a map",
                    "content_type": "application/octet-stream",
                }),
            ]
        );
    }

    #[test]
    fn without_json_the_fields_are_the_body() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\nhello\r\n--x--";
        let read = read("x", body.as_bytes());
        assert_eq!(read.json, Some(json!({"content": "hello"})));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_taken_apart(body: Vec<u8>, boundary in ".{0,3}") {
            read(&boundary, &body);
        }
    }
}
