//! What a start will meet on this machine: the addresses of its listeners, and its folder. Nothing
//! is written, and what is bound is let go of again.

use std::{
    fs,
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    path::Path,
};

use rustix::fs::{Access, access};

use crate::config::{ConfigError, Mistakes, Settings, not_bound, refuse};

/// An address that will be listened on, and the settings that say so.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListenAddress {
    pub(super) host: &'static str,
    pub(super) port: &'static str,
    pub(super) at: SocketAddr,
}

/// What a port means that somebody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// A mistake.
    Told,
    /// A mistake, unless the service itself runs: nothing is going to be started.
    ToldInCheck,
    /// The process before this one is on its way out, and will have let go of it.
    WaitedFor,
}

/// Says which of these can't be listened on together.
pub(super) fn listeners(listeners: &[ListenAddress], taken: Taken, mistakes: &mut Mistakes) {
    let mut held = Vec::new();
    for (place, one) in listeners.iter().enumerate() {
        if let Some(other) = listeners[..place].iter().find(|other| clash(one, other)) {
            mistakes.add(&format!(
                "{} and {} are both {}: give each a port of its own.",
                other.port,
                one.port,
                one.at.port()
            ));
            continue;
        }
        match TcpListener::bind(one.at) {
            Ok(listener) => held.push(listener),
            Err(error) if error.kind() == ErrorKind::AddrInUse && taken == Taken::WaitedFor => {}
            Err(error) => {
                let mut sentence = not_bound(one.host, one.port, one.at, &error);
                if error.kind() == ErrorKind::AddrInUse && taken == Taken::ToldInCheck {
                    sentence.push_str(" If that is the service itself, end it before this check.");
                }
                mistakes.add(&sentence);
            }
        }
    }
}

/// Whether one has what the other wants. Port 0 is a port of its own each time.
fn clash(one: &ListenAddress, other: &ListenAddress) -> bool {
    let (one, other) = (one.at, other.at);
    let everywhere = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && (everywhere || one.ip() == other.ip())
}

/// Says why `DATA_DIR` can't be used, be it there or yet to be made.
pub(crate) fn folder(settings: &Settings) -> Result<(), ConfigError> {
    const CURE: &str = "set it to a folder of your own";
    let folder = Path::new(settings.require("DATA_DIR")?);
    let shown = folder.display();
    let there = folder
        .ancestors()
        .map(|path| {
            // Where a relative path begins.
            if path.as_os_str().is_empty() {
                Path::new(".")
            } else {
                path
            }
        })
        .find(|path| fs::symlink_metadata(path).is_ok());
    let Some(there) = there else {
        return refuse!("DATA_DIR: {shown} can't be made, for nothing above it is there: {CURE}.");
    };
    match fs::metadata(there) {
        Ok(is) if is.is_dir() => {}
        Ok(_) => return refuse!("DATA_DIR: {} is no folder: {CURE}.", there.display()),
        Err(error) => {
            return refuse!(
                "DATA_DIR: {} can't be read ({error}): {CURE}.",
                there.display()
            );
        }
    }
    if let Err(error) = access(there, Access::WRITE_OK | Access::EXEC_OK) {
        let there = there.display();
        return refuse!("DATA_DIR: nothing can be written in {there} ({error}): {CURE}.");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: &'static str, address: &str) -> ListenAddress {
        ListenAddress {
            host: "SOME_HOST",
            port,
            at: address.parse().expect("an address"),
        }
    }

    fn said(all: &[ListenAddress], taken: Taken) -> Vec<String> {
        let mut mistakes = Mistakes::default();
        listeners(all, taken, &mut mistakes);
        let said = mistakes.error().to_string();
        said.lines().map(str::to_owned).collect()
    }

    #[test]
    fn each_address_that_is_not_this_machines_is_told() {
        let all = [
            at("A_PORT", "203.0.113.7:0"),
            at("B_PORT", "203.0.113.8:0"),
            at("C_PORT", "127.0.0.1:0"),
        ];
        let said = said(&all, Taken::Told);
        assert_eq!(said.len(), 2, "{said:?}");
        for (sentence, address) in said.iter().zip(["203.0.113.7", "203.0.113.8"]) {
            assert!(sentence.starts_with("SOME_HOST"), "{sentence}");
            assert!(sentence.contains(address), "{sentence}");
        }
    }

    #[test]
    fn one_port_for_two_listeners_is_told_and_port_0_is_not() {
        let two = [
            at("A_PORT", "127.0.0.1:64999"),
            at("B_PORT", "0.0.0.0:64999"),
        ];
        let sentences = said(&two, Taken::Told);
        assert!(
            sentences
                .iter()
                .any(|said| said.contains("A_PORT and B_PORT are both 64999")),
            "{sentences:?}"
        );
        let any = [at("A_PORT", "127.0.0.1:0"), at("B_PORT", "127.0.0.1:0")];
        assert_eq!(said(&any, Taken::Told), Vec::<String>::new());
    }

    #[test]
    fn a_taken_port_is_told_unless_its_owner_is_on_its_way_out() {
        let owner = TcpListener::bind("127.0.0.1:0").expect("a port");
        let taken = ListenAddress {
            host: "A_HOST",
            port: "A_PORT",
            at: owner.local_addr().expect("its address"),
        };
        let told = said(&[taken], Taken::Told);
        assert!(
            matches!(&told[..], [one] if one.starts_with("A_PORT")),
            "{told:?}"
        );
        let in_check = said(&[taken], Taken::ToldInCheck);
        assert!(
            matches!(&in_check[..], [one] if one.contains("the service itself")),
            "{in_check:?}"
        );
        assert_eq!(said(&[taken], Taken::WaitedFor), Vec::<String>::new());
        drop(owner);
        assert_eq!(said(&[taken], Taken::Told), Vec::<String>::new());
    }

    #[test]
    fn a_data_folder_is_one_or_can_be_made_and_is_not_made_yet() {
        let own = tempfile::tempdir().expect("a folder");
        let file = own.path().join("file");
        fs::write(&file, "").expect("a file");
        let judged = |path: &Path| {
            let mut settings = Settings::default();
            settings.set("DATA_DIR", path.to_str().expect("UTF-8"));
            folder(&settings)
        };
        let new = own.path().join("a/b");
        for good in [
            own.path(),
            &new,
            Path::new("not-there"),
            Path::new("./not/there"),
        ] {
            assert_eq!(judged(good), Ok(()), "{}", good.display());
        }
        assert!(!own.path().join("a").exists());
        for bad in [&file, &file.join("a")] {
            let sentence = judged(bad).expect_err("a file").to_string();
            assert!(sentence.starts_with("DATA_DIR"), "{sentence}");
            assert!(sentence.contains("is no folder"), "{sentence}");
        }
    }
}
