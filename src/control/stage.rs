//! The actor of one stage. It owns the stage's threads, never its data.

use actix::{Actor, Addr, AsyncContext, Context, Handler, Recipient};

use super::hold::Hold;
use super::messages::{FaultFound, StageEnded, WorkerExited};
use crate::flow::{Exit, Fault, Worker};
use crate::topology::Stage;

/// The receiver of a stage's messages.
pub(super) struct Listener {
    pub(super) faults: Recipient<FaultFound>,
    pub(super) ends: Recipient<StageEnded>,
}

/// Starts the workers of its stage, joins them, and passes their faults on.
pub(super) struct StageActor {
    stage: Option<Stage>,
    name: &'static str,
    workers: Vec<Worker>,
    running: usize,
    pipeline: Listener,
    hold: Hold<Self>,
}

impl<A> From<Addr<A>> for Listener
where
    A: Handler<FaultFound> + Handler<StageEnded> + Actor<Context = Context<A>>,
{
    fn from(address: Addr<A>) -> Self {
        Self {
            faults: address.clone().recipient(),
            ends: address.recipient(),
        }
    }
}

impl StageActor {
    pub(super) fn new(stage: Stage, pipeline: impl Into<Listener>) -> Self {
        Self {
            name: stage.name,
            stage: Some(stage),
            workers: Vec::new(),
            running: 0,
            pipeline: pipeline.into(),
            hold: Hold::default(),
        }
    }

    /// Reports the end if no worker is running any more.
    fn end_if_done(&mut self) {
        if self.running == 0 {
            self.workers.drain(..).for_each(Worker::join);
            self.pipeline.ends.do_send(StageEnded);
            self.hold.release();
        }
    }
}

impl Actor for StageActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        let Some(stage) = self.stage.take() else { return };
        self.hold.take(context);
        for (index, body) in stage.bodies.into_iter().enumerate() {
            let address = context.address();
            self.running += 1;
            let on_exit = move |exit| address.do_send(WorkerExited { exit });
            match Worker::spawn(stage.name, index, body, on_exit) {
                Ok(worker) => self.workers.push(worker),
                // The body was dropped with its channel ends, so other stages see a loss.
                Err(error) => context.address().do_send(WorkerExited {
                    exit: Exit::Faulted(Fault::failed(error)),
                }),
            }
        }
        // A stage without a worker.
        self.end_if_done();
    }
}

impl Handler<WorkerExited> for StageActor {
    type Result = ();

    fn handle(&mut self, WorkerExited { exit }: WorkerExited, _: &mut Self::Context) {
        self.running -= 1;
        if exit.severity() > 0 {
            self.pipeline.faults.do_send(FaultFound { stage: self.name, exit });
        }
        self.end_if_done();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use actix::fut::{ActorFutureExt, ready};
    use actix::{AsyncContext, System};
    use tokio::sync::oneshot;

    use super::*;
    use crate::topology::Body;

    /// Hears the end of a stage.
    struct Ear {
        faults: usize,
        ended: Option<oneshot::Sender<usize>>,
    }

    impl Actor for Ear {
        type Context = Context<Self>;
    }

    impl Handler<FaultFound> for Ear {
        type Result = ();
        fn handle(&mut self, _: FaultFound, _: &mut Self::Context) {
            self.faults += 1;
        }
    }

    impl Handler<StageEnded> for Ear {
        type Result = ();
        fn handle(&mut self, _: StageEnded, _: &mut Self::Context) {
            let _ = self.ended.take().map(|ended| ended.send(self.faults));
        }
    }

    /// The faults that are heard of before the end of a stage whose workers do what `bodies` do.
    ///
    /// All of them end, and with them their addresses, after the actor has looked into its mailbox for the last time and
    /// before it counts its addresses: between the two, actix polls the futures of an actor, and one is here that lets the
    /// workers go and waits until their threads are gone.
    fn faults_of(bodies: Vec<Body>) -> Option<usize> {
        System::new().block_on(async move {
            let (ended, end) = oneshot::channel();
            let ear = Ear {
                faults: 0,
                ended: Some(ended),
            };
            let ear = ear.start();
            let (go, held) = mpsc::sync_channel::<()>(1);
            let held = std::sync::Arc::new(std::sync::Mutex::new(held));
            let bodies = bodies.into_iter().map(|body| -> Body {
                let held = std::sync::Arc::clone(&held);
                Box::new(move || {
                    // Ends when the other end is dropped.
                    let _ = held.lock().map(|held| held.recv());
                    body()
                })
            });
            let stage = Stage {
                name: "late",
                bodies: bodies.collect(),
            };
            StageActor::create(|context| {
                context.spawn(ready(()).map(move |(), stage: &mut StageActor, _| {
                    drop(go);
                    stage.workers.drain(..).for_each(Worker::join);
                }));
                StageActor::new(stage, ear)
            });
            tokio::time::timeout(Duration::from_secs(20), end).await.ok()?.ok()
        })
    }

    #[test]
    fn no_last_word_of_a_worker_is_lost() {
        let well = || -> Body { Box::new(|| Ok(())) };
        let badly = || -> Body { Box::new(|| Err(Fault::Aborted)) };
        assert_eq!(faults_of(vec![well()]), Some(0));
        assert_eq!(faults_of(vec![well(), badly(), well(), badly()]), Some(2));
    }

    #[test]
    fn a_stage_without_workers_ends() {
        assert_eq!(faults_of(Vec::new()), Some(0));
    }
}
