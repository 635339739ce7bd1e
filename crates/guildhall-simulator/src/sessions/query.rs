//! The query of a gateway URL: version, encoding, compression.

use super::close::CloseCode;

/// What a connection's URL asks for. A session is resumed with the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GatewayQuery {
    pub(crate) version: u8,
    pub(crate) compress: Option<TransportCompression>,
}

impl Default for GatewayQuery {
    fn default() -> Self {
        Self {
            version: 10,
            compress: None,
        }
    }
}

/// Versions 9 and 10 in JSON. Whoever names no version gets one that is gone, and
/// ETF and compressions that Discord does not document are refused with 4002 rather
/// than taken for something else.
pub(crate) fn read(query: &str) -> Result<GatewayQuery, CloseCode> {
    let (mut wanted, mut named) = (GatewayQuery::default(), false);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match (&*name, &*value) {
            ("encoding", "json") => {}
            ("v", "9" | "10") => {
                wanted.version = if value == "9" { 9 } else { 10 };
                named = true;
            }
            ("v", _) => return Err(CloseCode::INVALID_VERSION),
            ("compress", name) => {
                let known = TransportCompression::named(name);
                wanted.compress = Some(known.ok_or(CloseCode::DECODE_ERROR)?);
            }
            ("encoding", _) => return Err(CloseCode::DECODE_ERROR),
            _ => {}
        }
    }
    if named {
        Ok(wanted)
    } else {
        Err(CloseCode::INVALID_VERSION)
    }
}

/// What the URL's `compress` can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransportCompression {
    Zlib,
    Zstd,
}

impl TransportCompression {
    /// Its name in URLs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Zlib => "zlib-stream",
            Self::Zstd => "zstd-stream",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Zlib, Self::Zstd]
            .into_iter()
            .find(|known| known.name() == name)
    }
}
