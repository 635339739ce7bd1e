//! Names of query parameters, and those that are nearly one. A filter that is left out shows more,
//! so a misspelt one must not be passed over like somebody else's parameter.

use strsim::osa_distance;

/// What a name means here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Guild,
    Channel,
    Viewing,
    Events,
    /// Whose eyes it is seen with, and in which room: of all names the one that shows most when it is lost.
    Overlay,
    LastEventId,
    /// A filter was meant; which one is said in a sentence.
    Misspelt(&'static str),
    /// Not ours: somebody's cache buster, a later version's parameter.
    Foreign,
}

const GUILD: &str = "This query has a name that is not ours. Did you mean `guild`?";
const CHANNEL: &str = "This query has a name that is not ours. Did you mean `channel`?";
const VIEWING: &str = "This query has a name that is not ours. Did you mean `viewing`?";
const EVENTS: &str = "This query has a name that is not ours. Did you mean `events`?";
const OVERLAY: &str = "This query has a name that is not ours. Did you mean `overlay`?";
const GUILD_WITHIN: &str = "Parameters are separated by `&`, not `;`. Did you mean `&guild=`?";
const CHANNEL_WITHIN: &str = "Parameters are separated by `&`, not `;`. Did you mean `&channel=`?";
const VIEWING_WITHIN: &str = "Parameters are separated by `&`, not `;`. Did you mean `&viewing=`?";
const EVENTS_WITHIN: &str = "Parameters are separated by `&`, not `;`. Did you mean `&events=`?";
const OVERLAY_WITHIN: &str = "Parameters are separated by `&`, not `;`. Did you mean `&overlay=`?";

/// Reads a name. `guild[]` and `guild[0]` are what PHP, Rails, axios and qs make of a list called
/// `guild`, so they mean the same.
pub(super) fn meaning(name: &str) -> Meaning {
    match without_index(name) {
        "guild" => Meaning::Guild,
        "channel" => Meaning::Channel,
        "viewing" => Meaning::Viewing,
        "events" => Meaning::Events,
        "overlay" => Meaning::Overlay,
        "lastEventId" => Meaning::LastEventId,
        _ => nearly(name),
    }
}

/// The name of a list without `[]` or `[NUMBER]` at its end.
fn without_index(name: &str) -> &str {
    let index = |inside: &str| inside.bytes().all(|byte| byte.is_ascii_digit());
    name.strip_suffix(']')
        .and_then(|name| name.rsplit_once('['))
        .filter(|(_, inside)| index(inside))
        .map_or(name, |(name, _)| name)
}

fn nearly(name: &str) -> Meaning {
    let folded = fold(name);
    // Mercure's `Last-Event-ID` and the like lose a replay at most, and what they mean is plain.
    if folded == "lasteventid" {
        return Meaning::LastEventId;
    }
    if folded.contains("guild") {
        return Meaning::Misspelt(GUILD);
    }
    if folded.contains("channel") {
        return Meaning::Misspelt(CHANNEL);
    }
    // Of `filter[events]`, `event.type` and `amp;room` each part may be meant.
    let parts = name
        .split(['[', ']', '.', ';'])
        .map(fold)
        .chain([folded.clone()]);
    let mut stems = parts.flat_map(|part| stems(&part));
    let found = stems.find_map(|stem| misspelt(&stem));
    found.map_or(Meaning::Foreign, Meaning::Misspelt)
}

/// Letters alone, all of them small, and those of East Asian keyboards as ASCII's.
fn fold(name: &str) -> String {
    let letters = name
        .chars()
        .map(to_halfwidth)
        .filter(char::is_ascii_alphabetic);
    letters.map(|it| it.to_ascii_lowercase()).collect()
}

/// The ASCII character that a fullwidth form stands for.
fn to_halfwidth(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(letter as u32 - 0xfee0).unwrap_or(letter),
        _ => letter,
    }
}

/// A filter that stands in another parameter's value because it was separated by `;`, as in
/// `x=1;guild=2`. Values of others are not ours to read further than that.
pub(super) fn within(value: &str) -> Option<&'static str> {
    let names = value.split(';').skip(1);
    let names = names.filter_map(|pair| Some(pair.split_once('=')?.0));
    names.map(str::trim).find_map(|name| match meaning(name) {
        Meaning::Guild => Some(GUILD_WITHIN),
        Meaning::Channel => Some(CHANNEL_WITHIN),
        Meaning::Viewing => Some(VIEWING_WITHIN),
        Meaning::Events => Some(EVENTS_WITHIN),
        Meaning::Overlay => Some(OVERLAY_WITHIN),
        Meaning::Misspelt(message) => Some(message),
        Meaning::LastEventId | Meaning::Foreign => None,
    })
}

/// The word as it is, and without the ends that mean one or several ids.
fn stems(folded: &str) -> [String; 4] {
    let end = |word: &str, end: &str| word.strip_suffix(end).unwrap_or(word).to_owned();
    let singular = end(folded, "s");
    let thing = end(&singular, "id");
    [folded.to_owned(), end(&thing, "s"), thing, singular]
}

fn misspelt(stem: &str) -> Option<&'static str> {
    if ["server", "discordserver", "gid", "gld"].contains(&stem) || near(stem, "guild") {
        Some(GUILD)
    } else if ["room", "voiceroom", "chan", "chnl"].contains(&stem) || near(stem, "channel") {
        Some(CHANNEL)
    } else if ["eventtype", "eventname", "eventfilter", "evt"].contains(&stem)
        || near(stem, "event")
    {
        Some(EVENTS)
    } else if near(stem, "viewing") {
        // Who is passed over does not count, and the room may be taken away under them.
        Some(VIEWING)
    } else if near(stem, "overlay") {
        Some(OVERLAY)
    } else {
        None
    }
}

/// One slip of the keyboard away. `build` is, and is a parameter that others have.
fn near(stem: &str, word: &str) -> bool {
    stem != "build" && osa_distance(stem, word) <= 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_filter_is_known_with_and_without_an_index() {
        for (name, known) in [
            ("guild", Meaning::Guild),
            ("guild[]", Meaning::Guild),
            ("guild[0]", Meaning::Guild),
            ("guild[17]", Meaning::Guild),
            ("channel[]", Meaning::Channel),
            ("viewing", Meaning::Viewing),
            ("viewing[2]", Meaning::Viewing),
            ("events[]", Meaning::Events),
            ("overlay", Meaning::Overlay),
            ("lastEventId", Meaning::LastEventId),
            ("lastEventID", Meaning::LastEventId),
            ("Last-Event-ID", Meaning::LastEventId),
            ("last_event_id", Meaning::LastEventId),
        ] {
            assert_eq!(meaning(name), known, "{name}");
        }
    }

    #[test]
    fn a_misspelt_filter_is_asked_about() {
        for (names, message) in [
            (
                "Guild GUILD guilds guildId guild_id guild-ids guildIDs guild[x] guild[0][] guild. guid gulid gild uild quild juild gid gids gld guil filter[guild] ｇｕｉｌｄ Ｇｕｉｌｄ guildｓ server serverId servers",
                GUILD,
            ),
            (
                "channels channelId channel_ids Channel chanel chanenl hannel vhannel channek chan chnl amp;room voiceChannel room rooms room_id roomIds",
                CHANNEL,
            ),
            (
                "event Events filter[events] event.type eventss evnts vents wvent evt event[] eventType event_types evetns",
                EVENTS,
            ),
            (
                "Viewing viewings viewingId viewing_ids veiwing vieving amp;viewing",
                VIEWING,
            ),
            (
                "Overlay OVERLAY overlays overlayId overlay-id ovelray overlya amp;overlay",
                OVERLAY,
            ),
        ] {
            for name in names.split(' ') {
                assert_eq!(meaning(name), Meaning::Misspelt(message), "{name}");
            }
        }
    }

    #[test]
    fn parameters_of_others_are_passed_over() {
        for name in [
            "",
            "_",
            "t",
            "v",
            "build",
            "token",
            "user",
            "view",
            "viewer",
            "over",
            "cache",
            "utm_source",
            "utm_id",
            "fbclid",
            "gclid",
            "id",
            "ｘ",
            "lang",
            "theme",
            "retry",
            "x",
            "guest",
            "change",
            "[]",
            "[0]",
            "é",
            "]",
            "[",
        ] {
            assert_eq!(meaning(name), Meaning::Foreign, "{name}");
        }
    }

    proptest! {
        /// The names that people and libraries make of ours are never passed over.
        #[test]
        fn no_near_name_shows_more_than_was_asked_for(
            word in prop::sample::select(vec!["guild", "channel", "event", "viewing"]),
            end in prop::sample::select(vec!["", "s", "Id", "Ids", "_id", "_ids", "ID", "-id"]),
            index in prop::sample::select(vec!["", "[]", "[0]", "[a]", "[0][id]"]),
            upper: bool,
        ) {
            let name = format!("{word}{end}{index}");
            let name = if upper { name.to_uppercase() } else { name };
            prop_assert_ne!(meaning(&name), Meaning::Foreign, "{}", name);
        }
    }
}
