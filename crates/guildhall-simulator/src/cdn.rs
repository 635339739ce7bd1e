//! Drawn avatars and icons under Discord's CDN paths.
//!
//! The paths say `.png`, the content type says SVG: browsers go by the latter,
//! and a drawing stays sharp at every `size`.

use axum::{
    Router,
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use sha2::{Digest, Sha256};

use crate::{state::AppState, world::User};

/// Ground and figure, chosen to be told apart on light and dark pages.
const PALETTES: [(&str, &str, &str); 10] = [
    ("#c7522a", "#f6d8b8", "#7d2f16"),
    ("#2a7f8e", "#cfeae6", "#154b55"),
    ("#5b6b2f", "#e3e9c4", "#37411b"),
    ("#7a4b8f", "#e8d6f0", "#4a2b59"),
    ("#b8862b", "#fbecc6", "#6f4f13"),
    ("#3b5ea8", "#d5e0f7", "#213766"),
    ("#a23e5c", "#f7d3de", "#642338"),
    ("#44725a", "#d2ebdd", "#264536"),
    ("#6d5a4b", "#ecdfd3", "#41352b"),
    ("#54488c", "#dcd8f3", "#312956"),
];

/// The routes, from the root.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route("/avatars/{user_id}/{file}", get(avatar))
        .route("/icons/{guild_id}/{file}", get(icon))
        .route("/embed/avatars/{file}", get(default_avatar))
        .route(
            "/guilds/{guild_id}/users/{user_id}/avatars/{file}",
            get(member_avatar),
        )
}

/// Where a user's picture is.
pub(crate) fn avatar_path(user: &User) -> String {
    match &user.avatar {
        Some(hash) => format!("/avatars/{}/{hash}.png", user.id),
        None => format!("/embed/avatars/{}.png", (user.id.get() >> 22) % 6),
    }
}

async fn avatar(Path((user_id, file)): Path<(String, String)>) -> Response {
    picture(&file, || face(&format!("{user_id}/{file}")))
}

async fn member_avatar(Path((_, user_id, file)): Path<(String, String, String)>) -> Response {
    picture(&file, || face(&format!("{user_id}/{file}")))
}

async fn icon(Path((guild_id, file)): Path<(String, String)>) -> Response {
    picture(&file, || shield(&format!("{guild_id}/{file}")))
}

async fn default_avatar(Path(file): Path<String>) -> Response {
    picture(&file, || face(&file))
}

fn picture(file: &str, draw: impl FnOnce() -> String) -> Response {
    let known = file.rsplit_once('.').is_some_and(|(name, kind)| {
        matches!(kind, "png" | "webp" | "jpg" | "gif")
            && !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    });
    if !known {
        return StatusCode::NOT_FOUND.into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "public, max-age=31536000"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'",
        ),
    ];
    (headers, draw()).into_response()
}

/// A person: shoulders, head, hair or hat, and a mood.
fn face(of: &str) -> String {
    let draws = Sha256::digest(of.as_bytes());
    let (ground, skin, ink) = PALETTES[usize::from(draws[0]) % PALETTES.len()];
    let (coat, _, _) = PALETTES[usize::from(draws[1]) % PALETTES.len()];
    let head = [
        format!("<path d='M38 56a26 26 0 0 1 52 0z' fill='{ink}'/>"),
        format!("<path d='M30 54h68l-10-10H74L64 14 54 44H40z' fill='{ink}'/>"),
        format!("<path d='M36 58c0-40 56-40 56 0l-8-14H46z' fill='{ink}'/>"),
        format!(
            "<circle cx='64' cy='30' r='12' fill='{ink}'/><path d='M38 56a26 24 0 0 1 52 0z' fill='{ink}'/>"
        ),
        format!("<path d='M38 52l6-20 10 10 10-14 10 14 10-10 6 20z' fill='{ink}'/>"),
    ];
    let mouth = [
        "M54 74q10 9 20 0",
        "M55 76h18",
        "M54 73q10 14 20 0z",
        "M58 75q6 5 12 0",
    ];
    let head = &head[usize::from(draws[2]) % head.len()];
    let mouth = mouth[usize::from(draws[3]) % mouth.len()];
    let glasses = if draws[4].is_multiple_of(4) {
        format!(
            "<g fill='none' stroke='{ink}' stroke-width='2.5'><circle cx='55' cy='62' r='7'/><circle cx='73' cy='62' r='7'/><path d='M62 62h4'/></g>"
        )
    } else {
        String::new()
    };
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 128 128'>\
         <rect width='128' height='128' fill='{ground}'/>\
         <path d='M20 128c0-40 88-40 88 0z' fill='{coat}' stroke='{ink}' stroke-width='3'/>\
         <rect x='56' y='80' width='16' height='18' fill='{skin}'/>\
         <circle cx='64' cy='62' r='25' fill='{skin}'/>{head}\
         <circle cx='55' cy='62' r='3' fill='{ink}'/><circle cx='73' cy='62' r='3' fill='{ink}'/>{glasses}\
         <path d='{mouth}' fill='none' stroke='{ink}' stroke-width='3' stroke-linecap='round'/></svg>"
    )
}

/// A guild: a field divided as heralds do it, with one charge.
fn shield(of: &str) -> String {
    let draws = Sha256::digest(of.as_bytes());
    let (ground, light, ink) = PALETTES[usize::from(draws[0]) % PALETTES.len()];
    let field = [
        "M64 0h64v128H64z",
        "M0 64h128v64H0z",
        "M0 0h128L0 128z",
        "M0 128L64 40l64 88z",
    ];
    let charge = [
        "M64 30l9 22 24 2-18 15 6 23-21-13-21 13 6-23-18-15 24-2z",
        "M40 92V52l-8-14h16v8h8v-8h16v8h8v-8h16l-8 14v40z",
        "M64 28c22 14 30 34 0 72-30-38-22-58 0-72z",
        "M64 34a30 30 0 1 0 26 45 24 24 0 1 1-26-45z",
    ];
    let field = field[usize::from(draws[1]) % field.len()];
    let charge = charge[usize::from(draws[2]) % charge.len()];
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 128 128'>\
         <rect width='128' height='128' fill='{ground}'/><path d='{field}' fill='{ink}'/>\
         <path d='{charge}' fill='{light}'/></svg>"
    )
}
