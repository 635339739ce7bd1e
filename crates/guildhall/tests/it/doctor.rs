//! `guildhall doctor`: each of its checks has a fault that it alone finds, and the cure that is printed
//! makes it well.

/// All of it at once, as it is printed.
mod everything;
/// Discord, but for what is changed on the way.
mod front;
/// What is before web and takes its time.
mod slow_proxy;
/// A house to look at.
mod ward;

/// What Discord's side is found to lack.
mod portal;
/// What the bot lacks in guilds.
mod guilds;
/// What is found on this machine.
mod machine;
/// What proxies do to a stream.
mod path;
