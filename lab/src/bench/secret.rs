//! Secrets that the roles share.

use std::fs::File;
use std::io::Read;

/// 64 characters from the kernel's generator.
pub(crate) fn secret() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Ok(digits
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let one = secret().expect("the kernel has numbers");
        assert_eq!(one.len(), 64);
        assert_ne!(one, secret().expect("the kernel has numbers"));
    }
}
