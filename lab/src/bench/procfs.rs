//! What the kernel says about processes and about the machine.

use std::fs;

use anyhow::Context;

/// CPU time a process has used so far, all threads, in nanoseconds.
///
/// Only living threads are listed, so take it while the process works steadily.
pub(crate) fn cpu_nanos(process: u32) -> anyhow::Result<u64> {
    let mut sum = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))
        .with_context(|| format!("process {process} has ended"))?
    {
        // A thread may end between the two calls.
        if let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) {
            sum += parse_schedstat(&text).context("an unknown format of schedstat")?;
        }
    }
    Ok(sum)
}

/// Resident memory of a process in bytes.
pub(crate) fn resident_bytes(process: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))
        .with_context(|| format!("process {process} has ended"))?;
    parse_resident(&status).context("an unknown format of /proc/PID/status")
}

/// How all CPUs together spent their time so far, in clock ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) busy: u64,
    pub(crate) idle: u64,
    /// Taken by the host for somebody else.
    pub(crate) stolen: u64,
}

/// Ticks of `/proc/stat` are hundredths of a second on Linux, whatever the kernel's own clock.
pub(crate) const NANOS_PER_TICK: u64 = 10_000_000;

pub(crate) fn machine() -> anyhow::Result<Machine> {
    let text = fs::read_to_string("/proc/stat").context("/proc/stat cannot be read")?;
    parse_machine(&text).context("an unknown format of /proc/stat")
}

fn parse_schedstat(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

fn parse_resident(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

fn parse_machine(text: &str) -> Option<Machine> {
    let fields: Vec<u64> = text
        .lines()
        .next()?
        .strip_prefix("cpu ")?
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    // user nice system idle iowait irq softirq steal; guest time is part of user.
    let [user, nice, system, idle, iowait, irq, softirq, stolen] = *fields.first_chunk()?;
    Some(Machine {
        busy: user + nice + system + irq + softirq,
        idle: idle + iowait,
        stolen,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_formats_are_read() {
        assert_eq!(
            parse_schedstat("1208581458 2382465 7\n"),
            Some(1_208_581_458)
        );
        assert_eq!(
            parse_resident("VmPeak:\t  99 kB\nVmRSS:\t  12 kB\n"),
            Some(12 * 1024)
        );
        assert_eq!(
            parse_machine("cpu  10 1 5 100 2 0 3 4 0 0\ncpu0 1 1 1 1\n"),
            Some(Machine {
                busy: 19,
                idle: 102,
                stolen: 4
            })
        );
    }

    #[test]
    fn an_unknown_format_is_no_zero() {
        assert_eq!(parse_schedstat(""), None);
        assert_eq!(parse_resident("VmPeak: 1 kB"), None);
        assert_eq!(parse_machine("cpu  1 2"), None);
    }

    #[test]
    fn this_process_uses_time_and_memory() {
        let this = std::process::id();
        assert!(resident_bytes(this).expect("it lives") > 100_000);
        let before = cpu_nanos(this).expect("it lives");
        let mut sum = 0_u64;
        while cpu_nanos(this).expect("it lives") < before + 1_000_000 {
            sum = sum.wrapping_add(std::hint::black_box(1));
        }
        assert!(sum > 0);
    }
}
