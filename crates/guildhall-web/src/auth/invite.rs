//! Signing in by an invite: such a sign-in asks Discord to let the person into guilds as well
//! (`guilds.join`), and has the gateway do so in the invite's guild, and in no other. Nothing of it is
//! kept: the token that Discord gave for it is dropped with the request.
//!
//! Whatever goes wrong with the invite, the sign-in itself succeeds, and where the browser goes
//! afterwards it is told why.

use std::net::IpAddr;

use guildhall_link::frame::{AdmitRequestBody, Admitted, Newcomer};
use guildhall_model::command::{CommandErrorCode, InviteToken};
use metrics::counter;
use tracing::{info, warn};

use super::{
    Auth,
    attempt::{Attempt, InviteWish},
    discord::SignedInUser,
};

/// What the page is given whose user is signed in and was not let in: this, and the reason.
pub(super) const NOT_ADMITTED: &str = "not_admitted:";

/// Looks at the invite that a sign-in is begun with. `None`: there is none, or nobody is let in by
/// signing in here.
pub(super) async fn looked_at(
    auth: &Auth,
    invite: Option<String>,
    address: Option<IpAddr>,
) -> Option<InviteWish> {
    let invite = invite.filter(|_| auth.config.guilds_join)?;
    let refused = |code: CommandErrorCode| Some(InviteWish::Refused(code.to_string()));
    let Ok(invite) = invite.parse::<InviteToken>() else {
        return refused(CommandErrorCode::InviteInvalid);
    };
    // Anybody may ask this, as often as they like.
    let Some(_permit) = auth.invite_permits.acquire(address).await else {
        return refused(CommandErrorCode::Busy);
    };
    let look = AdmitRequestBody {
        invite: invite.clone(),
        newcomer: None,
    };
    Some(match auth.world.admit(look).await {
        Ok(_good) => InviteWish::Good(invite),
        Err(why) => InviteWish::Refused(why.word()),
    })
}

/// Lets somebody who has just signed in into the guild of the invite that they came with. Returns in
/// a word why not, if there was one and they were not.
pub(super) async fn let_in(
    auth: &Auth,
    attempt: &Attempt,
    account: &mut SignedInUser,
) -> Option<String> {
    let invite = match attempt.invite.as_ref()? {
        InviteWish::Good(invite) => invite.clone(),
        InviteWish::Refused(word) => return Some(word.clone()),
    };
    let (user_id, guild_id) = (account.user.id, invite.claims().guild_id);
    let access_token = account.access_token.take()?;
    let newcomer = Newcomer {
        user_id,
        access_token,
    };
    let request = AdmitRequestBody {
        invite,
        newcomer: Some(newcomer),
    };
    let result = auth.world.admit(request).await;
    let counted = match &result {
        Ok(Admitted::Added) => "added",
        Ok(Admitted::Already) => "already",
        Ok(Admitted::Valid) | Err(_) => "refused",
    };
    counter!("guildhall_invited_logins_total", "result" => counted).increment(1);
    match result {
        Ok(Admitted::Added | Admitted::Already) => {
            info!(viewer.id = %user_id, guild.id = %guild_id, counted, "[Auth] Let in by an invite");
            // Discord's list is of a moment before. First, since the session keeps no endless list.
            account.guilds.retain(|id| *id != guild_id);
            account.guilds.insert(0, guild_id);
            None
        }
        // It was only looked at: not what was asked for.
        Ok(Admitted::Valid) => Some(CommandErrorCode::Unknown.to_string()),
        Err(why) => {
            warn!(viewer.id = %user_id, guild.id = %guild_id, "[Auth] Not let in by an invite: {why}");
            Some(why.word())
        }
    }
}
