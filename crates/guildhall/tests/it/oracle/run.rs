//! One run: a house, six viewers, and all that happens to them; then the judgement.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use guildhall_model::{ChannelId, GuildId};
use parking_lot::Mutex;
use serde_json::json;
use tokio::{
    task::{JoinSet, spawn_blocking},
    time::{Instant, sleep_until, timeout},
};

use crate::{
    house::SOON,
    oracle::{
        acts::{Acts, Request, Via, mark, outage},
        asker::{Asked, Asker},
        discord_state::{DiscordState, Guild},
        judge::Judge,
        kept::{done, keep},
        observer::{Events, Manner, Place, Query, Record, millis, observe},
        plan::Plan,
        promise::{Excuses, LOOKED_UP, watch_machine},
        recorder::Recorder,
        rig::{Rig, Told},
        rng::Rng,
        scene::{self, Scene, VIEWERS, bots_role},
        tally::Tally,
        timeline::{outages, timeline},
        troubles::{Trouble, trouble},
    },
};

/// What all that was told by then needs to arrive everywhere.
const QUIET: Duration = Duration::from_secs(5);
/// The name of a guild when nothing more happens to it.
const OVER: &str = "All is over";

/// A run that goes on.
struct Run {
    plan: Plan,
    rng: Rng,
    rig: Arc<Rig>,
    scene: Scene,
    recorder: Arc<Recorder>,
    acts: Acts,
    cookies: Vec<String>,
    calm: Arc<AtomicBool>,
    rooms: Arc<Mutex<Vec<ChannelId>>>,
    observers: Vec<(Manner, Record)>,
    tasks: JoinSet<()>,
    commands: JoinSet<()>,
    asked: Arc<Mutex<Vec<Asked>>>,
    lags: Arc<Mutex<Vec<(Instant, Duration)>>>,
    trouble: JoinSet<Trouble>,
    troubles: Vec<(Instant, Instant)>,
    done: Vec<(Instant, String)>,
    tally: Tally,
}

/// Runs it, and judges.
pub(crate) async fn run(plan: Plan) -> Tally {
    let mut run = Run::build(plan).await;
    run.observe();
    run.act(plan.acts, plan.acting, 15, 150).await;
    run.acts.members = false;
    if plan.told != Told::Members {
        // Who is not told of members has until then to find out.
        run.act(usize::MAX, LOOKED_UP, 200, 800).await;
    }
    run.settle().await;
    run.judged().await
}

impl Run {
    async fn build(plan: Plan) -> Self {
        let mut rng = Rng::of(plan.seed);
        let mut prepared = None;
        let rig = Rig::start(plan.logs, plan.told, async |discord| {
            let scene = Scene::build(discord, &mut rng).await;
            let recorder = Recorder::start(discord, scene.guilds.len()).await;
            prepared = Some((scene, recorder));
        });
        let rig = rig.await;
        let (scene, recorder) = prepared.expect("it was prepared");
        let mut cookies = Vec::new();
        for viewer in &scene.viewers {
            cookies.push(rig.sign_in(&viewer.to_string()).await);
        }
        let names = plan.told == Told::Members;
        Self {
            plan,
            acts: Acts::new(scene.clone(), rng.branch(), names),
            rng,
            rig: Arc::new(rig),
            scene,
            recorder: Arc::new(recorder),
            cookies,
            calm: Arc::default(),
            rooms: Arc::default(),
            observers: Vec::new(),
            tasks: JoinSet::new(),
            commands: JoinSet::new(),
            asked: Arc::default(),
            lags: Arc::default(),
            trouble: JoinSet::new(),
            troubles: Vec::new(),
            done: vec![done(format!("{plan:?}"))],
            tally: Tally {
                runs: 1,
                ..Tally::default()
            },
        }
    }

    /// Everybody looks, in one manner or another, and somebody asks.
    fn observe(&mut self) {
        let calm = |viewer| Manner {
            viewer,
            query: Query::default(),
            restless: false,
            from_state: false,
        };
        let restless = |viewer| Manner {
            restless: true,
            ..calm(viewer)
        };
        let mut manners: Vec<Manner> = (0..VIEWERS).map(calm).collect();
        manners.extend((0..3).map(restless));
        manners.push(Manner {
            from_state: true,
            ..restless(3)
        });
        let [first, _, third] = self.scene.guilds[..] else {
            panic!("three guilds")
        };
        let rooms = (2..6).map(|number| ChannelId(third.0 + 100 + number));
        manners.push(Manner {
            query: Query {
                guilds: vec![first],
                ..Query::default()
            },
            ..restless(4)
        });
        manners.push(Manner {
            query: Query {
                channels: rooms.collect(),
                ..Query::default()
            },
            ..calm(5)
        });
        let alone = |events| Query {
            events: Some(events),
            ..Query::default()
        };
        manners.push(Manner {
            query: alone(Events::Voice),
            ..calm(1)
        });
        manners.push(Manner {
            query: alone(Events::Room),
            ..restless(2)
        });
        for manner in manners {
            let record = Record::default();
            let place = Place {
                http: self.rig.http().clone(),
                base: self.rig.url(""),
                cookie: self.cookies[manner.viewer].clone(),
                calm: Arc::clone(&self.calm),
            };
            let looking = observe(
                place,
                manner.clone(),
                self.rng.branch(),
                Arc::clone(&record),
            );
            self.tasks.spawn(looking);
            self.observers.push((manner, record));
        }
        self.tasks.spawn(watch_machine(Arc::clone(&self.lags)));
        let mut curious = Asker {
            http: self.rig.http().clone(),
            base: self.rig.url(""),
            cookies: self.cookies.clone(),
            scene: self.scene.clone(),
            rng: self.rng.branch(),
        };
        let (rooms, all) = (Arc::clone(&self.rooms), Arc::clone(&self.asked));
        self.tasks.spawn(async move {
            loop {
                let known = rooms.lock().clone();
                let asked = curious.ask(&known).await;
                all.lock().push(asked);
            }
        });
    }

    /// Lets so many things happen, for so long at most, with so many milliseconds between two of them.
    async fn act(&mut self, acts: usize, length: Duration, least: u64, most: u64) {
        let end = Instant::now() + length;
        let mut calm_until = Instant::now() + Duration::from_secs(2);
        let all = self.tally.acts.saturating_add(acts);
        while Instant::now() < end && self.tally.acts < all {
            let state = scene::read(self.rig.discord()).await;
            self.note_rooms(&state);
            for request in self.acts.choose(&state) {
                self.perform(request).await;
            }
            while let Some(ended) = self.trouble.try_join_next() {
                self.trouble_ended(ended.expect("trouble ends"));
                calm_until = Instant::now() + Duration::from_secs(2);
            }
            let quiet = self.trouble.is_empty() && Instant::now() > calm_until;
            if quiet && self.rng.one_in(20) {
                self.make_trouble();
            }
            sleep_until(Instant::now() + millis(&mut self.rng, least, most)).await;
        }
    }

    fn note_rooms(&self, state: &DiscordState) {
        let mut rooms = self.rooms.lock();
        for room in state.guilds.iter().flat_map(Guild::rooms) {
            if !rooms.contains(&room.id) {
                rooms.push(room.id);
            }
        }
    }

    fn make_trouble(&mut self) {
        self.tally.faults += 1;
        let (rig, mut rng) = (Arc::clone(&self.rig), self.rng.branch());
        let recorder = Arc::clone(&self.recorder);
        let logs = usize::from(self.plan.logs);
        self.trouble
            .spawn(async move { trouble(&rig, &recorder.session_id, logs, &mut rng).await });
    }

    fn trouble_ended(&mut self, trouble: Trouble) {
        let Trouble {
            began,
            ended,
            fault,
        } = trouble;
        self.done.push((began, format!("trouble {fault}")));
        self.done.push((ended, "trouble is over".to_owned()));
        self.troubles.push((began, ended));
    }

    async fn perform(&mut self, request: Request) {
        self.tally.acts += 1;
        self.done.push(done(format!("{request:?}")));
        let Request {
            via,
            method,
            path,
            body,
        } = request;
        let discord = self.rig.discord();
        let http = self.rig.http();
        let request = match via {
            Via::Control => http.request(method, format!("{}/sim{path}", discord.url)),
            Via::Rest => http
                .request(method, format!("{}/api/v10{path}", discord.url))
                .header("authorization", format!("Bot {}", discord.bot_token)),
            Via::House(viewer) => http
                .post(self.rig.url(&format!("/api/rpc/{path}")))
                .header("cookie", &self.cookies[viewer])
                .header("origin", self.rig.url("")),
        };
        let sent = request.json(&body).send();
        if let Via::House(_) = via {
            // It may take its time, and may be refused: what comes of it Discord tells.
            self.commands.spawn(async move { drop(sent.await) });
            return;
        }
        let answer = sent.await.expect("the simulator answers");
        let status = answer.status();
        if via == Via::Control && !status.is_success() {
            let why = answer.text().await.unwrap_or_default();
            panic!("the simulator refused {path} {body}: {status} {why}");
        }
    }

    /// Everything is well again, everything that happened is told, and nothing more happens.
    async fn settle(&mut self) {
        self.calm.store(true, Ordering::Relaxed);
        while let Some(ended) = self.trouble.join_next().await {
            self.trouble_ended(ended.expect("trouble ends"));
        }
        while self.commands.join_next().await.is_some() {}
        let state = scene::read(self.rig.discord()).await;
        for guild in &state.guilds {
            if !guild.available {
                self.perform(outage(guild, true)).await;
            }
            if !guild.has(self.scene.bot) {
                let path = format!("/sim/guilds/{}/members", guild.id);
                let body = json!({"userId": self.scene.bot, "roles": [bots_role(guild.id)]});
                self.rig.discord().post(&path, &body).await;
            }
            self.perform(mark(guild.id, OVER)).await;
        }
        let heard = async {
            while !self.scene.guilds.iter().all(|guild| self.has_heard(*guild)) {
                crate::house::retry().await;
            }
        };
        timeout(SOON, heard).await.expect("the recorder hears all");
        // That nothing more comes can't be awaited.
        sleep_until(Instant::now() + QUIET).await;
    }

    fn has_heard(&self, guild: GuildId) -> bool {
        let id = format!("\"{guild}\"");
        self.recorder.heard().iter().rev().any(|dispatch| {
            let text = dispatch.data.get();
            dispatch.name == "GUILD_UPDATE" && text.contains(OVER) && text.contains(&id)
        })
    }

    async fn judged(mut self) -> Tally {
        self.tasks.shutdown().await;
        let end = Instant::now();
        let heard = self.recorder.heard();
        self.tally.dispatches = heard.len();
        let excuses = Excuses::new(self.troubles.clone(), self.lags.lock().clone());
        let asked = std::mem::take(&mut *self.asked.lock());
        self.done.sort_by_key(|(at, _)| *at);
        let Self {
            plan,
            scene,
            observers,
            done,
            mut tally,
            ..
        } = self;
        let judging = move || {
            let timeline = timeline(&scene, &heard);
            let excuses = timeline.iter().map(|(guild, moments)| {
                let outages = outages(moments);
                (*guild, excuses.of_guild(&outages))
            });
            let excuses = excuses.collect();
            let mut judge = Judge {
                scene: &scene,
                told: plan.told,
                timeline: &timeline,
                excuses: &excuses,
                end,
                tally: Tally::default(),
            };
            for (manner, record) in &observers {
                judge.stream(manner, &record.lock());
            }
            for asked in &asked {
                judge.answer(asked);
            }
            tally += judge.tally;
            if !tally.leaks.is_empty() {
                let began = heard[0].at;
                let folder = keep(plan, began, &done, &heard, &observers, &asked, &tally.leaks);
                tally.kept.push(folder);
            }
            tally
        };
        spawn_blocking(judging).await.expect("it judges")
    }
}
