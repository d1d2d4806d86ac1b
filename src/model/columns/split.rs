//! Derives the network of one device from the whole network.

use super::{Kind, Reshard};
use crate::config::compute::Parallel;
use crate::model::layer::Span;
use crate::model::{LayerSpec, ModelError, Operation, Placement, Spec};
use crate::ops::{Shape, conv, linear, lrn, pool};

impl Placement {
    /// The layers of this device's network.
    pub fn spec(self, whole: &Spec) -> Result<Spec, ModelError> {
        match self.parallel {
            Parallel::Data => Ok(whole.clone()),
            Parallel::Columns => column(whole, self),
        }
    }
}

/// The layers of the device `placement`, with reshards between them.
fn column(whole: &Spec, placement: Placement) -> Result<Spec, ModelError> {
    let mut column = Column {
        placement,
        layers: Vec::new(),
        map: whole.input,
        is_whole: true,
    };
    for layer in &whole.layers {
        column.add(layer)?;
    }
    column.gather(false);
    Ok(Spec {
        layers: column.layers,
        ..whole.clone()
    })
}

/// A device's network under construction.
struct Column {
    placement: Placement,
    layers: Vec<LayerSpec>,
    /// The latest map of the whole network.
    map: Shape,
    /// Whether this device has the whole map; otherwise it has its own channels.
    is_whole: bool,
}

impl Column {
    fn add(&mut self, layer: &LayerSpec) -> Result<(), ModelError> {
        match &layer.operation {
            Operation::Conv(conv) if conv.groups == 1 => {
                self.gather(true);
                let output = self.made(layer)?;
                let conv = conv::Geometry { output, ..conv.clone() };
                self.push(layer, Operation::Conv(conv));
            }
            Operation::Conv(conv) => {
                let groups = self.groups(layer, conv.groups)?;
                self.select();
                let conv = conv::Geometry {
                    input: self.here(),
                    output: self.made(layer)?,
                    groups,
                    ..conv.clone()
                };
                self.push(layer, Operation::Conv(conv));
            }
            Operation::Linear(linear) => {
                self.gather(true);
                let outputs = self.made(layer)?.channels;
                self.push(layer, Operation::Linear(linear::Geometry { outputs, ..*linear }));
            }
            Operation::Lrn(lrn) if !self.is_whole => self.normalise(layer, *lrn)?,
            Operation::Pool(pool) => {
                let input = self.here();
                let output = Shape {
                    channels: input.channels,
                    ..layer.output
                };
                self.push(layer, Operation::Pool(pool::Geometry { input, output, ..*pool }));
            }
            Operation::Lrn(_)
            | Operation::Relu
            | Operation::Tanh
            | Operation::Dropout { .. }
            | Operation::Reshard(_) => {
                self.push(layer, layer.operation.clone());
            }
        }
        Ok(())
    }

    /// Normalisation with a halo of twice the half window: the gradient of a channel needs the sums of its neighbours, and those
    /// need their own neighbours.
    fn normalise(&mut self, layer: &LayerSpec, lrn: lrn::Geometry) -> Result<(), ModelError> {
        let halo = 2 * lrn.half_window;
        let narrowest = self.map.channels / self.placement.count;
        if narrowest < halo {
            return Err(ModelError::Narrow {
                layer: layer.name.clone(),
                channels: narrowest,
                devices: self.placement.count,
                halo,
            });
        }
        self.reshard(Kind::HaloExchange { halo });
        let shape = self.layers.last().map_or(self.map, |reshard| reshard.output);
        self.layers.push(LayerSpec {
            operation: Operation::Lrn(lrn::Geometry { shape, ..lrn }),
            input: shape,
            output: shape,
            ..layer.clone()
        });
        self.reshard(Kind::HaloDrop { halo });
        Ok(())
    }

    /// How many groups of a grouped convolution this device has.
    fn groups(&self, layer: &LayerSpec, groups: usize) -> Result<usize, ModelError> {
        if groups.is_multiple_of(self.placement.count) {
            return Ok(groups / self.placement.count);
        }
        Err(ModelError::GroupsOfDevices {
            layer: layer.name.clone(),
            groups,
            devices: self.placement.count,
        })
    }

    /// This device's share of the outputs of a layer with parameters.
    fn made(&self, layer: &LayerSpec) -> Result<Shape, ModelError> {
        let outputs = layer.output.channels;
        if outputs < self.placement.count {
            return Err(ModelError::OutputsOfDevices {
                layer: layer.name.clone(),
                outputs,
                devices: self.placement.count,
            });
        }
        Ok(self.own(layer.output))
    }

    /// This device's channels of a map.
    fn own(&self, whole: Shape) -> Shape {
        let channels = self.reshard_of(Kind::Slice, whole).own().len();
        Shape { channels, ..whole }
    }

    /// This device's part of the latest map.
    fn here(&self) -> Shape {
        if self.is_whole { self.map } else { self.own(self.map) }
    }

    /// Adds `layer` with `operation` in place of its own.
    fn push(&mut self, layer: &LayerSpec, operation: Operation) {
        let input = self.here();
        self.map = layer.output;
        let mut start = layer.start.clone();
        if let Some(start) = &mut start {
            // From here on each device has its own channels.
            self.is_whole = false;
            start.weight[0] = self.own(layer.output).channels;
        }
        let own = self.reshard_of(Kind::Slice, layer.output).own();
        self.layers.push(LayerSpec {
            name: layer.name.clone(),
            operation,
            input,
            output: self.here(),
            span: Span {
                first: if self.is_whole { 0 } else { own.start },
                of: layer.output.channels,
            },
            start,
        });
    }

    fn gather(&mut self, is_summed: bool) {
        if !self.is_whole {
            self.reshard(Kind::AllGather { is_summed });
            self.is_whole = true;
        }
    }

    fn select(&mut self) {
        if self.is_whole {
            self.reshard(Kind::Slice);
            self.is_whole = false;
        }
    }

    fn reshard(&mut self, kind: Kind) {
        let reshard = self.reshard_of(kind, self.map);
        self.layers.push(LayerSpec {
            name: format!("reshard{}", self.layers.len()),
            operation: Operation::Reshard(reshard),
            input: reshard.input(),
            output: reshard.output(),
            span: Span {
                first: 0,
                of: reshard.output().channels,
            },
            start: None,
        });
    }

    fn reshard_of(&self, kind: Kind, whole: Shape) -> Reshard {
        let placement = self.placement;
        Reshard { kind, placement, whole }
    }
}
