//! Faults that wait for the next gateway connection.

/// What becomes of an upgrade of the resume path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResumeFault {
    /// 503
    Unavailable,
    /// The connection ends without an answer.
    Torn,
    /// No answer comes.
    Hanging,
}

/// What is wrong with a connection's transport compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CompressionFault {
    /// There is none, although the client asked for it.
    Missing,
    /// zstd has a window of 2^n bytes.
    ZstdWindow(u8),
}

/// Faults of connections that do not exist yet.
#[derive(Debug, Default)]
pub(crate) struct GatewayFaults {
    resume: Option<(ResumeFault, u32)>,
    hello_reconnects: u32,
    compression: Option<(CompressionFault, u32)>,
    /// How many dispatches, and how many times.
    rewind: (u64, u32),
}

impl GatewayFaults {
    /// The next `times` upgrades of the resume path meet this; 0 heals.
    pub(crate) fn fail_resumes(&mut self, fault: ResumeFault, times: u32) {
        self.resume = Some((fault, times));
    }

    /// The next `times` connections get op 7 in place of HELLO; 0 heals.
    pub(crate) fn reconnect_instead_of_hello(&mut self, times: u32) {
        self.hello_reconnects = times;
    }

    /// The next `times` connections have this; 0 heals.
    pub(crate) fn spoil_compression(&mut self, fault: CompressionFault, times: u32) {
        self.compression = Some((fault, times));
    }

    /// What is wrong with the compression of this connection.
    pub(crate) fn compression(&mut self) -> Option<CompressionFault> {
        spend(&mut self.compression)
    }

    /// The next `times` replays begin so many dispatches too early.
    pub(crate) fn rewind_replays(&mut self, dispatches: u64, times: u32) {
        self.rewind = (dispatches, times);
    }

    /// By how many dispatches this replay begins too early.
    pub(crate) fn rewind(&mut self) -> u64 {
        let (dispatches, times) = self.rewind;
        self.rewind.1 = times.saturating_sub(1);
        if times > 0 { dispatches } else { 0 }
    }

    /// Whether this connection is sent away before HELLO.
    pub(crate) fn hello_is_reconnect(&mut self) -> bool {
        let sent_away = self.hello_reconnects > 0;
        self.hello_reconnects = self.hello_reconnects.saturating_sub(1);
        sent_away
    }

    /// What this upgrade of the resume path meets.
    pub(crate) fn meet_resume(&mut self) -> Option<ResumeFault> {
        spend(&mut self.resume)
    }
}

/// The fault, if it is to happen once more.
fn spend<F: Copy>(waiting: &mut Option<(F, u32)>) -> Option<F> {
    let (fault, times) = waiting.take().filter(|(_, times)| *times > 0)?;
    *waiting = Some((fault, times - 1));
    Some(fault)
}
