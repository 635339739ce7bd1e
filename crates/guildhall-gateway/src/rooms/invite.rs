//! Invites' signatures: HMAC-SHA256 with the gateway's own key over everything that a token says.

use guildhall_model::{
    ChannelId, GuildId, UnixMs,
    command::{InviteClaims, InviteToken},
};
use guildhall_ports::room_store::{InviteId, RoomNumber, SigningKey};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// What signs invites, and tells its own from all others.
#[derive(Clone, Debug)]
pub(crate) struct InviteSigner(SigningKey);

/// Why an invite lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InviteError {
    /// It was not signed here, or was changed since.
    #[error("it is not genuine")]
    Forged,
    /// It is for another guild than the one it came to.
    #[error("it is for another guild")]
    OtherGuild,
    /// It is for another room than the one it came to.
    #[error("it is for another room")]
    OtherRoom,
    /// Its time is over.
    #[error("its time is over")]
    Expired,
}

impl InviteSigner {
    pub(crate) fn new(key: SigningKey) -> Self {
        Self(key)
    }

    /// A token that says this.
    pub(crate) fn sign(&self, claims: InviteClaims) -> InviteToken {
        let mac = self.mac(&claims.signed_bytes()).finalize();
        InviteToken::new(claims, mac.into_bytes().into())
    }

    /// Whether a token was signed here, is for this room, and is good at that time. Version and
    /// purpose were looked at when it was read. A forged one is told nothing but that.
    pub(crate) fn verify(
        &self,
        token: &InviteToken,
        guild_id: GuildId,
        channel_id: ChannelId,
        now: UnixMs,
    ) -> Result<InviteClaims, InviteError> {
        let claims = *token.claims();
        // Takes as long wherever the first difference is.
        self.mac(&claims.signed_bytes())
            .verify(&(*token.mac()).into())
            .map_err(|_| InviteError::Forged)?;
        if claims.guild_id != guild_id {
            return Err(InviteError::OtherGuild);
        }
        if claims.channel_id != channel_id {
            return Err(InviteError::OtherRoom);
        }
        if claims.expires_at <= now {
            return Err(InviteError::Expired);
        }
        Ok(claims)
    }

    /// The id of the invite that a command makes: the same if the command comes again after a crash.
    /// `command`: whatever tells it from all others.
    pub(crate) fn id_for(&self, room: RoomNumber, command: &[u8]) -> InviteId {
        let mut mac = self.mac(b"guildhall invite id\0");
        mac.update(&room.0.to_be_bytes());
        mac.update(command);
        let bytes = mac.finalize().into_bytes();
        let mut id = [0; 16];
        id.copy_from_slice(&bytes[..16]);
        InviteId(id)
    }

    fn mac(&self, bytes: &[u8]) -> Hmac<Sha256> {
        let SigningKey(key) = &self.0;
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is taken");
        mac.update(bytes);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUILD: GuildId = GuildId(1);
    const ROOM: ChannelId = ChannelId(10);

    fn claims() -> InviteClaims {
        InviteClaims {
            guild_id: GUILD,
            channel_id: ROOM,
            room: 7,
            expires_at: 1_000,
            id: [9; 16],
        }
    }

    fn signer(byte: u8) -> InviteSigner {
        InviteSigner::new(SigningKey([byte; 32]))
    }

    #[test]
    fn what_was_signed_here_is_genuine_until_its_end() {
        let token = signer(1).sign(claims());
        let verify = |guild, room, now| signer(1).verify(&token, guild, room, now);
        assert_eq!(verify(GUILD, ROOM, 999), Ok(claims()));
        assert_eq!(verify(GUILD, ROOM, 1_000), Err(InviteError::Expired));
        assert_eq!(verify(GuildId(2), ROOM, 1), Err(InviteError::OtherGuild));
        assert_eq!(verify(GUILD, ChannelId(11), 1), Err(InviteError::OtherRoom));
        let other = signer(2).verify(&token, GUILD, ROOM, 1);
        assert_eq!(other, Err(InviteError::Forged));
    }

    #[test]
    fn whatever_of_a_token_is_changed_it_is_forged() {
        let signed = signer(1).sign(claims());
        let changes: [fn(&mut InviteClaims); 5] = [
            |it| it.guild_id = GuildId(2),
            |it| it.channel_id = ChannelId(11),
            |it| it.room = 8,
            |it| it.expires_at = 9_999_999,
            |it| it.id[3] ^= 1,
        ];
        for change in changes {
            let mut claims = claims();
            change(&mut claims);
            let token = InviteToken::new(claims, *signed.mac());
            let told = signer(1).verify(&token, claims.guild_id, claims.channel_id, 1);
            assert_eq!(told, Err(InviteError::Forged), "{claims:?}");
        }
        for byte in 0..32 {
            let mut mac = *signed.mac();
            mac[byte] ^= 0x80;
            let token = InviteToken::new(claims(), mac);
            let told = signer(1).verify(&token, GUILD, ROOM, 1);
            assert_eq!(told, Err(InviteError::Forged), "{byte}");
        }
    }

    /// Tokens of today are good tomorrow.
    #[test]
    fn the_signature_is_this_one() {
        let mac = *signer(1).sign(claims()).mac();
        // By another implementation.
        let expected = [
            0x2563_26a3_4645_51e7_412d_ddef_2868_06d9_u128,
            0x34aa_2eb4_7660_10ea_5972_ea6e_6d2e_4096,
        ];
        let halves = expected.map(u128::to_be_bytes);
        assert_eq!(mac[..], halves.concat());
    }

    #[test]
    fn a_command_that_comes_again_makes_the_same_invite() {
        let id = |room, command: &[u8]| signer(1).id_for(RoomNumber(room), command);
        assert_eq!(id(1, b"a"), id(1, b"a"));
        assert_ne!(id(1, b"a"), id(2, b"a"));
        assert_ne!(id(1, b"a"), id(1, b"b"));
    }
}
