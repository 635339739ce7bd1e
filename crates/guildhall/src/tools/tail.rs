//! `guildhall tail`: what happens in a running house, line by line, over every break.

/// Frames out of bytes.
mod frames;
/// What a frame is as a line.
mod told;

use std::{future, io, process::ExitCode, sync::Arc, time::Duration};

use guildhall_ports::Clock;
use reqwest::Response;
use rustix::event::{PollFd, PollFlags, poll};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
    time::{sleep, timeout},
};
use url::form_urlencoded::Serializer;

use self::{
    frames::{FrameReader, StreamFrame},
    told::Teller,
};
use super::{
    ops_client::{NoOpsAnswer, OpsClient},
    print::{note, print},
};
use crate::{adapters, cli::Tail, config::Settings, lifecycle::ProcessExit};

/// A stream says something every 15 s; one that is silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(40);

/// Until it is tried again, where nobody said when: twice as long each time, up to the latter.
const BACK_OFF: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(16)];

pub(super) async fn run(asked: &Tail, settings: &Settings) -> Result<ExitCode, ProcessExit> {
    let client = OpsClient::new(asked.ops.as_slice(), settings)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(anyhow::Error::from)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(anyhow::Error::from)?;
    let mut tailing = Tailing::new(client, asked);
    tokio::select! {
        followed = tailing.follow() => followed.map_err(ProcessExit::from)?,
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = nobody_reads() => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// One stream after the other, as one.
struct Tailing {
    client: OpsClient,
    path: String,
    teller: Teller,
    cursor: Option<String>,
    /// Lines of a group whose last record has not come: it is told whole, or again after a break.
    of_open_group: Vec<String>,
    wait: Duration,
    clock: Arc<dyn Clock>,
}

impl Tailing {
    fn new(client: OpsClient, asked: &Tail) -> Self {
        Self {
            client,
            path: path(asked),
            teller: Teller::new(asked.output),
            cursor: None,
            of_open_group: Vec::new(),
            wait: BACK_OFF[0],
            clock: adapters::clock(),
        }
    }

    /// Follows until it is refused.
    async fn follow(&mut self) -> anyhow::Result<()> {
        let first = self.client.open(&self.path, None).await?;
        let mut ended = self.read(first).await?;
        loop {
            note(&format!("{ended}; trying again until it is back"));
            let stream = self.open_again().await?;
            ended = self.read(stream).await?;
        }
    }

    async fn open_again(&mut self) -> Result<Response, NoOpsAnswer> {
        loop {
            sleep(self.wait).await;
            match self.client.open(&self.path, self.cursor.as_deref()).await {
                Ok(stream) => return Ok(stream),
                Err(why @ NoOpsAnswer::Refused(_)) => return Err(why),
                Err(_) => self.wait = (self.wait * 2).min(BACK_OFF[1]),
            }
        }
    }

    /// Tells what a stream brings, to its end, which is answered.
    async fn read(&mut self, mut stream: Response) -> anyhow::Result<String> {
        let mut frames = FrameReader::default();
        let mut said_goodbye = None;
        self.of_open_group.clear();
        let ended = loop {
            match timeout(SILENCE, stream.chunk()).await {
                Ok(Ok(Some(bytes))) => frames.push(&bytes),
                Ok(Ok(None)) => break "the stream has ended".to_owned(),
                Ok(Err(error)) => {
                    break format!("the stream tore ({:#})", anyhow::Error::from(error));
                }
                Err(_) => break format!("nothing came for {} s", SILENCE.as_secs()),
            }
            while let Some(frame) = frames.take()? {
                if frame.event == "bye" {
                    said_goodbye = frame.data["reason"].as_str().map(str::to_owned);
                }
                self.take(&frame)?;
            }
        };
        let reason = said_goodbye.map(|reason| format!("the stream has ended ({reason})"));
        Ok(reason.unwrap_or(ended))
    }

    fn take(&mut self, frame: &StreamFrame) -> anyhow::Result<()> {
        if let Some(retry) = frame.retry {
            self.wait = Duration::from_millis(retry).min(BACK_OFF[1]);
        }
        let lines = self.teller.lines(frame, self.clock.now());
        if frame.event == "bye" {
            // What it leaves open comes again.
            self.of_open_group.clear();
        }
        self.of_open_group.extend(lines);
        // Of what one cause did the last record alone has a cursor.
        if frame.id.is_none() && frame.is_of_the_log() {
            return Ok(());
        }
        for line in self.of_open_group.drain(..) {
            print(&line)?;
        }
        if frame.id.is_some() {
            self.cursor.clone_from(&frame.id);
        }
        Ok(())
    }
}

fn path(asked: &Tail) -> String {
    let mut query = Serializer::new(String::new());
    if let Some(person) = asked.person {
        query.append_pair("as", &person.to_string());
    }
    for guild in &asked.guilds {
        query.append_pair("guild", &guild.to_string());
    }
    for channel in &asked.channels {
        query.append_pair("channel", &channel.to_string());
    }
    if let Some(events) = &asked.events {
        query.append_pair("events", events);
    }
    format!("admin/stream?{}", query.finish())
}

/// Whoever reads what is printed is gone. Without it one that has read enough would be noticed by the next line
/// alone, and in a quiet house that may be tomorrow.
async fn nobody_reads() {
    // It stands there until the process ends.
    let polled = spawn_blocking(|| {
        let out = io::stdout();
        poll(&mut [PollFd::new(&out, PollFlags::empty())], None)
    });
    if !matches!(polled.await, Ok(Ok(_))) {
        future::pending::<()>().await;
    }
}
