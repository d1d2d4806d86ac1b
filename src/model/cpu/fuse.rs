//! Fuses the layers of a network into segments.
//!
//! Where max pooling follows the activation of a convolution, it is moved in front of it (`Spec::pooled_before`). The
//! activation's gradient then has a quarter of the elements.

use super::segment::{Action, FusedOp, Head, POOLS, Segment, VALUES, Value};
use crate::config::compute::Method;
use crate::model::columns::Reshard;
use crate::model::{LayerSpec, Operation, Spec};
use crate::ops::conv::cpu::Kernel;
use crate::ops::dropout::Units;
use crate::ops::map::{Map, Order};
use crate::ops::{Chunks, conv, linear, lrn, pool};

/// Fuses the layers of `spec` into segments, for batches cut into `chunks`.
pub fn fuse(spec: &Spec, chunks: &Chunks, method: Method) -> Vec<Segment> {
    let mut fusion = Fusion {
        segments: Vec::new(),
        last: Value {
            map: Map::planar(spec.input),
            kept: true,
        },
        holds_tanh: false,
        after_pool: None,
        parameter: 0,
    };
    for (index, layer) in spec.layers.iter().enumerate() {
        if let Operation::Reshard(reshard) = &layer.operation {
            let is_vector = |next: &LayerSpec| matches!(next.operation, Operation::Linear(_));
            fusion.reshard(index, *reshard, spec.layers.get(index + 1).is_some_and(is_vector));
        }
        let pooled = spec.pooled_before(index).is_some();
        fusion.layer(index, layer, chunks, method, pooled);
    }
    for segment in &mut fusion.segments {
        if let Some(last) = segment.values.last_mut() {
            last.kept = true;
        }
    }
    fusion.segments
}

/// The segments so far.
struct Fusion {
    segments: Vec<Segment>,
    /// The latest value.
    last: Value,
    /// Whether that is the output of a tanh, which the backward pass of the tanh reads.
    holds_tanh: bool,
    /// The activation to be applied behind the next pooling.
    after_pool: Option<(usize, Action)>,
    parameter: usize,
}

impl Fusion {
    /// Adds a layer. `pooled`: the pooling behind it is moved in front of it.
    fn layer(&mut self, index: usize, layer: &LayerSpec, chunks: &Chunks, method: Method, pooled: bool) {
        match &layer.operation {
            Operation::Conv(conv) => self.convolution(index, conv, chunks, method),
            Operation::Linear(linear) => {
                self.ensure(index, Order::Planar);
                self.begin(
                    index,
                    Head::FullyConnected(linear::cpu::Kernel::new(*linear)),
                    Map::planar(layer.output),
                );
            }
            Operation::Lrn(lrn) => {
                self.ensure(index, Order::Blocked);
                self.room(index);
                self.keep();
                self.moving(index, Action::Lrn(lrn::cpu::Kernel::new(*lrn)), self.last.map);
            }
            Operation::Pool(pool) => self.pool(index, *pool),
            Operation::Relu if pooled => self.after_pool = Some((index, Action::Relu { done: true })),
            Operation::Tanh if pooled => self.after_pool = Some((index, Action::Tanh)),
            Operation::Relu => {
                let segment = self.current();
                let done = segment.ops.is_empty() && segment.is_trained();
                self.in_place(index, Action::Relu { done });
                self.keep();
            }
            Operation::Tanh => self.tanh(index),
            Operation::Dropout { p, number } => self.dropout(index, *p, *number, layer),
            Operation::Reshard(_) => {}
        }
    }

    fn convolution(&mut self, index: usize, conv: &conv::Geometry, chunks: &Chunks, method: Method) {
        // The gradient of x is always blocked; the input of the network has none.
        if self.parameter > 0 {
            self.ensure(index, Order::Blocked);
        }
        let kernel = Kernel::new(conv, self.last.map.order, method, chunks);
        let output = kernel.output();
        self.begin(index, Head::Convolution(Box::new(kernel)), output);
    }

    fn pool(&mut self, index: usize, pool: pool::Geometry) {
        self.ensure(index, Order::Blocked);
        self.room(index);
        if self.current().argmax.len() == POOLS {
            self.start(index);
        }
        let output = Map::blocked(pool.output);
        let number = self.current().argmax.len();
        self.current().argmax.push(output.len());
        self.moving(index, Action::Pool(pool::cpu::Kernel::new(pool), number), output);
        if let Some((layer, action)) = self.after_pool.take() {
            self.in_place(layer, action);
            self.keep();
            self.holds_tanh = action == Action::Tanh;
        }
    }

    fn tanh(&mut self, index: usize) {
        if self.holds_tanh {
            self.moving(index, Action::Tanh, self.last.map);
        } else {
            self.in_place(index, Action::Tanh);
        }
        self.keep();
        self.holds_tanh = true;
    }

    fn dropout(&mut self, index: usize, p: f32, number: u32, layer: &LayerSpec) {
        self.ensure(index, Order::Planar);
        let plane = layer.output.plane();
        let units = Units {
            first: layer.span.first * plane,
            of: layer.span.of * plane,
        };
        self.in_place(index, Action::Dropout { p, number, units });
    }

    /// Begins a segment that is a reshard. Its output is planar if the next layer needs that, otherwise in the order of its input.
    fn reshard(&mut self, layer: usize, reshard: Reshard, planar: bool) {
        let order = if planar { Order::Planar } else { self.last.map.order };
        let shape = reshard.output();
        self.start(layer);
        self.current().head = Head::Reshard(reshard);
        self.push(Map { shape, order });
    }

    /// The current segment; a new one without a head if there is none yet.
    fn current(&mut self) -> &mut Segment {
        if self.segments.is_empty() {
            self.start(0);
        }
        let newest = self.segments.len() - 1;
        &mut self.segments[newest]
    }

    /// Begins a segment without a head.
    fn start(&mut self, layer: usize) {
        self.segments.push(Segment {
            head: Head::None,
            layer,
            parameter: self.parameter,
            values: vec![self.last],
            ops: Vec::new(),
            argmax: Vec::new(),
        });
    }

    /// Begins a segment with a head that makes `output`.
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

    /// Keeps the latest value for the whole batch.
    fn keep(&mut self) {
        if let Some(last) = self.current().values.last_mut() {
            last.kept = true;
        }
    }

    /// Begins a new segment if this one has no room for another value, or only works in place.
    fn room(&mut self, layer: usize) {
        let segment = self.current();
        if segment.values.len() > VALUES || matches!(segment.head, Head::FullyConnected(_) | Head::Reshard(_)) {
            self.start(layer);
        }
    }

    /// Adds an operation that makes a new value.
    fn moving(&mut self, layer: usize, action: Action, output: Map) {
        self.room(layer);
        let from = self.current().values.len() - 1;
        self.push(output);
        self.current().ops.push(FusedOp {
            layer,
            action,
            from,
            to: from + 1,
        });
    }

    /// Adds an operation that works in place on the latest value. If that is the segment's input, it makes a new value.
    fn in_place(&mut self, layer: usize, action: Action) {
        let segment = self.current();
        let at = segment.values.len() - 1;
        if at == 0 || matches!(segment.head, Head::Reshard(_)) {
            let map = self.last.map;
            return self.moving(layer, action, map);
        }
        segment.ops.push(FusedOp {
            layer,
            action,
            from: at,
            to: at,
        });
    }

    /// Brings the latest value into `order`.
    fn ensure(&mut self, layer: usize, order: Order) {
        let map = Map { order, ..self.last.map };
        if self.last.map.order == order {
            return;
        }
        if map.is_both() {
            self.last.map = map;
            if let Some(last) = self.segments.last_mut().and_then(|segment| segment.values.last_mut()) {
                last.map = map;
            }
            return;
        }
        // The time counts for the layer that made the value.
        self.moving(layer.saturating_sub(1), Action::Reorder, map);
    }
}
