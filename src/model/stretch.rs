//! How a network is cut into stretches, and what is kept of them.
//!
//! A *stretch* begins with a layer that has parameters and goes on to the next such layer. Its operations are done image by
//! image (some at a time), one after the other, so that what passes between them stays in the cache: only what the backward
//! pass reads, and the stretch's last value, is kept for the whole batch. Backward, the gradients between a stretch's
//! operations live in a worker's scratch alone.

use std::ops::Range;

use crate::config::compute::Method;
use crate::ops::conv::cpu::Kernel;
use crate::ops::dropout::Units;
use crate::ops::map::{Map, Order};
use crate::ops::{Chunks, linear, lrn, pool};

use super::columns::Seam;
use super::{LayerSpec, Operation, Spec};

/// Values of a stretch beside its input, at most; where there would be more a new stretch begins.
pub const VALUES: usize = 6;

/// Max poolings of a stretch, at most.
pub const POOLS: usize = 2;

/// What a stretch begins with.
#[derive(Clone, Debug, PartialEq)]
pub enum Head {
    /// No parameters: the stretch begins with operations.
    None,
    /// Convolution, from value 0 to value 1.
    Convolution(Box<Kernel>),
    /// Fully connected, from value 0 to value 1, over the whole batch at once.
    FullyConnected(linear::Geometry),
    /// From value 0 to value 1 by way of other devices, for the whole batch at once.
    Seam(Seam),
}

/// What an operation without parameters does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Local response normalisation.
    Lrn(lrn::Geometry),
    /// Max pooling, and the number of the stretch's buffer for the places of its maxima.
    Pool(pool::Geometry, usize),
    /// max(0, x). `done`: the head does it on its way forward.
    Relu {
        /// Whether its forward pass is the head's.
        done: bool,
    },
    /// tanh(x).
    Tanh,
    /// Dropout of probability `p`, the `number`-th of the network: its masks go by that number.
    Dropout {
        /// Probability of zero.
        p: f32,
        /// How many dropout layers come before.
        number: u32,
        /// Which units of the layer are here.
        units: Units,
    },
    /// The same elements in the other order.
    Reorder,
}

/// One operation of a stretch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Act {
    /// The layer that it belongs to.
    pub layer: usize,
    /// What it does.
    pub action: Action,
    /// The number of the value that it reads.
    pub from: usize,
    /// The number of the value that it makes: the same where it works in place.
    pub to: usize,
}

/// What is between two operations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// One image of it.
    pub map: Map,
    /// Whether it is kept for the whole batch.
    pub kept: bool,
}

/// A stretch of the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// What it begins with.
    pub head: Head,
    /// The layer of the head, or the first of its operations.
    pub layer: usize,
    /// The number of the head's weights among the parameters; the biases follow.
    pub parameter: usize,
    /// Values: the first is the last of the stretch before.
    pub values: Vec<Value>,
    /// Operations after the head.
    pub acts: Vec<Act>,
    /// Elements per image of the buffers for places of maxima.
    pub places: Vec<usize>,
}

impl Stretch {
    /// Images that are worked on together.
    pub fn images(&self) -> usize {
        match &self.head {
            Head::Convolution(kernel) => kernel.images(),
            _ => 1,
        }
    }

    /// Whether the head has parameters.
    pub fn is_trained(&self) -> bool {
        matches!(self.head, Head::Convolution(_) | Head::FullyConnected(_))
    }

    /// Floats that the devices show each other of one image, all together.
    pub fn shown(&self) -> usize {
        match &self.head {
            Head::Seam(seam) => seam.rank.of * seam.shown().len(),
            _ => 0,
        }
    }

    /// Whether the head also does the `ReLU` that follows it.
    pub fn rectify(&self) -> bool {
        self.acts
            .first()
            .is_some_and(|act| act.action == Action::Relu { done: true })
    }

    /// The layers whose forward pass is the head's.
    pub fn head_layers(&self) -> Range<usize> {
        self.layer..self.layer + if self.rectify() { 2 } else { 1 }
    }

    /// Floats of one image of the input.
    pub fn input(&self) -> usize {
        self.values[0].map.len()
    }

    /// Floats of one image of the last value.
    pub fn output(&self) -> usize {
        self.values[self.values.len() - 1].map.len()
    }

    /// Floats of one image's largest value whose gradient passes through the operations: also the input's, where there is no
    /// head to take it on.
    pub fn largest(&self) -> usize {
        let first = usize::from(self.head != Head::None);
        let values = self.values[first..].iter();
        values.map(|value| value.map.len()).max().unwrap_or(0)
    }

    /// Floats of one image of the values that only pass.
    fn passing(&self) -> usize {
        self.values[1..]
            .iter()
            .filter(|value| !value.kept)
            .map(|value| value.map.len())
            .sum()
    }

    /// Floats of scratch for the operations themselves.
    fn workspace(&self) -> usize {
        let head = match &self.head {
            Head::Convolution(kernel) => kernel.scratch(),
            _ => 0,
        };
        let acts = self.acts.iter().map(|act| match act.action {
            Action::Lrn(lrn) => lrn.scratch(),
            _ => 0,
        });
        acts.fold(head, usize::max)
    }

    /// Floats of scratch of one worker: forward the passing values, backward two gradients; and the operations' own.
    pub fn scratch(&self) -> usize {
        let moves = self.acts.iter().any(|act| act.from != act.to);
        let gradients = if moves { 2 * self.largest() } else { 0 };
        self.images() * self.passing().max(gradients) + self.workspace()
    }
}

/// Cuts `spec` into stretches, for batches cut into `chunks`.
pub fn cut(spec: &Spec, chunks: &Chunks, method: Method) -> Vec<Stretch> {
    let mut cutter = Cutter {
        stretches: Vec::new(),
        last: Value {
            map: Map::planar(spec.input),
            kept: true,
        },
        holds_tanh: false,
        parameter: 0,
        dropouts: 0,
    };
    for (index, layer) in spec.layers.iter().enumerate() {
        if let Operation::Seam(seam) = &layer.operation {
            let is_vector = |next: &LayerSpec| matches!(next.operation, Operation::Linear(_));
            cutter.seam(index, *seam, spec.layers.get(index + 1).is_some_and(is_vector));
        }
        cutter.layer(index, layer, chunks, method);
    }
    for stretch in &mut cutter.stretches {
        if let Some(last) = stretch.values.last_mut() {
            last.kept = true;
        }
    }
    cutter.stretches
}

/// The stretches so far.
struct Cutter {
    stretches: Vec<Stretch>,
    /// The newest value.
    last: Value,
    /// Whether it is a tanh's output, which that tanh's backward pass reads.
    holds_tanh: bool,
    parameter: usize,
    dropouts: u32,
}

impl Cutter {
    fn layer(&mut self, index: usize, layer: &LayerSpec, chunks: &Chunks, method: Method) {
        match &layer.operation {
            Operation::Conv(conv) => {
                // The gradient of x is always blocked; the input of the network has none.
                if self.parameter > 0 {
                    self.ensure(index, Order::Blocked);
                }
                let kernel = Kernel::new(conv, self.last.map.order, method, chunks);
                let output = kernel.output();
                self.begin(index, Head::Convolution(Box::new(kernel)), output);
            }
            Operation::Linear(linear) => {
                self.ensure(index, Order::Planar);
                self.begin(index, Head::FullyConnected(*linear), Map::planar(layer.output));
            }
            Operation::Lrn(lrn) => {
                self.ensure(index, Order::Blocked);
                self.room(index);
                self.keep();
                self.moving(index, Action::Lrn(*lrn), self.last.map);
            }
            Operation::Pool(pool) => {
                self.ensure(index, Order::Blocked);
                self.room(index);
                if self.current().places.len() == POOLS {
                    self.start(index);
                }
                let output = Map::blocked(layer.output);
                let number = self.current().places.len();
                self.current().places.push(output.len());
                self.moving(index, Action::Pool(*pool, number), output);
            }
            Operation::Relu => {
                let stretch = self.current();
                let done = stretch.acts.is_empty() && stretch.is_trained();
                self.in_place(index, Action::Relu { done });
                self.keep();
            }
            Operation::Tanh => {
                if self.holds_tanh {
                    self.moving(index, Action::Tanh, self.last.map);
                } else {
                    self.in_place(index, Action::Tanh);
                }
                self.keep();
                self.holds_tanh = true;
            }
            Operation::Dropout(p) => {
                self.ensure(index, Order::Planar);
                let number = self.dropouts;
                self.dropouts += 1;
                let plane = layer.output.plane();
                let units = Units {
                    first: layer.span.first * plane,
                    of: layer.span.of * plane,
                };
                self.in_place(index, Action::Dropout { p: *p, number, units });
            }
            Operation::Seam(_) => {}
        }
    }

    /// Begins a stretch that is a seam. Its output is planar where that is what comes next, else as its input is.
    fn seam(&mut self, layer: usize, seam: Seam, planar: bool) {
        let order = if planar { Order::Planar } else { self.last.map.order };
        let shape = seam.output();
        self.start(layer);
        self.current().head = Head::Seam(seam);
        self.push(Map { shape, order });
    }

    /// The stretch that grows: one without a head where there is none yet.
    fn current(&mut self) -> &mut Stretch {
        if self.stretches.is_empty() {
            self.start(0);
        }
        let newest = self.stretches.len() - 1;
        &mut self.stretches[newest]
    }

    /// Begins a stretch without a head.
    fn start(&mut self, layer: usize) {
        self.stretches.push(Stretch {
            head: Head::None,
            layer,
            parameter: self.parameter,
            values: vec![self.last],
            acts: Vec::new(),
            places: Vec::new(),
        });
    }

    /// Begins a stretch with a head that makes `output`.
    fn begin(&mut self, layer: usize, head: Head, output: Map) {
        self.start(layer);
        self.current().head = head;
        self.push(output);
        self.parameter += 2;
    }

    fn push(&mut self, map: Map) {
        self.last = Value { map, kept: false };
        self.holds_tanh = false;
        let value = self.last;
        self.current().values.push(value);
    }

    /// Keeps the newest value for the whole batch.
    fn keep(&mut self) {
        if let Some(last) = self.current().values.last_mut() {
            last.kept = true;
        }
    }

    /// Begins a new stretch where this one has no room for another value, or works in place only.
    fn room(&mut self, layer: usize) {
        let stretch = self.current();
        if stretch.values.len() > VALUES || matches!(stretch.head, Head::FullyConnected(_) | Head::Seam(_)) {
            self.start(layer);
        }
    }

    /// Adds an operation that makes a new value.
    fn moving(&mut self, layer: usize, action: Action, output: Map) {
        self.room(layer);
        let from = self.current().values.len() - 1;
        self.push(output);
        self.current().acts.push(Act {
            layer,
            action,
            from,
            to: from + 1,
        });
    }

    /// Adds an operation on the newest value itself, unless that is the stretch's input.
    fn in_place(&mut self, layer: usize, action: Action) {
        let stretch = self.current();
        let at = stretch.values.len() - 1;
        if at == 0 || matches!(stretch.head, Head::Seam(_)) {
            let map = self.last.map;
            return self.moving(layer, action, map);
        }
        stretch.acts.push(Act {
            layer,
            action,
            from: at,
            to: at,
        });
    }

    /// Brings the newest value into `order`.
    fn ensure(&mut self, layer: usize, order: Order) {
        let map = Map { order, ..self.last.map };
        if self.last.map.order == order {
            return;
        }
        if map.is_both() {
            self.last.map = map;
            if let Some(last) = self.stretches.last_mut().and_then(|stretch| stretch.values.last_mut()) {
                last.map = map;
            }
            return;
        }
        // The time is the layer's that made the value.
        self.moving(layer.saturating_sub(1), Action::Reorder, map);
    }
}
