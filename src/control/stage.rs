//! The address of one stage: holds its threads, never its data.

use actix::{Actor, Addr, AsyncContext, Context, Handler};

use super::messages::{FaultFound, StageEnded, WorkerExited};
use super::pipeline::PipelineActor;
use crate::flow::{Exit, Fault, Worker};
use crate::topology::Stage;

/// Starts the workers of its stage, joins them, and passes on what was a cause.
pub(super) struct StageActor {
    stage: Option<Stage>,
    name: &'static str,
    workers: Vec<Worker>,
    running: usize,
    pipeline: Addr<PipelineActor>,
}

impl StageActor {
    pub(super) fn new(stage: Stage, pipeline: Addr<PipelineActor>) -> Self {
        Self {
            name: stage.name,
            stage: Some(stage),
            workers: Vec::new(),
            running: 0,
            pipeline,
        }
    }
}

impl Actor for StageActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        let Some(stage) = self.stage.take() else { return };
        for (index, body) in stage.bodies.into_iter().enumerate() {
            let address = context.address();
            self.running += 1;
            let on_exit = move |exit| address.do_send(WorkerExited { exit });
            match Worker::spawn(stage.name, index, body, on_exit) {
                Ok(worker) => self.workers.push(worker),
                // The body is gone with its hop ends, so the loss cascades like any other.
                Err(error) => context.address().do_send(WorkerExited {
                    exit: Exit::Faulted(Fault::failed(error)),
                }),
            }
        }
    }
}

impl Handler<WorkerExited> for StageActor {
    type Result = ();

    fn handle(&mut self, WorkerExited { exit }: WorkerExited, _: &mut Self::Context) {
        self.running -= 1;
        if exit.rank() > 0 {
            self.pipeline.do_send(FaultFound { stage: self.name, exit });
        }
        if self.running == 0 {
            self.workers.drain(..).for_each(Worker::join);
            self.pipeline.do_send(StageEnded);
        }
    }
}
