//! Prints what browsers ask and get, as an OpenAPI document.

use std::io::Write;

use anyhow::Context;

use crate::lifecycle::ProcessExit;

/// Writes it to standard output.
pub(crate) fn print() -> Result<(), ProcessExit> {
    let document = guildhall_web::openapi();
    let mut out = std::io::stdout().lock();
    let written = out
        .write_all(document.as_bytes())
        .and_then(|()| out.flush());
    Ok(written.context("the document was not written")?)
}

#[cfg(test)]
mod tests {
    /// The page's types are made of it.
    #[test]
    fn the_committed_document_is_this_one() {
        let committed = include_str!("../../../../docs/openapi.json");
        assert!(
            guildhall_web::openapi() == committed,
            "docs/openapi.json is not what `guildhall openapi` prints: run `cargo xtask codegen` \
             and commit it"
        );
    }
}
