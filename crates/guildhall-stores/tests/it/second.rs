use std::{
    fs,
    io::{BufRead, Write},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::Path,
    time::{Duration, Instant},
};

use guildhall_ports::JournalError;
use tempfile::tempdir;

use crate::child;

/// Nobody in particular, on every Linux.
const NOBODY: u32 = 65_534;

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "what is tested is how long it takes"
)]
fn another_process_is_told_that_it_is_open_until_its_owner_is_gone() {
    if let Some(path) = child::journal() {
        return say_how_it_opens(&path);
    }
    let test = "second::another_process_is_told_that_it_is_open_until_its_owner_is_gone";
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("guildhall.db");
    let owner = child::open(&path).expect("opens");
    let told = how_a_child_opens(child::command(test, &path));
    assert!(told.starts_with("InUse("), "{told}");

    // A second try in the owner's own process must not cost it the lock, nor wait for it.
    let asked = Instant::now();
    child::open(&path).expect_err("is open");
    assert!(asked.elapsed() < Duration::from_secs(2), "said at once");
    let told = how_a_child_opens(child::command(test, &path));
    assert!(told.starts_with("InUse("), "{told}");

    drop(owner);
    let told = how_a_child_opens(child::command(test, &path));
    assert_eq!(told, "opened");
}

#[test]
fn who_may_not_write_is_told_what_to_do() {
    if let Some(path) = child::journal() {
        return say_how_it_opens(&path);
    }
    let test = "second::who_may_not_write_is_told_what_to_do";
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("guildhall.db");
    // Root may do everything, so somebody else tries.
    let command = || {
        let mut command = child::command(test, &path);
        if fs::metadata("/proc/self").expect("Linux").uid() == 0 {
            command.uid(NOBODY);
        }
        command
    };

    permit(folder.path(), 0o555);
    refused(&how_a_child_opens(command()));
    assert_eq!(fs::read_dir(folder.path()).expect("is a folder").count(), 0);

    permit(folder.path(), 0o755);
    drop(child::open(&path).expect("is made"));
    let before = fs::read(&path).expect("is read");
    for (of_folder, of_file) in [(0o755, 0o444), (0o555, 0o444), (0o755, 0o000)] {
        permit(&path, of_file);
        permit(folder.path(), of_folder);
        refused(&how_a_child_opens(command()));
        permit(folder.path(), 0o755);
        permit(&path, 0o600);
        assert_eq!(fs::read(&path).expect("is read"), before);
        assert_eq!(fs::read_dir(folder.path()).expect("is a folder").count(), 1);
    }
}

fn refused(told: &str) {
    assert!(told.starts_with("Refused("), "{told}");
    assert!(told.contains("cannot be opened for writing"), "{told}");
}

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("is set");
}

fn how_a_child_opens(command: std::process::Command) -> String {
    let (mut child, said) = child::start(command);
    let lines = said.lines().map(|line| line.expect("is read"));
    let told = lines.filter_map(|line| line.strip_prefix("it is ").map(str::to_owned));
    let told: Vec<String> = told.collect();
    assert!(child.wait().expect("has ended").success());
    told.join("\n")
}

fn say_how_it_opens(path: &Path) {
    let how = match child::open(path) {
        Ok(_) => "opened".to_owned(),
        Err(error @ (JournalError::InUse(_) | JournalError::Refused(_))) => format!("{error:?}"),
        Err(error) => panic!("{error}"),
    };
    writeln!(std::io::stdout(), "\nit is {how}").expect("somebody listens");
}
