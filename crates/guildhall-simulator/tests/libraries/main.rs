//! What nobody here wrote, against the simulator: discord.js, discord.py,
//! eris, hikari and twilight as they are published, a script of raw sockets for the refusals, and
//! Chromium for the page.
//!
//! The scripts and their lock files are in `tests/libraries` and `tests/browser`;
//! `cargo xtask test integration` installs what they need.

mod capabilities;
mod house;
mod script;
mod told;
mod twilight;
mod witness;
