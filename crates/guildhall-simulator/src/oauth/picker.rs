//! The page on which a person is picked.

use std::fmt::Write as _;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{cdn, state::Discord};

const FRAME: &str = include_str!("picker/frame.html");

/// Nothing from elsewhere, no scripts; the form may lead to the client's redirect.
const POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// One link per person, and a way to say no.
pub(super) fn page(discord: &Discord, query: &str, scopes: &[String]) -> Response {
    let mut people = String::new();
    let (application, users) = discord.with(|core| {
        let world = &core.world;
        let application = world
            .users
            .get(world.bot_id())
            .map(|bot| bot.username.clone())
            .unwrap_or_default();
        let users: Vec<_> = world
            .users
            .iter()
            .filter(|user| {
                !user.bot
                    && world
                        .guilds
                        .iter()
                        .any(|guild| guild.members.contains(user.id))
                    && !world
                        .guilds
                        .iter()
                        .any(|guild| guild.load_user_id == Some(user.id))
            })
            .cloned()
            .collect();
        (application, users)
    });
    for user in &users {
        let name = escape(user.global_name.as_deref().unwrap_or(&user.username));
        // Writing to a String cannot fail.
        let _ = write!(
            people,
            "<li><a href=\"?{}&amp;sim_user={}\"><img src=\"{}\" alt=\"\" width=\"40\" height=\"40\">\
             <span><b>{name}</b><small>{}</small></span></a></li>",
            escape(query),
            user.id,
            cdn::avatar_path(user),
            escape(&user.username),
        );
    }
    let body = format!(
        "<h1>Who signs in?</h1><p><b>{}</b> asks for <b>{}</b>. \
         Everybody here is simulated; pick whom you want to be.</p><ul>{people}</ul>\
         <p><a class=\"cancel\" href=\"?{}&amp;sim_user=\">Cancel</a></p>",
        escape(&application),
        escape(&scopes.join(", ")),
        escape(query),
    );
    respond(StatusCode::OK, &body)
}

/// Why nothing can be asked, for somebody's eyes and nobody's redirect.
pub(super) fn refusal(reason: &str) -> Response {
    let body = format!(
        "<h1>This sign-in cannot go on</h1><p>{}.</p>\
         <p>The simulator knows one application, whose id and secret \
         <code>GET /sim/state</code> shows, and every loopback redirect URI.</p>",
        escape(reason)
    );
    respond(StatusCode::BAD_REQUEST, &body)
}

fn respond(status: StatusCode, body: &str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, FRAME.replace("<!-- body -->", body)).into_response()
}

/// Text as HTML, in an element or a quoted attribute.
fn escape(text: &str) -> String {
    text.chars().fold(
        String::with_capacity(text.len()),
        |mut escaped, character| {
            match character {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '"' => escaped.push_str("&quot;"),
                '\'' => escaped.push_str("&#39;"),
                plain => escaped.push(plain),
            }
            escaped
        },
    )
}
