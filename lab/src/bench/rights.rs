//! What a change of a role costs web and those who look on, in a guild of many rooms, classes and
//! streams; and what it costs those of another guild meanwhile.
//!
//! The product runs as it is operated. Some rooms of the guild are seen by whoever a role lets view, and
//! that role is given the right and has it taken away: every stream is shown those rooms, and then not
//! any more. Beside it a bystander's streams, of the simulator's first guild, get stamps at a rate.

/// The streams of the guild, and when all of them were told.
mod onlookers;
/// The guild, as it is made in the simulator.
mod guild;

use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use super::contender::Contender;
use super::procfs;
use super::product::Product;
use super::sign_in::sign_in;
use super::table::{Budget, Row, Spread};
use guild::{GuildSize, OPEN_ROOMS, RightsGuild};
use onlookers::Onlookers;

/// Events per second that the bystander gets.
const RATE: u64 = 20;
/// How often the role changes meanwhile.
const EDITS_PER_SECOND: u64 = 2;
/// And how often that of a guild that does nothing else.
const FLAPS_PER_SECOND: u64 = 100;
/// No change takes nearly so long.
const TOLD_WITHIN: Duration = Duration::from_secs(20);

/// How many of each, and how often.
pub(crate) struct RightsPlan {
    pub(crate) repetitions: usize,
    pub(crate) rooms: u16,
    pub(crate) classes: u16,
    pub(crate) streams: u16,
    /// Streams of the bystander.
    pub(crate) bystanders: usize,
    /// Changes of one repetition, one after the other.
    pub(crate) edits: u16,
    /// Of one repetition with the bystander.
    pub(crate) seconds: u64,
}

/// What the repetitions gave.
#[derive(Default)]
struct Figures {
    /// From the change in Discord to the last stream that is shown, in ms.
    shown_ms: Vec<f64>,
    /// What web worked for one change, in ms.
    cpu_ms: Vec<f64>,
    /// The bystander's p99 in ms: nobody changes anything, the big guild does, the flapping one does.
    alone: Vec<f64>,
    beside_edits: Vec<f64>,
    beside_flaps: Vec<f64>,
    faults: u64,
}

/// The rows, and how many deliveries to the bystander were lost, doubled or reordered.
pub(crate) fn rows(
    plan: &RightsPlan,
    guildhall: &Path,
    lab: &Path,
    folder: &Path,
) -> anyhow::Result<(Vec<Row>, u64)> {
    let RightsPlan {
        rooms,
        classes,
        streams,
        ..
    } = *plan;
    println!("a role that changes, {rooms} rooms, {classes} classes, {streams} streams");
    let bystanders = plan.bystanders;
    let product = Product::start(guildhall, folder, bystanders)?;
    let big = GuildSize {
        rooms,
        classes,
        viewers: streams,
    };
    let flapping = GuildSize {
        rooms: 20,
        classes: 5,
        viewers: 10,
    };
    let mut guilds = [big, flapping]
        .into_iter()
        .zip(1_u64..)
        .map(|(shape, number)| RightsGuild::make(product.simulator_at, number, shape));
    let mut next = || guilds.next().context("there are two")?;
    let (mut big, mut flapping) = (next()?, next()?);
    let (mut of_big, of_flapping) = (open(&product, &big)?, open(&product, &flapping)?);
    println!("{} streams are open", of_big.count() + of_flapping.count());
    let mut bystander = Contender::of_web(lab, folder, &product)?;
    bystander.open(bystanders)?;
    bystander.one_by_one(3)?;

    let mut figures = Figures::default();
    for repetition in 1..=plan.repetitions {
        println!("  repetition {repetition} of {}", plan.repetitions);
        for _ in 0..plan.edits {
            one_change(&product, &mut big, &mut of_big, &mut figures)?;
        }
        let mut beside = |each: Option<(&mut RightsGuild, u64)>| -> anyhow::Result<f64> {
            let editing = each.map(|(guild, per_second)| guild.edit_at(per_second));
            let report = bystander.loaded(&product, RATE, plan.seconds)?;
            if let Some(editing) = editing {
                editing.end()?;
            }
            figures.faults += report.faults();
            Ok(report.p99.map_or(f64::NAN, in_ms))
        };
        let alone = beside(None)?;
        let beside_edits = beside(Some((&mut big, EDITS_PER_SECOND)))?;
        let beside_flaps = beside(Some((&mut flapping, FLAPS_PER_SECOND)))?;
        figures.alone.push(alone);
        figures.beside_edits.push(beside_edits);
        figures.beside_flaps.push(beside_flaps);
        // What was changed meanwhile is told to the last, so that nothing of it is counted later.
        of_big.settle()?;
    }
    of_flapping.settle()?;
    let faults = figures.faults;
    Ok((table(&figures, plan), faults))
}

/// The role lets view, and then no more: both are measured, and what is told between belongs to neither.
fn one_change(
    product: &Product,
    guild: &mut RightsGuild,
    streams: &mut Onlookers,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    for event in ["room.shown", "room.hidden"] {
        guild.connect()?;
        streams.expect(event, OPEN_ROOMS.into());
        let before = procfs::cpu_nanos(product.web.id())?;
        let began = super::clock::now();
        guild.edit()?;
        let told = streams.wait(TOLD_WITHIN)?;
        streams.settle()?;
        let worked = procfs::cpu_nanos(product.web.id())?.saturating_sub(before);
        figures.cpu_ms.push(in_ms(worked / 1_000));
        figures
            .shown_ms
            .push(told.saturating_duration_since(began).as_secs_f64() * 1_000.0);
    }
    Ok(())
}

fn open(product: &Product, guild: &RightsGuild) -> anyhow::Result<Onlookers> {
    let mut requests = Vec::new();
    for viewer in guild.viewers() {
        let cookie = sign_in(product.web_at, product.simulator_at, &viewer)?;
        requests.push(format!(
            "GET /api/stream?guild={} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n",
            guild.id, product.web_at
        ));
    }
    Onlookers::open(product.web_at, requests)
}

fn table(figures: &Figures, plan: &RightsPlan) -> Vec<Row> {
    let row = |what: String, unit, values: &[f64], budget| Row {
        what,
        unit,
        product: Spread::of(values),
        bare: None,
        budget,
    };
    // Of one repetition each: what else the machine does falls on both.
    let beside = |with: &[f64]| -> Vec<f64> {
        let pairs = with.iter().zip(&figures.alone);
        pairs.map(|(with, without)| with / without).collect()
    };
    let RightsPlan {
        rooms,
        classes,
        streams,
        ..
    } = plan;
    let of = format!("{rooms} rooms, {classes} classes, {streams} streams");
    vec![
        row(
            format!("a role changes, to the last stream, {of}"),
            "ms",
            &figures.shown_ms,
            None,
        ),
        row(
            format!("web's CPU for it, {of}"),
            "ms",
            &figures.cpu_ms,
            Some(Budget::AtMost(50.0)),
        ),
        row("a bystander's p99".to_owned(), "ms", &figures.alone, None),
        row(
            format!("the same, beside {EDITS_PER_SECOND} such changes/s"),
            "times",
            &beside(&figures.beside_edits),
            Some(Budget::AtMost(1.5)),
        ),
        row(
            format!("the same, beside a guild whose roles flap {FLAPS_PER_SECOND}/s"),
            "times",
            &beside(&figures.beside_flaps),
            None,
        ),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn in_ms(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}
