//! What Discord's refusals are numbered (its documentation, "Opcodes and Status Codes", "JSON Error
//! Codes").

pub(crate) const UNKNOWN_CHANNEL: u64 = 10_003;
pub(crate) const UNKNOWN_GUILD: u64 = 10_004;
pub(crate) const UNKNOWN_MEMBER: u64 = 10_007;
pub(crate) const UNKNOWN_OVERWRITE: u64 = 10_009;
pub(crate) const UNKNOWN_ROLE: u64 = 10_011;
pub(crate) const UNKNOWN_USER: u64 = 10_013;
pub(crate) const UNKNOWN_VOICE_STATE: u64 = 10_065;
pub(crate) const MOST_ROLES: u64 = 30_005;
pub(crate) const MOST_CHANNELS: u64 = 30_013;
pub(crate) const MOST_OVERWRITES: u64 = 30_060;
pub(crate) const UNAUTHORIZED: u64 = 40_001;
/// "Target user is not connected to voice".
pub(crate) const NOT_IN_VOICE: u64 = 40_032;
pub(crate) const MISSING_ACCESS: u64 = 50_001;
pub(crate) const MISSING_PERMISSIONS: u64 = 50_013;
pub(crate) const INVALID_FORM: u64 = 50_035;
pub(crate) const NEEDS_TWO_FACTORS: u64 = 60_003;
