//! What it costs web that viewers see different rooms: a thousand of them in 250 private rooms, into
//! which each is let by an overwrite of their own, beside as many who all see the same.
//!
//! Both have a web role of their own behind a false gateway, with the same rooms, people and events,
//! and are measured in turn.

use anyhow::{Context, bail};
use serde_json::json;

use super::contender::Contender;
use super::fake_gateway::FakeGatewayOptions;
use super::fake_web::{FakeStage, FakedWeb};
use super::http::Client;
use super::orders::{Setup, StampsTo};
use super::sign_in::sign_in;
use super::table::{Budget, Row, Spread};

/// Chosen ids, of nobody else in the simulator.
const FIRST_VIEWER: u64 = 7_000_000;
/// How many viewers each private room has.
const IN_A_ROOM: u16 = 4;

/// How many viewers, and how often.
pub(crate) struct ClassesPlan {
    pub(crate) repetitions: usize,
    /// A multiple of what a room has.
    pub(crate) viewers: u16,
    /// Stamps of one repetition, one in flight, that all viewers get.
    pub(crate) stamps: u64,
}

/// Who gets a stamp, and of how many classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// All, of one class.
    OneClass,
    /// All, of as many classes as there are private rooms.
    ManyClasses,
    /// The same, and before each a private room is made and deleted.
    RoomsComeAndGo,
    /// Those of one private room after the other, while the others are there.
    InTheirRooms,
    /// As many, of one class, while nobody else is there.
    AsManyAlone,
}

/// One web role with its false gateway and its streams.
struct Measured {
    shape: Shape,
    // Kept so that it lives as long as the streams.
    _web: FakedWeb,
    streams: Contender,
    stamps: u64,
    /// Per delivery, of each repetition.
    micros: Vec<f64>,
    faults: u64,
}

impl Shape {
    const ALL: [Self; 5] = [
        Self::OneClass,
        Self::ManyClasses,
        Self::RoomsComeAndGo,
        Self::InTheirRooms,
        Self::AsManyAlone,
    ];

    fn options(self, viewers: u16) -> FakeGatewayOptions {
        FakeGatewayOptions {
            rooms: viewers / IN_A_ROOM,
            private: !matches!(self, Self::OneClass | Self::AsManyAlone),
            deal: self == Self::InTheirRooms,
            come_and_go: self == Self::RoomsComeAndGo,
            ..FakeGatewayOptions::of_members(FIRST_VIEWER, viewers)
        }
    }

    fn streams(self, viewers: u16) -> usize {
        usize::from(match self {
            Self::AsManyAlone => IN_A_ROOM,
            _ => viewers,
        })
    }

    /// As many deliveries in each where a stamp is one, or four.
    fn stamps(self, plan: &ClassesPlan) -> u64 {
        match self {
            Self::OneClass | Self::ManyClasses | Self::RoomsComeAndGo => plan.stamps,
            // A stamp for each room as often.
            Self::InTheirRooms | Self::AsManyAlone => {
                plan.stamps * u64::from(plan.viewers / IN_A_ROOM)
            }
        }
    }

    fn says(self, viewers: u16) -> String {
        let rooms = viewers / IN_A_ROOM;
        match self {
            Self::OneClass => format!("seen by {viewers}, of one class"),
            Self::ManyClasses => format!("seen by {viewers}, in {rooms} private rooms"),
            Self::RoomsComeAndGo => "while private rooms come and go".to_owned(),
            Self::InTheirRooms => format!("in a private room, {rooms} such"),
            Self::AsManyAlone => format!("seen by {IN_A_ROOM}, nobody else"),
        }
    }
}

/// The rows, and how many deliveries were lost, doubled or reordered.
pub(crate) fn rows(plan: &ClassesPlan, stage: &FakeStage<'_>) -> anyhow::Result<(Vec<Row>, u64)> {
    println!("{} viewers of one class and of many", plan.viewers);
    make_people(stage, plan.viewers)?;
    let mut cookies = Vec::new();
    let mut measured = Vec::new();
    for shape in Shape::ALL {
        let started = Measured::start(shape, stage, plan, &mut cookies);
        measured.push(started.with_context(|| format!("{shape:?}"))?);
    }
    for repetition in 1..=plan.repetitions {
        println!("  repetition {repetition} of {}", plan.repetitions);
        for one in &mut measured {
            one.repeat()?;
        }
    }
    let faults = measured.iter().map(|one| one.faults).sum();
    Ok((table(&measured, plan), faults))
}

fn table(measured: &[Measured], plan: &ClassesPlan) -> Vec<Row> {
    let row = |what: String, unit, values: &[f64], budget| Row {
        what,
        unit,
        product: Spread::of(values),
        bare: None,
        budget,
    };
    let of = |shape: Shape| measured.iter().find(|one| one.shape == shape);
    let mut rows: Vec<Row> = measured
        .iter()
        .map(|one| {
            let what = format!("CPU per delivery, w1, {}", one.shape.says(plan.viewers));
            row(what, "µs", &one.micros, None)
        })
        .collect();
    let pairs = [
        (
            Shape::ManyClasses,
            Shape::OneClass,
            Some(Budget::AtMost(1.1)),
        ),
        // What nobody reads for a while is cold, which is no matter of classes: without a budget.
        (Shape::InTheirRooms, Shape::AsManyAlone, None),
    ];
    for (shape, beside, budget) in pairs {
        if let (Some(one), Some(other)) = (of(shape), of(beside)) {
            // Of one repetition each: what else the machine does falls on both.
            let times = one.micros.iter().zip(&other.micros);
            let times: Vec<f64> = times.map(|(one, other)| one / other).collect();
            let says = |shape: Shape| shape.says(plan.viewers);
            let what = format!("{}, beside {}", says(shape), says(beside));
            rows.push(row(what, "times", &times, budget));
        }
    }
    if let (Some(with), Some(without)) = (of(Shape::RoomsComeAndGo), of(Shape::ManyClasses)) {
        let both = with.micros.iter().zip(&without.micros);
        let viewers = f64::from(plan.viewers);
        let micros: Vec<f64> = both
            .map(|(with, without)| (with - without) * viewers)
            .collect();
        let what = format!(
            "a private room that is made and deleted, {} viewers",
            plan.viewers
        );
        rows.push(row(what, "µs", &micros, None));
    }
    rows
}

fn make_people(stage: &FakeStage<'_>, viewers: u16) -> anyhow::Result<()> {
    let mut simulator = Client::new(stage.simulator_at);
    for viewer in ids(viewers) {
        let user = json!({"id": viewer.to_string(), "username": format!("viewer.{viewer}")});
        let answer = simulator.post("/sim/users", &user.to_string())?;
        if answer.status >= 300 {
            bail!("no viewer: {} {}", answer.status, answer.body);
        }
    }
    Ok(())
}

fn ids(viewers: u16) -> impl Iterator<Item = u64> {
    FIRST_VIEWER..FIRST_VIEWER + u64::from(viewers)
}

impl Measured {
    /// `cookies`: of all viewers, once somebody signed them in.
    fn start(
        shape: Shape,
        stage: &FakeStage<'_>,
        plan: &ClassesPlan,
        cookies: &mut Vec<String>,
    ) -> anyhow::Result<Self> {
        let viewers = plan.viewers;
        let streams = shape.streams(viewers);
        let name = format!("classes-{shape:?}");
        let web = stage.web(&name, shape.options(viewers), streams)?;
        if cookies.is_empty() {
            for viewer in ids(viewers) {
                let user = viewer.to_string();
                cookies.push(sign_in(web.web_at, stage.simulator_at, &user)?);
            }
        }
        let requests = cookies.iter().map(|cookie| web.request(1, cookie));
        let setup = Setup {
            streams_at: web.web_at,
            requests: requests.collect(),
            stamps_to: StampsTo::Bare {
                address: web.stamps_at,
            },
            dealt: match shape {
                Shape::InTheirRooms => u64::from(viewers / IN_A_ROOM),
                _ => 1,
            },
        };
        let folder = stage.folder.join(name);
        let mut contender = Contender::of_server(stage.lab, &folder, setup, web.web.id())?;
        contender.open(streams)?;
        Ok(Self {
            shape,
            _web: web,
            streams: contender,
            stamps: shape.stamps(plan),
            micros: Vec::new(),
            faults: 0,
        })
    }

    fn repeat(&mut self) -> anyhow::Result<()> {
        // What was not written for a while is cold.
        self.streams.one_by_one(3)?;
        let before = self.streams.server_nanos()?;
        let report = self.streams.one_by_one(self.stamps)?;
        let nanos = self.streams.server_nanos()?.saturating_sub(before);
        self.faults += report.faults();
        if report.deliveries > 0 {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            let micros = nanos as f64 / 1_000.0 / report.deliveries as f64;
            self.micros.push(micros);
        }
        Ok(())
    }
}
