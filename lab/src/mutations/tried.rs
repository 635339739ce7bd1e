//! One test, tried under a time limit.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process_group};

const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How a test ended.
pub(super) struct Tried {
    pub(super) status: ExitStatus,
    pub(super) took: Duration,
    /// Stdout, then stderr.
    pub(super) said: String,
}

/// Runs it to its end, or fails at `limit`. `folder`: for what it says.
#[expect(
    clippy::disallowed_methods,
    reason = "how long a test takes is what is asked"
)]
pub(super) fn tried(mut command: Command, limit: Duration, folder: &Path) -> anyhow::Result<Tried> {
    let (out, err) = (folder.join("stdout"), folder.join("stderr"));
    let began = Instant::now();
    let mut child = command
        // With cargo goes the test that it started.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(File::create(&out)?)
        .stderr(File::create(&err)?)
        .spawn()
        .context("cargo could not be started")?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if began.elapsed() > limit {
            end(&mut child)?;
            bail!("no answer within {} s", limit.as_secs());
        }
        thread::sleep(LOOK_AGAIN);
    };
    let said = [out, err].map(|path| fs::read(path).unwrap_or_default());
    Ok(Tried {
        status,
        took: began.elapsed(),
        said: String::from_utf8_lossy(&said.concat()).into_owned(),
    })
}

fn end(child: &mut Child) -> anyhow::Result<()> {
    kill_process_group(Pid::from_child(child), Signal::KILL)?;
    child.wait()?;
    Ok(())
}

/// `NAME: the first line of its panic`, as the test harness of Rust writes it.
pub(super) fn complaint(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("\n---- ")?;
    let (name, rest) = rest.split_once(" stdout ----")?;
    // The line that says where is no help, and the one after it says what.
    let mut lines = rest.lines().filter(|line| !line.trim().is_empty());
    let what = lines
        .clone()
        .skip_while(|line| !line.contains("panicked at"))
        .nth(1)
        .or_else(|| lines.next())?;
    let short: String = what.trim().chars().take(160).collect();
    Some(format!("{name}: {short}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_names_the_test_and_what_is_wrong() {
        let said = "running 1 test\ntest a::b ... FAILED\n\nfailures:\n\n---- a::b stdout ----\nhi\n\
                    thread 'a::b' (7) panicked at src/a.rs:1:2:\nassertion failed: two ghosts\n";
        let complaint = complaint(said).expect("it complains");
        assert_eq!(complaint, "a::b: assertion failed: two ghosts");
        assert!(super::complaint("error: no such command").is_none());
    }

    #[test]
    fn what_a_test_says_and_how_it_ends_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let tried =
            tried(command, Duration::from_mins(1), folder.path()).expect("within the limit");
        assert_eq!(tried.status.code(), Some(3));
        assert_eq!(tried.said, "out\nerr\n");
    }
}
