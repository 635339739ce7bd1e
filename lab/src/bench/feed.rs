//! How a stamp is handed in: to the simulator, which makes it an event of
//! Discord's, or to the bare server, which writes it out at once.

use std::io::Write;
use std::net::TcpStream;

use anyhow::bail;

use super::http::Client;
use super::orders::StampsTo;

pub(crate) enum Feed {
    Simulator { client: Client, guild_id: String },
    Bare { control: TcpStream },
}

impl Feed {
    pub(crate) fn open(to: &StampsTo) -> anyhow::Result<Self> {
        Ok(match to {
            StampsTo::Simulator { address, guild_id } => Self::Simulator {
                client: Client::new(*address),
                guild_id: guild_id.clone(),
            },
            StampsTo::Bare { address } => {
                let control = TcpStream::connect(address)?;
                control.set_nodelay(true)?;
                Self::Bare { control }
            }
        })
    }

    /// Hands one stamp in; it is on its way when this returns.
    pub(crate) fn send(&mut self, sequence: u64, unix_micros: u64) -> anyhow::Result<()> {
        match self {
            Self::Simulator { client, guild_id } => {
                let body =
                    format!(r#"{{"guildId":"{guild_id}","stamp":"{sequence}:{unix_micros}"}}"#);
                let response = client.post("/sim/stamp", &body)?;
                if !(200..300).contains(&response.status) {
                    bail!(
                        "the simulator refused a stamp: {} {}",
                        response.status,
                        response.body
                    );
                }
            }
            Self::Bare { control } => {
                control.write_all(format!("{sequence}:{unix_micros}\n").as_bytes())?;
            }
        }
        Ok(())
    }
}
