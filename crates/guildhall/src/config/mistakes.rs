//! All mistakes of a start, gathered: whoever corrects one and starts again should not meet the
//! next one then.

use super::ConfigError;

/// Something about a setting that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnreadableSetting {
    /// As it was written.
    pub(crate) name: String,
    pub(crate) sentence: String,
}

/// Sentences in the order in which they were found, each once: two roles may read one setting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mistakes(Vec<String>);

impl Mistakes {
    /// Keeps what is wrong, and answers with what is right.
    pub(crate) fn take<T>(&mut self, read: Result<T, ConfigError>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(ConfigError(sentences)) => {
                for sentence in sentences.lines() {
                    self.add(sentence);
                }
                None
            }
        }
    }

    /// Keeps one sentence.
    pub(crate) fn add(&mut self, sentence: &str) {
        if !self.0.iter().any(|said| said == sentence) {
            self.0.push(sentence.to_owned());
        }
    }

    /// All of them.
    pub(crate) fn error(self) -> ConfigError {
        ConfigError(self.0.join("\n"))
    }

    /// Nothing, if nothing is wrong.
    pub(crate) fn none(self) -> Result<(), ConfigError> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(self.error())
    }
}
