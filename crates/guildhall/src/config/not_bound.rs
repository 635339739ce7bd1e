//! What an operator is told when an address can't be listened on: the setting that is wrong, which
//! is the host's as often as the port's.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
};

/// One sentence that names the setting at fault and the cure. `host` and `port`: what the two
/// settings are called.
pub(crate) fn not_bound(host: &str, port: &str, address: SocketAddr, error: &io::Error) -> String {
    let number = address.port();
    match error.kind() {
        ErrorKind::AddrInUse => format!(
            "{port}: {address} can't be listened on ({error}): choose another port, or end the \
             program that has it."
        ),
        ErrorKind::PermissionDenied => format!(
            "{port}: {address} can't be listened on ({error}): {number} is for privileged \
             programs, choose one from 1024 on."
        ),
        _ => format!(
            "{host}: {address} can't be listened on ({error}): use an address of this machine, \
             such as 127.0.0.1, or 0.0.0.0 for all of them."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_at_fault_is_named() {
        let address = SocketAddr::from(([203, 0, 113, 7], 80));
        for (kind, setting) in [
            (ErrorKind::AddrInUse, "WEB_PORT:"),
            (ErrorKind::PermissionDenied, "WEB_PORT:"),
            (ErrorKind::AddrNotAvailable, "WEB_HOST:"),
            (ErrorKind::Other, "WEB_HOST:"),
        ] {
            let sentence = not_bound("WEB_HOST", "WEB_PORT", address, &kind.into());
            assert!(sentence.starts_with(setting), "{sentence}");
        }
    }
}
