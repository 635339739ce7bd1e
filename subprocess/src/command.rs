//! Running other programs: what they print stays visible, and a failure names
//! the command line that can be typed again.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// A program with its arguments, in a folder, not yet started.
pub fn command<A: AsRef<OsStr>>(
    program: &str,
    arguments: impl IntoIterator<Item = A>,
    folder: &Path,
) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    command
}

/// Shows the command line, and runs to the end with our own stdin, stdout and stderr.
///
/// # Errors
///
/// With the command line, if it cannot be started or does not end with success.
pub fn run(mut command: Command) -> anyhow::Result<()> {
    let line = line_of(&command);
    println!("$ {line}");
    let status = command
        .status()
        .with_context(|| format!("`{line}` could not be started"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Runs to the end and returns what it wrote to stdout; stderr stays visible.
///
/// # Errors
///
/// Those of [`run`], and if what it wrote is not UTF-8.
pub fn output(mut command: Command) -> anyhow::Result<String> {
    let line = line_of(&command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("`{line}` could not be started"))?;
    if !output.status.success() {
        bail!("`{line}` failed ({})", output.status);
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{line}` wrote something that is not UTF-8"))
}

/// Whether the program can be started and ends well, in silence.
pub fn works(mut command: Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn line_of(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}
