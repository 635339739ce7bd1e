//! What a browser asks for: `?guild=&channel=&events=&viewing=&lastEventId=`, or `?overlay=`. Text ends here.

use std::collections::BTreeSet;

use guildhall_model::{
    ChannelId, Cursor, GuildId,
    event::{EVENTS, EventTable, Family, FamilySet},
};

use crate::{
    auth::{OverlayLink, OverlayToken},
    http::ApiError,
    visible::Selector,
};

/// Which parameter a name means.
mod names;

use names::{Meaning, meaning, within};

/// Guilds, and channels, that one query may name.
pub(crate) const MOST_IDS: usize = 100;

/// Rooms on whose pages one stream may say that its person is: as many as fit on a screen.
const MOST_VIEWED: usize = 8;

/// A stream's or a state's query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    /// The named guilds, ascending; empty: all that the viewer shares with the bot.
    pub(crate) guilds: Vec<GuildId>,
    /// What of them.
    pub(crate) selector: Selector,
    /// On whose pages the person is, ascending: they filter nothing.
    pub(crate) viewing: Vec<ChannelId>,
    /// `?overlay=`, as it came: who asks, rather than for what.
    pub(crate) overlay: Option<OverlayToken>,
    /// `?lastEventId=`, as it came.
    pub(crate) last_event_id: Option<String>,
}

impl Query {
    /// Reads the query string. Ids and families are read strictly, since a filter that is not
    /// understood must not show something else; so is a name that is nearly one of ours. Other
    /// names are passed over.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text)
            .map_err(|_| ApiError::invalid("The query string is not form-encoded."))?;
        let (mut guilds, mut channels) = (BTreeSet::new(), BTreeSet::new());
        let mut viewing = BTreeSet::new();
        let mut families: Option<FamilySet> = None;
        let (mut last_event_id, mut overlay) = (None, None);
        for (name, value) in pairs {
            match meaning(&name) {
                Meaning::Guild => {
                    guilds.insert(GuildId(snowflake(&value).ok_or(BAD_GUILD)?));
                }
                Meaning::Channel => {
                    channels.insert(ChannelId(snowflake(&value).ok_or(BAD_CHANNEL)?));
                }
                Meaning::Viewing => {
                    viewing.insert(ChannelId(snowflake(&value).ok_or(BAD_VIEWING)?));
                }
                Meaning::Events => {
                    let asked = families.get_or_insert_default();
                    *asked = with_families(EVENTS, *asked, &value)?;
                }
                Meaning::Overlay => {
                    if overlay.replace(OverlayToken::said(value)).is_some() {
                        return Err(ApiError::invalid("`overlay` is one link, once."));
                    }
                }
                Meaning::Misspelt(message) => return Err(ApiError::invalid(message)),
                other @ (Meaning::LastEventId | Meaning::Foreign) => {
                    if let Some(message) = within(&value) {
                        return Err(ApiError::invalid(message));
                    }
                    if other == Meaning::LastEventId {
                        last_event_id = Some(value);
                    }
                }
            }
        }
        if guilds.len() > MOST_IDS || channels.len() > MOST_IDS {
            return Err(ApiError::invalid(
                "A query names at most 100 guilds and 100 channels.",
            ));
        }
        if viewing.len() > MOST_VIEWED {
            return Err(ApiError::invalid(
                "A query names at most 8 rooms as `viewing`.",
            ));
        }
        Ok(Self {
            guilds: guilds.into_iter().collect(),
            viewing: viewing.into_iter().collect(),
            selector: Selector {
                channels: (!channels.is_empty()).then(|| channels.into_iter().collect()),
                families: families.unwrap_or(Selector::ALL.families),
            },
            overlay,
            last_event_id,
        })
    }

    /// The query of whoever came by an overlay link: about its room, and nothing that they say.
    pub(crate) fn of_overlay(self, link: &OverlayLink) -> Result<Self, ApiError> {
        if !self.guilds.is_empty() || !self.viewing.is_empty() || self.selector != Selector::ALL {
            return Err(ApiError::invalid(
                "An overlay link says itself what it is about: leave `guild`, `channel`, `events` and \
                 `viewing` out.",
            ));
        }
        let families = FamilySet::default();
        Ok(Self {
            guilds: vec![link.guild_id],
            selector: Selector {
                channels: Some(Box::new([link.channel_id])),
                families: families.with(Family::Voice).with(Family::Room),
            },
            ..self
        })
    }

    /// The cursor: the header's, else the query's. One that is none counts as absent: browsers
    /// send back whatever they were given, by whoever was here before.
    pub(crate) fn cursor(&self, header: Option<&str>) -> Option<Cursor> {
        let text = header.filter(|text| !text.is_empty());
        text.or(self.last_event_id.as_deref())?.parse().ok()
    }
}

const BAD_GUILD: ApiError = ApiError::invalid("`guild` is a Discord id: decimal digits, not 0.");
const BAD_CHANNEL: ApiError =
    ApiError::invalid("`channel` is a Discord id: decimal digits, not 0.");
const BAD_VIEWING: ApiError =
    ApiError::invalid("`viewing` is a room's Discord id: decimal digits, not 0.");

/// These families and those of one `?events=`, a list of a table's.
fn with_families(table: EventTable, asked: FamilySet, list: &str) -> Result<FamilySet, ApiError> {
    let known = |word: &str| {
        let mut families = table.families();
        families.find(|(name, _)| *name == word)
    };
    list.split(',').try_fold(asked, |asked, word| {
        let (_, family) = known(word).ok_or_else(|| bad_events(table))?;
        Ok(asked.with(family))
    })
}

fn bad_events(table: EventTable) -> ApiError {
    let names: Vec<_> = table
        .families()
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    let names = match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => "nothing".to_owned(),
    };
    ApiError::refused(format!("`events` is a comma-separated list of {names}."))
}

fn snowflake(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let id: u64 = digits.then(|| text.parse().ok()).flatten()?;
    (id != 0).then_some(id)
}

#[cfg(test)]
mod tests {
    use guildhall_model::event::{Family, sample::ONE_MORE};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn repeated_names_add_up_and_unknown_names_are_passed_over() {
        let query = Query::parse("guild=2&guild=1&channel=7&events=voice&x=y&lastEventId=0.1-2");
        let query = query.expect("well-formed");
        assert_eq!(query.guilds, [GuildId(1), GuildId(2)]);
        assert_eq!(
            query.selector.channels.as_deref(),
            Some(&[ChannelId(7)][..])
        );
        assert_eq!(
            query.selector.families,
            FamilySet::default().with(Family::Voice)
        );
        assert_eq!(query.cursor(None), "0.1-2".parse().ok());
        assert_eq!(
            query.cursor(Some("0.1-9")),
            "0.1-9".parse().ok(),
            "the header wins"
        );
        assert_eq!(
            query.cursor(Some("")),
            "0.1-2".parse().ok(),
            "an empty header says nothing"
        );
        assert_eq!(query.cursor(Some("rubbish")), None);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "guild=",
            "guild=abc",
            "guild=-1",
            "guild=0",
            "guild=99999999999999999999",
            "channel=1x",
            "channel=+1",
            "viewing=",
            "viewing=room",
            "viewing=0",
            "viewing[]=1x",
            "viewing=1,2",
            "events=",
            "events=voice,",
            "events=chat",
            "events=Voice",
        ] {
            assert!(Query::parse(text).is_err(), "{text}");
        }
        for (name, most) in [("guild", 100), ("channel", 100), ("viewing", 8)] {
            let named = |ids| (1..=ids).map(|id| format!("{name}={id}"));
            let named = |ids| named(ids).collect::<Vec<_>>().join("&");
            assert!(Query::parse(&named(most)).is_ok(), "{name}");
            assert!(Query::parse(&named(most + 1)).is_err(), "{name}");
        }
    }

    #[test]
    fn a_filter_behind_a_semicolon_is_asked_about() {
        for text in [
            "x=1;guild=2",
            "x=1%3Bguild%3D2",
            "x=1;y=2; channel=3",
            "x=;events=voice",
            "x=1;guilds=2",
            "lastEventId=;guild=1",
        ] {
            let refused = Query::parse(text).expect_err(text);
            assert!(format!("{refused:?}").contains("Did you mean"), "{text}");
        }
        for text in ["x=1;y=2", "x=a;b;c", "x=guild=2", "q=;", "x=1;guild"] {
            let query = Query::parse(text).expect(text);
            assert_eq!(query.guilds, [], "{text}");
        }
    }

    #[test]
    fn brackets_that_other_software_adds_to_lists_change_nothing() {
        let plain = Query::parse("guild=1&guild=2&channel=7&events=voice").expect("well-formed");
        for text in [
            "guild[]=1&guild[]=2&channel[]=7&events[]=voice",
            "guild%5B%5D=1&guild%5b%5d=2&channel%5B%5D=7&events%5B%5D=voice",
            "guild[0]=1&guild[1]=2&channel[0]=7&events[0]=voice",
            "guild=1&guild[]=2&channel=7&events[]=voice",
        ] {
            assert_eq!(Query::parse(text).as_ref(), Ok(&plain), "{text}");
        }
        assert!(Query::parse("guild[]=x").is_err());
        assert!(Query::parse("guild[]=").is_err());
    }

    #[test]
    fn the_rooms_that_are_viewed_filter_nothing() {
        let query = Query::parse("viewing=9&viewing[]=7&viewing[1]=9").expect("well-formed");
        assert_eq!(query.viewing, [ChannelId(7), ChannelId(9)]);
        assert_eq!((query.guilds.len(), query.selector), (0, Selector::ALL));
        let same = vec!["viewing=7"; 20].join("&");
        let query = Query::parse(&same).expect("one room");
        assert_eq!(query.viewing, [ChannelId(7)]);
    }

    #[test]
    fn families_are_those_of_the_table() {
        let nothing = FamilySet::default();
        let knock = with_families(ONE_MORE, nothing, "knock").expect("a family of this table");
        assert!(knock.contains(Family::Knock) && !knock.contains(Family::Room));
        for (table, list, named) in [
            (ONE_MORE, "room", "`knock`."),
            (EVENTS, "voice,knock", "`voice` and `room`."),
            (EVENTS, "", "`voice` and `room`."),
        ] {
            let refused = with_families(table, nothing, list).expect_err(list);
            assert!(refused.message.ends_with(named), "{refused:?}");
        }
    }

    #[test]
    fn nothing_asked_is_everything() {
        let query = Query::parse("").expect("well-formed");
        assert_eq!((query.guilds.len(), query.selector), (0, Selector::ALL));
    }

    proptest! {
        #[test]
        fn any_text_is_a_query_or_an_error(
            text in "(guild|channel|viewing|events|overlay|lastEventId|%)(\\[0?\\])?=?[-+%&=,0-9a-zA-Z~.]{0,60}|\\PC{0,80}"
        ) {
            if let Ok(query) = Query::parse(&text) {
                prop_assert!(query.guilds.len() <= MOST_IDS);
                let _either = query.cursor(Some(&text));
            }
        }
    }
}
