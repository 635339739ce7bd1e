//! Errors of connections in words, for logs and for operators.

use std::{error::Error, iter::successors};

/// The error and what caused it, as `a: b: c`. Many errors already say what caused them: that is
/// not said again.
#[must_use]
pub fn error_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    for cause in causes(error) {
        let cause = cause.to_string();
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// The last of the causes, which says most: "connection refused" rather than "error sending".
#[must_use]
pub fn root_cause(error: &dyn Error) -> String {
    causes(error).last().unwrap_or(error).to_string()
}

fn causes(error: &dyn Error) -> impl Iterator<Item = &dyn Error> {
    successors(error.source(), |cause: &&dyn Error| (*cause).source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Caused {
        text: &'static str,
        source: Option<Box<Self>>,
    }

    fn caused(texts: &[&'static str]) -> Option<Box<Caused>> {
        let (text, rest) = texts.split_first()?;
        let source = caused(rest);
        Some(Box::new(Caused { text, source }))
    }

    #[test]
    fn each_cause_is_said_once() {
        for (texts, chain) in [
            (&["refused"][..], "refused"),
            (
                &["sending", "connecting", "refused"],
                "sending: connecting: refused",
            ),
            (&["sending: refused", "refused"], "sending: refused"),
        ] {
            let error = caused(texts).expect("one or more");
            assert_eq!(error_chain(&*error), chain);
            assert_eq!(root_cause(&*error), "refused");
        }
    }
}
