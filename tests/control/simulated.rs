//! A flow of the real channels, gates and supervision whose stages only sleep. It can be made as slow as needed on any machine.

use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use pipeline::control::{self, Ending, Watch};
use pipeline::flow::{Entrance, Fault, Inlet, Meters, Outlet, Role, Stop, channel};
use pipeline::plan::Crew;
use pipeline::topology::{Flow, Waits};

/// The stages after the source, in the order of the data.
const STAGES: [(&str, Role); 6] = [
    ("decode", Role::Input),
    ("augment", Role::Input),
    ("staging", Role::Input),
    ("compute", Role::Driver),
    ("cpu", Role::Device),
    ("record", Role::Output),
];

/// How a stage fails.
#[derive(Clone, Copy, Debug)]
pub enum Break {
    /// By a panic.
    Panic,
    /// By a fault with a reason.
    Fail,
    /// By never returning.
    Hang,
}

/// A simulated flow.
#[derive(Clone)]
pub struct Simulated {
    /// The pause of each stage per item; stages not listed have none.
    pub pauses: Vec<(&'static str, Duration)>,
    /// The workers of decode.
    pub crew: Crew,
    /// The number of cores that the flow believes in.
    pub cores: usize,
    /// The number of items in the run.
    pub items: u64,
    /// Which stage fails, at which item, and how.
    pub breaks: Option<(&'static str, u64, Break)>,
    /// After this time without progress the flow counts as stuck.
    pub stall_after: Duration,
}

impl Simulated {
    /// No pauses, with one worker per stage.
    pub fn of(items: u64) -> Self {
        Self {
            pauses: Vec::new(),
            crew: Crew { start: 1, max: 1 },
            cores: 64,
            items,
            breaks: None,
            stall_after: Duration::from_mins(1),
        }
    }

    /// Runs it under supervision; the last stage calls `on_item`.
    pub fn run(self, stop: &Stop, on_item: impl FnMut(u64, &Meters) + Send + 'static) -> Ending {
        let meters: Arc<OnceLock<Arc<Meters>>> = Arc::default();
        let mut flow = Flow::new(self.cores);
        let (tickets, mut inlet) = channel::<u64>("ticket", NonZeroUsize::new(4).expect("above 0"));
        let (items, pause) = (self.items, self.pause("source"));
        let asked = stop.clone();
        let waits = Waits::of_source(tickets.gauge()).room(tickets.waits());
        flow.one("source", waits, move || source(items, pause, tickets, &asked));
        flow.images(inlet.gauge());
        let mut on_item = Some(on_item);
        for (name, role) in STAGES {
            let (outlet, next) = channel::<u64>("item", NonZeroUsize::new(2).expect("above 0"));
            let waits = Waits::of(role, &inlet);
            if name == "record" {
                let (inlet, late) = (inlet.clone(), Arc::clone(&meters));
                let (stage, mut on_item) = (self.stage(name), on_item.take().expect("there is one last stage"));
                flow.one(name, waits, move || {
                    while let Some(item) = inlet.next()? {
                        stage.one(item)?;
                        on_item(item, late.get().expect("set before the start"));
                    }
                    Ok(())
                });
            } else {
                let crew = if name == "decode" {
                    self.crew
                } else {
                    Crew { start: 1, max: 1 }
                };
                flow.many(name, crew, waits.room(outlet.waits()), |entrance: Option<Entrance>| {
                    let (inlet, outlet, stage) = (inlet.behind(entrance), outlet.clone(), self.stage(name));
                    move || stage.run(&inlet, outlet)
                });
            }
            outlet.finish();
            inlet = next;
        }
        drop(inlet);
        let mut topology = flow.finish();
        topology.tune_every = Duration::from_millis(100);
        let _ = meters.set(Arc::clone(&topology.meters));
        let watch = Watch {
            stall_after: self.stall_after,
            on_fault: Box::new(|_, _| {}),
            on_stop: Box::new(|| {}),
        };
        control::supervise(topology, stop, watch)
    }

    fn pause(&self, name: &str) -> Duration {
        let pause = self.pauses.iter().find(|(stage, _)| *stage == name);
        pause.map_or(Duration::ZERO, |(_, pause)| *pause)
    }

    fn stage(&self, name: &'static str) -> Stage {
        Stage {
            pause: self.pause(name),
            breaks: self
                .breaks
                .filter(|(stage, ..)| *stage == name)
                .map(|(_, at, how)| (at, how)),
        }
    }
}

fn source(items: u64, pause: Duration, tickets: Outlet<u64>, stop: &Stop) -> Result<(), Fault> {
    for item in 0..items {
        if stop.is_requested() {
            break;
        }
        thread::sleep(pause);
        tickets.send(item)?;
    }
    tickets.finish();
    Ok(())
}

#[derive(Clone, Copy)]
struct Stage {
    pause: Duration,
    breaks: Option<(u64, Break)>,
}

impl Stage {
    fn run(self, inlet: &Inlet<u64>, outlet: Outlet<u64>) -> Result<(), Fault> {
        while let Some(item) = inlet.next()? {
            self.one(item)?;
            outlet.send(item)?;
        }
        outlet.finish();
        Ok(())
    }

    fn one(self, item: u64) -> Result<(), Fault> {
        if !self.pause.is_zero() {
            thread::sleep(self.pause);
        }
        match self.breaks {
            Some((at, Break::Panic)) if at == item => panic!("item {item} breaks"),
            Some((at, Break::Fail)) if at == item => Err(Fault::failed(format!("item {item} fails"))),
            Some((at, Break::Hang)) if at == item => loop {
                thread::park();
            },
            _ => Ok(()),
        }
    }
}
