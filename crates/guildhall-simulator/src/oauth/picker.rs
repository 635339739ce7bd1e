//! The page on which a person is picked.

use std::fmt::Write as _;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{cdn, state::Discord, world::User};

const FRAME: &str = include_str!("picker/frame.html");

/// Nothing from elsewhere, no scripts, no forms: people are links.
const POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'self'; font-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

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
        // Writing to a String cannot fail.
        let _ = write!(
            people,
            "<li><a href=\"?{}&amp;sim_user={}\"><img class=\"avatar\" src=\"{}\" alt=\"\" \
             width=\"40\" height=\"40\" loading=\"lazy\"><span class=\"words\">\
             <b dir=\"auto\">{}</b><span class=\"soft\">{}</span></span></a></li>",
            escape(query),
            user.id,
            cdn::avatar_path(user),
            escape(name(user)),
            escape(&user.username),
        );
    }
    let people = if users.is_empty() {
        "<p class=\"soft\">Nobody is in a guild. <code>POST /sim/members</code> lets somebody in.</p>"
            .to_owned()
    } else {
        format!("<ul class=\"people\">{people}</ul>")
    };
    let mut asked = String::new();
    for scope in scopes {
        let meaning = meaning(scope);
        let _ = write!(
            asked,
            "<li><code>{}</code> <span>{meaning}</span></li>",
            escape(scope)
        );
    }
    let body = format!(
        "<h1>Who signs in?</h1>\
         <div><p><b><bdi>{}</bdi></b> asks for</p><ul class=\"scopes soft\">{asked}</ul></div>\
         <div class=\"people-head\"><h2>Pick whom you want to be</h2>\
         <a class=\"button\" href=\"?{}&amp;sim_user=\">Cancel</a></div>{people}",
        escape(&application),
        escape(query),
    );
    respond(StatusCode::OK, &body)
}

/// The display name, or where that shows nothing the unique one.
fn name(user: &User) -> &str {
    user.global_name
        .as_deref()
        .filter(|name| !name.chars().all(is_blank))
        .unwrap_or(&user.username)
}

/// What fonts draw as nothing: beside blanks those are fillers, joiners and marks of direction.
fn is_blank(one: char) -> bool {
    one.is_whitespace()
        || one.is_control()
        || matches!(
            one,
            '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        )
}

/// What a scope lets the application know or do.
fn meaning(scope: &str) -> &'static str {
    match scope {
        "identify" => "what you are called, and your picture",
        "guilds" => "which guilds you are in",
        "guilds.join" => "letting you into a guild",
        "guilds.members.read" => "your nickname and roles in a guild",
        "email" => "your email address",
        _ => "who you are",
    }
}

/// Why nothing can be asked, for somebody's eyes and nobody's redirect.
pub(super) fn refusal(reason: &str) -> Response {
    let body = format!(
        "<h1>This sign-in cannot go on</h1><p class=\"refusal\">{}.</p>\
         <p class=\"soft\">The simulator knows one application, whose id and secret \
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
