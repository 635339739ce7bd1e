//! What of Discord's answers is read. Only the access token, the user's id and a list of guilds are
//! indispensable: whatever else is not as it is documented is left out, and nobody is kept from
//! signing in by it.

use guildhall_model::{GuildId, UserId, text::readable_json};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use url::Url;

use super::Profile;

/// Discord's own bound is 32; this is the cookie's, where it is kept in bytes.
const NAME_MAX: usize = 64;

/// How much of an answer was left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SkippedParts {
    pub(super) fields: usize,
    pub(super) guilds: usize,
}

/// `GET /users/@me`, as far as we keep it. Fields are read one by one, so that an unreadable
/// one spoils no other.
#[derive(Deserialize)]
pub(super) struct UserAnswer {
    id: UserId,
    #[serde(default)]
    username: Option<Box<RawValue>>,
    #[serde(default)]
    global_name: Option<Box<RawValue>>,
    #[serde(default)]
    avatar: Option<Box<RawValue>>,
}

impl UserAnswer {
    pub(super) fn profile(self, cdn: &Url, skipped: &mut SkippedParts) -> Profile {
        let mut text = |field: Option<Box<RawValue>>| -> Option<String> {
            let read = serde_json::from_str(field?.get());
            skipped.fields += usize::from(read.is_err());
            read.ok()
        };
        let clip = |text: String| text.chars().take(NAME_MAX).collect::<String>();
        let username = text(self.username);
        let named = text(self.global_name).filter(|name| !name.is_empty());
        let avatar = text(self.avatar).filter(|hash| is_hash(hash));
        // Who has no name that can be read is still told apart from others.
        let username = username.map_or_else(|| self.id.to_string(), clip);
        let base = cdn.as_str().trim_end_matches('/');
        let avatar_url = match avatar {
            Some(hash) => format!("{base}/avatars/{}/{hash}.png?size=128", self.id),
            None => format!("{base}/embed/avatars/{}.png", (self.id.0 >> 22) % 6),
        };
        Profile {
            id: self.id,
            display_name: named.map_or_else(|| username.clone(), clip),
            username,
            avatar_url,
        }
    }
}

/// An avatar's hash becomes part of a path, so it is held to what hashes are made of.
fn is_hash(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

/// `GET /users/@me/guilds`, each still to be read.
#[derive(Deserialize)]
pub(super) struct Guilds(Vec<Box<RawValue>>);

/// One of them, as far as we keep it.
#[derive(Deserialize)]
struct UserGuild {
    id: GuildId,
}

impl Guilds {
    /// Those that can be read, in Discord's order.
    pub(super) fn ids(&self, skipped: &mut SkippedParts) -> Vec<GuildId> {
        let read = |guild: &RawValue| serde_json::from_str::<UserGuild>(guild.get()).ok();
        let ids: Vec<_> = self.0.iter().filter_map(|guild| read(guild)).collect();
        skipped.guilds += self.0.len() - ids.len();
        ids.into_iter().map(|guild| guild.id).collect()
    }
}

/// What is used of an answer with a token.
#[derive(Serialize, Deserialize)]
struct Granted {
    access_token: String,
    #[serde(skip_deserializing, default = "bearer")]
    token_type: &'static str,
}

fn bearer() -> &'static str {
    "bearer"
}

/// What is used of an answer with none.
#[derive(Serialize, Deserialize)]
struct Denied {
    error: String,
}

/// The token's answer without what nobody uses, such as a lifetime that is no whole number:
/// `oauth2` refuses all of an answer for any of its fields. An answer that has not what is used
/// stays as it is, for `oauth2` to refuse.
pub(super) fn token_essence(body: &[u8]) -> Vec<u8> {
    fn essence<T: Serialize + DeserializeOwned>(text: &str) -> Option<Vec<u8>> {
        let read: T = serde_json::from_str(text).ok()?;
        serde_json::to_vec(&read).ok()
    }
    let text = readable_json(body);
    essence::<Granted>(&text)
        .or_else(|| essence::<Denied>(&text))
        .unwrap_or_else(|| text.into_owned().into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(user: &serde_json::Value) -> (Profile, SkippedParts) {
        let user: UserAnswer = serde_json::from_str(&user.to_string()).expect("a user");
        let mut skipped = SkippedParts::default();
        let cdn = "https://cdn.discordapp.com".parse().expect("a URL");
        (user.profile(&cdn, &mut skipped), skipped)
    }

    fn profile(user: &serde_json::Value) -> Profile {
        let (profile, skipped) = read(user);
        assert_eq!(skipped, SkippedParts::default(), "{user}");
        profile
    }

    #[test]
    fn a_user_has_the_name_and_picture_discord_shows() {
        let ada = profile(&json!({
            "id": "80351110224678912", "username": "ada", "global_name": "Ada L.",
            "avatar": "a_8342729096ea3675442027381ff50dfe", "discriminator": "0", "mfa_enabled": true,
        }));
        assert_eq!(ada.display_name, "Ada L.");
        assert_eq!(
            ada.avatar_url,
            "https://cdn.discordapp.com/avatars/80351110224678912/a_8342729096ea3675442027381ff50dfe.png?size=128"
        );
        for avatar in [
            json!(null),
            json!(""),
            json!("../../x"),
            json!("x".repeat(65)),
        ] {
            let bare = profile(&json!({
                "id": "80351110224678912", "username": "ada", "global_name": null, "avatar": avatar,
            }));
            assert_eq!(bare.display_name, "ada");
            assert_eq!(
                bare.avatar_url,
                "https://cdn.discordapp.com/embed/avatars/5.png"
            );
        }
    }

    #[test]
    fn names_beyond_the_cookies_bound_are_cut() {
        let long =
            profile(&json!({"id": 1, "username": "ü".repeat(500), "global_name": "x".repeat(500)}));
        assert_eq!(long.username.chars().count(), NAME_MAX);
        assert_eq!(long.display_name.len(), NAME_MAX);
    }

    #[test]
    fn an_odd_field_spoils_no_other() {
        let (ada, skipped) =
            read(&json!({"id": "7", "username": "ada", "global_name": 5, "avatar": {}}));
        assert_eq!((ada.username.as_str(), skipped.fields), ("ada", 2));
        let (nameless, skipped) = read(&json!({"id": "7", "username": [1], "global_name": "Ada"}));
        assert_eq!((nameless.username.as_str(), skipped.fields), ("7", 1));
        assert_eq!(nameless.display_name, "Ada");
    }

    #[test]
    fn a_guild_that_cannot_be_read_is_left_out_and_counted() {
        let text = r#"[{"id":null},{"name":"x"},5,{"id":"7","name":1e999},[],null,{"id":"8"}]"#;
        let guilds: Guilds = serde_json::from_str(text).expect("a list");
        let mut skipped = SkippedParts::default();
        assert_eq!(guilds.ids(&mut skipped), [GuildId(7), GuildId(8)]);
        assert_eq!(skipped.guilds, 5);
    }

    #[test]
    fn of_a_tokens_answer_only_what_is_used_is_read() {
        let granted = br#"{"access_token":"t","token_type":7,"expires_in":1e999,"scope":[]}"#;
        let essence = token_essence(granted);
        assert_eq!(essence, br#"{"access_token":"t","token_type":"bearer"}"#);
        let denied = br#"{"error":"invalid_grant","error_description":5}"#;
        assert_eq!(token_essence(denied), br#"{"error":"invalid_grant"}"#);
        for other in [&b"{\"access_token\":1}"[..], b"nonsense", b""] {
            assert_eq!(token_essence(other), other);
        }
    }

    proptest! {
        #[test]
        fn any_list_is_read_as_far_as_it_goes(text in r#"\[(\{"id":"?[0-9]{0,22}"?\},?){0,4}\]|\PC{0,40}"#) {
            if let Ok(guilds) = serde_json::from_str::<Guilds>(&text) {
                let mut skipped = SkippedParts::default();
                let read = guilds.ids(&mut skipped).len();
                prop_assert_eq!(read + skipped.guilds, guilds.0.len());
            }
        }
    }
}
