//! Every route by name, for whoever wants something to go wrong there.

use crate::faults::without_names;

/// Methods and path, without the version's prefix.
const ROUTES: &[(&str, &str)] = &[
    ("GET", "/gateway"),
    ("GET", "/gateway/bot"),
    ("GET PATCH", "/users/@me"),
    ("GET", "/users/{user_id}"),
    ("GET", "/users/@me/guilds"),
    ("DELETE", "/users/@me/guilds/{guild_id}"),
    ("GET", "/users/@me/guilds/{guild_id}/member"),
    ("GET PATCH", "/applications/@me"),
    ("GET", "/oauth2/applications/@me"),
    ("GET", "/oauth2/@me"),
    ("GET", "/oauth2/authorize"),
    ("POST", "/oauth2/token"),
    ("POST", "/oauth2/token/revoke"),
    ("GET", "/.well-known/oauth-authorization-server"),
    ("GET DELETE", "/invites/{code}"),
    ("GET", "/voice/regions"),
    ("GET", "/soundboard-default-sounds"),
    ("GET", "/sticker-packs"),
    ("GET", "/sticker-packs/{pack_id}"),
    ("GET", "/stickers/{sticker_id}"),
    ("GET PATCH", "/guilds/{guild_id}"),
    ("GET", "/guilds/{guild_id}/preview"),
    ("GET PATCH", "/guilds/{guild_id}/widget"),
    ("GET", "/guilds/{guild_id}/widget.json"),
    ("GET PATCH", "/guilds/{guild_id}/welcome-screen"),
    ("GET PUT", "/guilds/{guild_id}/onboarding"),
    ("GET", "/guilds/{guild_id}/vanity-url"),
    ("PUT", "/guilds/{guild_id}/incident-actions"),
    ("GET", "/guilds/{guild_id}/regions"),
    ("GET POST", "/guilds/{guild_id}/prune"),
    ("GET", "/guilds/{guild_id}/audit-logs"),
    ("GET", "/guilds/{guild_id}/emojis"),
    ("GET", "/guilds/{guild_id}/stickers"),
    ("GET", "/guilds/{guild_id}/scheduled-events"),
    ("GET", "/guilds/{guild_id}/auto-moderation/rules"),
    ("GET", "/guilds/{guild_id}/integrations"),
    ("GET", "/guilds/{guild_id}/templates"),
    ("GET", "/guilds/{guild_id}/soundboard-sounds"),
    ("GET", "/guilds/{guild_id}/threads/active"),
    ("GET POST PUT", "/applications/{application_id}/commands"),
    (
        "GET PATCH DELETE",
        "/applications/{application_id}/commands/{command_id}",
    ),
    (
        "GET POST PUT",
        "/applications/{application_id}/guilds/{guild_id}/commands",
    ),
    (
        "GET PATCH DELETE",
        "/applications/{application_id}/guilds/{guild_id}/commands/{command_id}",
    ),
    (
        "GET",
        "/applications/{application_id}/guilds/{guild_id}/commands/permissions",
    ),
    (
        "GET",
        "/applications/{application_id}/guilds/{guild_id}/commands/{command_id}/permissions",
    ),
    ("POST", "/interactions/{interaction_id}/{token}/callback"),
    ("GET POST", "/channels/{channel_id}/webhooks"),
    ("GET", "/guilds/{guild_id}/webhooks"),
    ("GET PATCH DELETE", "/webhooks/{webhook_id}"),
    ("GET POST PATCH DELETE", "/webhooks/{webhook_id}/{token}"),
    (
        "GET PATCH DELETE",
        "/webhooks/{webhook_id}/{token}/messages/{message_id}",
    ),
    ("GET", "/applications/{application_id}/emojis"),
    ("GET", "/applications/{application_id}/entitlements"),
    ("GET", "/applications/{application_id}/skus"),
    (
        "GET PUT",
        "/applications/{application_id}/role-connections/metadata",
    ),
    ("POST", "/users/@me/channels"),
    ("POST", "/channels/{channel_id}/threads"),
    (
        "POST",
        "/channels/{channel_id}/messages/{message_id}/threads",
    ),
    ("GET", "/channels/{channel_id}/thread-members"),
    (
        "GET PUT DELETE",
        "/channels/{channel_id}/thread-members/@me",
    ),
    (
        "GET PUT DELETE",
        "/channels/{channel_id}/thread-members/{user_id}",
    ),
    ("GET", "/channels/{channel_id}/threads/archived/public"),
    ("GET", "/channels/{channel_id}/threads/archived/private"),
    (
        "GET",
        "/channels/{channel_id}/users/@me/threads/archived/private",
    ),
    (
        "GET",
        "/channels/{channel_id}/polls/{message_id}/answers/{answer_id}",
    ),
    ("POST", "/channels/{channel_id}/polls/{message_id}/expire"),
    ("GET", "/channels/{channel_id}/pins"),
    ("GET", "/channels/{channel_id}/messages/pins"),
    ("GET POST PATCH", "/guilds/{guild_id}/channels"),
    ("GET POST PATCH", "/guilds/{guild_id}/roles"),
    ("GET", "/guilds/{guild_id}/roles/member-counts"),
    ("GET PATCH DELETE", "/guilds/{guild_id}/roles/{role_id}"),
    ("GET", "/guilds/{guild_id}/members"),
    ("GET", "/guilds/{guild_id}/members/search"),
    ("PATCH", "/guilds/{guild_id}/members/@me"),
    ("PATCH", "/guilds/{guild_id}/members/@me/nick"),
    (
        "GET PUT PATCH DELETE",
        "/guilds/{guild_id}/members/{user_id}",
    ),
    (
        "PUT DELETE",
        "/guilds/{guild_id}/members/{user_id}/roles/{role_id}",
    ),
    ("GET", "/guilds/{guild_id}/bans"),
    ("POST", "/guilds/{guild_id}/bulk-ban"),
    ("GET PUT DELETE", "/guilds/{guild_id}/bans/{user_id}"),
    ("GET", "/guilds/{guild_id}/invites"),
    ("GET PATCH", "/guilds/{guild_id}/voice-states/{user_id}"),
    ("GET PATCH DELETE", "/channels/{channel_id}"),
    (
        "PUT DELETE",
        "/channels/{channel_id}/permissions/{overwrite_id}",
    ),
    ("PUT", "/channels/{channel_id}/voice-status"),
    ("GET POST", "/channels/{channel_id}/invites"),
    ("POST", "/channels/{channel_id}/typing"),
    ("GET POST", "/channels/{channel_id}/messages"),
    ("POST", "/channels/{channel_id}/messages/bulk-delete"),
    (
        "GET PATCH DELETE",
        "/channels/{channel_id}/messages/{message_id}",
    ),
    ("PUT DELETE", "/channels/{channel_id}/pins/{message_id}"),
    (
        "PUT DELETE",
        "/channels/{channel_id}/messages/pins/{message_id}",
    ),
    (
        "DELETE",
        "/channels/{channel_id}/messages/{message_id}/reactions",
    ),
    (
        "GET DELETE",
        "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}",
    ),
    (
        "PUT DELETE",
        "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me",
    ),
    (
        "DELETE",
        "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/{user_id}",
    ),
];

/// Whether a route such as `POST /guilds/{guild_id}/roles`, or its path alone, is
/// one of these.
pub(crate) fn is_known(route: &str) -> bool {
    let (method, path) = match route.split_once(' ') {
        Some((method, path)) => (Some(method), path),
        None => (None, route),
    };
    let path = without_names(path);
    ROUTES
        .iter()
        .filter(|(_, known)| without_names(known) == path)
        .any(|(methods, _)| {
            method.is_none_or(|method| methods.split(' ').any(|known| known == method))
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The paths that a source file gives to its router.
    fn routed(source: &str) -> impl Iterator<Item = &str> {
        source
            .split("route(")
            .skip(1)
            .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
    }

    #[test]
    fn every_routed_path_is_known_and_every_known_one_is_routed() {
        let reactions = [
            "/channels/{channel_id}/messages/{message_id}/reactions",
            "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}",
            "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me",
            "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/{user_id}",
        ];
        let of_oauth = routed(include_str!("../oauth.rs"))
            .map(|path| path.strip_prefix("/api/v10").unwrap_or(path))
            .map(|path| path.strip_prefix("/api").unwrap_or(path));
        let routed: BTreeSet<_> = routed(include_str!("../rest.rs"))
            .chain(routed(include_str!("empty.rs")))
            .chain(of_oauth)
            .chain(reactions)
            .map(without_names)
            .collect();
        let known: BTreeSet<_> = ROUTES.iter().map(|(_, path)| without_names(path)).collect();
        assert_eq!(known, routed);
    }

    /// The rows of the manual's table of routes: methods and path.
    fn listed() -> BTreeSet<(String, String)> {
        let page = include_str!("../../../../docs/simulator.md");
        let section = page.split("\n## Routes\n").nth(1).unwrap_or_default();
        let section = section.split("\n## ").next().unwrap_or_default();
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        rows.map(|row| {
            let mut words = row.split('`').skip(1).step_by(2);
            let mut next = || words.next().unwrap_or_default().to_owned();
            (next(), next())
        })
        .collect()
    }

    #[test]
    fn the_manual_lists_every_route() {
        let known: BTreeSet<_> = ROUTES
            .iter()
            .map(|(methods, path)| ((*methods).to_owned(), (*path).to_owned()))
            .collect();
        let listed = listed();
        let missing: Vec<_> = known.difference(&listed).collect();
        let gone: Vec<_> = listed.difference(&known).collect();
        assert!(
            missing.is_empty() && gone.is_empty(),
            "missing {missing:?}, gone {gone:?}"
        );
    }

    #[test]
    fn a_route_is_known_by_its_path_or_with_one_of_its_methods() {
        for known in [
            "POST /guilds/{guild_id}/roles",
            "POST /guilds/{g}/roles",
            "/guilds/{}/roles",
            "POST /oauth2/token",
        ] {
            assert!(is_known(known), "{known}");
        }
        for unknown in [
            "",
            "GET /nope",
            "PUT /guilds/{guild_id}/roles",
            "POST /guilds/1/roles",
            "/guilds",
        ] {
            assert!(!is_known(unknown), "{unknown}");
        }
    }
}
