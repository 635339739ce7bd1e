//! A child process of the real binary, with everything it says on stdout and stderr in files.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use tokio::time::timeout;

use super::{SOON, retry, until};

/// Among the settings: the limit on the process's open files. It is none of the product's.
pub(crate) const OPEN_FILES: &str = "ulimit -n";

pub(crate) struct Process {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Process {
    /// Starts a subcommand in an otherwise empty environment, with `folder` as working folder.
    pub(crate) fn start(
        command: &str,
        flags: &[&str],
        settings: &[(String, String)],
        folder: &Path,
    ) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let out = folder.join(format!("{command}-{count}.out"));
        let err = folder.join(format!("{command}-{count}.err"));
        let file = |path: &Path| File::create(path).expect("a log file");
        let binary = env!("CARGO_BIN_EXE_guildhall");
        let open_files = settings.iter().find(|(name, _)| name == OPEN_FILES);
        let mut start = Command::new(binary);
        if let Some((_, limit)) = open_files {
            // Both limits, of the process that the shell becomes.
            start = Command::new("/bin/sh");
            start.args([
                "-c",
                &format!("ulimit -n {limit}; exec \"$0\" \"$@\""),
                binary,
            ]);
        }
        let settings = settings.iter().filter(|(name, _)| name != OPEN_FILES);
        let child = start
            .arg(command)
            .args(flags)
            .env_clear()
            .envs(settings.map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file(&out))
            .stderr(file(&err))
            .spawn()
            .expect("the binary starts");
        Self { child, out, err }
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.err).expect("its log")
    }

    /// The first line of its log that has one of these texts. For logs that are long.
    pub(crate) fn logged_any(&self, texts: &[&str]) -> Option<String> {
        let wanted = self.err.with_extension("wanted");
        std::fs::write(&wanted, texts.join("\n")).expect("a file");
        let found = Command::new("grep")
            .args(["--text", "--fixed-strings", "--max-count=1", "--file"])
            .args([&wanted, &self.err])
            .env("LC_ALL", "C")
            .output()
            .expect("grep runs");
        // Above 1 it could not read.
        assert!(
            found.status.code().is_some_and(|code| code <= 1),
            "{found:?}"
        );
        let line = String::from_utf8_lossy(&found.stdout).into_owned();
        (!line.is_empty()).then_some(line)
    }

    /// What it has printed so far.
    pub(crate) fn printed(&self) -> String {
        std::fs::read_to_string(&self.out).expect("its output")
    }

    /// Waits for a printed line that begins with `label`; answers with the rest of it.
    pub(crate) async fn line_after(&self, label: &str) -> String {
        let line = async {
            loop {
                let printed = self.printed();
                let whole = printed.rsplit_once('\n').map_or("", |(whole, _)| whole);
                let mut lines = whole.lines().map(str::trim);
                if let Some(rest) = lines.find_map(|line| line.strip_prefix(label)) {
                    return rest.trim().to_owned();
                }
                retry().await;
            }
        };
        let line = timeout(SOON, line).await;
        line.unwrap_or_else(|_| panic!("no line {label:?} in:\n{}\n{}", self.printed(), self.log()))
    }

    /// Waits until the log has a text.
    pub(crate) async fn until_logged(&self, text: &str) {
        until(text, async || self.log().contains(text)).await;
    }

    /// Sends it a signal by name, such as `KILL`, `STOP`, `CONT` or `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(sent.success(), "the process is still ours to signal");
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let end = async {
            loop {
                if let Some(status) = self.child.try_wait().expect("our own child") {
                    return status;
                }
                retry().await;
            }
        };
        let status = timeout(SOON, end).await;
        status.unwrap_or_else(|_| panic!("it never ended:\n{}", self.log()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL also ends a stopped process; an ended one is no error worth telling here.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
