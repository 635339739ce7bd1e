//! The login, as a browser walks through it.

use std::net::SocketAddr;

use anyhow::{Context, bail};

use super::http::{Client, Response};

/// Walks through the login as a browser does and returns the session's cookie.
pub(crate) fn sign_in(
    web_at: SocketAddr,
    simulator_at: SocketAddr,
    user_id: &str,
) -> anyhow::Result<String> {
    let mut web = Client::new(web_at);
    let begin = redirect(web.get("/auth/login", &[])?, "the login")?;
    let attempt = cookies(&begin.response).join("; ");

    let consent = format!("{}&sim_user={user_id}", path_of(&begin.location));
    let granted = redirect(
        Client::new(simulator_at).get(&consent, &[])?,
        "the simulator's authorize page",
    )?;

    let callback = path_of(&granted.location).to_owned();
    let end = redirect(web.get(&callback, &[("Cookie", &attempt)])?, "the callback")?;
    cookies(&end.response)
        .into_iter()
        .next()
        .context("the callback set no cookie")
}

struct Redirect {
    response: Response,
    location: String,
}

fn redirect(response: Response, who: &str) -> anyhow::Result<Redirect> {
    let location = response.headers("location").next().map(str::to_owned);
    match location {
        Some(location) if (300..400).contains(&response.status) => {
            Ok(Redirect { response, location })
        }
        _ => bail!(
            "{who} answered {} instead of a redirect: {}",
            response.status,
            response.body
        ),
    }
}

/// `NAME=VALUE` of each cookie that was set and not deleted.
fn cookies(response: &Response) -> Vec<String> {
    response
        .headers("set-cookie")
        .filter_map(|cookie| cookie.split(';').next())
        // A deleted cookie has no value; a sealed one may end in `=`.
        .filter(|pair| {
            pair.split_once('=')
                .is_some_and(|(_, value)| !value.is_empty())
        })
        .map(str::to_owned)
        .collect()
}

/// Path and query of an absolute or relative address.
fn path_of(location: &str) -> &str {
    if location.starts_with('/') {
        return location;
    }
    let rest = location
        .split_once("://")
        .map_or(location, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_reduced_to_what_is_asked_for() {
        assert_eq!(
            path_of("http://127.0.0.1:1/a?b=http://c/d"),
            "/a?b=http://c/d"
        );
        assert_eq!(path_of("/a?b=http://c/d"), "/a?b=http://c/d");
        assert_eq!(path_of("http://127.0.0.1:1"), "/");
    }
}
