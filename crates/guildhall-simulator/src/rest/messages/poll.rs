//! Polls, as they are begun.

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::{rest::form::Form, snowflake::iso};

/// Answers of a poll.
const MOST_ANSWERS: usize = 10;
/// Hours that it lasts.
const LONGEST: u32 = 768;

/// `poll` of a body as the Poll object that comes of it.
pub(super) fn read(form: &mut Form, now: OffsetDateTime) -> Option<Value> {
    let mut poll = form.form("poll")?;
    for needed in ["question", "answers"] {
        poll.must_have(needed);
    }
    let question = poll.form("question").and_then(|mut question| {
        question.must_have("text");
        let text = question.text("text", 1..=300);
        poll.absorb(&["question"], question);
        text
    });
    let mut answers = Vec::new();
    for (place, mut answer) in poll.forms("answers").unwrap_or_default() {
        answer.must_have("poll_media");
        if let Some(mut media) = answer.form("poll_media") {
            media.must_have("text");
            let text = media.text("text", 1..=55);
            let mut shown = json!({});
            if let Some(text) = text {
                shown["text"] = json!(text);
            }
            if let Some(emoji) = media.take("emoji").filter(|emoji| !emoji.is_null()) {
                shown["emoji"] = emoji;
            }
            answer.absorb(&["poll_media"], media);
            answers.push(json!({"answer_id": answers.len() + 1, "poll_media": shown}));
        }
        poll.absorb(&["answers", &place], answer);
    }
    if !(1..=MOST_ANSWERS).contains(&answers.len()) {
        let message = format!("Must be between 1 and {MOST_ANSWERS} in length.");
        poll.wrong(&["answers"], "BASE_TYPE_BAD_LENGTH", message);
    }
    // discord.py 2.7.1 divides, and says 1.0.
    poll.without_fraction("duration");
    let hours = poll.small("duration", 1..=LONGEST).unwrap_or(24);
    let several = poll.flag("allow_multiselect").unwrap_or(false);
    let layout = poll.small("layout_type", 1..=1).unwrap_or(1);
    form.absorb(&["poll"], poll);
    Some(json!({
        "question": {"text": question?},
        "answers": answers,
        "expiry": iso(now + Duration::hours(hours.into())),
        "allow_multiselect": several,
        "layout_type": layout,
        "results": {"is_finalized": false, "answer_counts": []},
    }))
}
