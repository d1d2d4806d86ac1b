//! From the whole network to that of one device.

use super::{Kind, Seam};
use crate::model::spec::Span;
use crate::model::{LayerSpec, ModelError, Operation, Rank, Spec};
use crate::ops::{Shape, conv, linear, lrn, pool};

/// The layers of the device `rank`, with seams between them.
pub fn column(whole: &Spec, rank: Rank) -> Result<Spec, ModelError> {
    let mut column = Column {
        rank,
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

/// A device's network so far.
struct Column {
    rank: Rank,
    layers: Vec<LayerSpec>,
    /// The newest map of the whole network.
    map: Shape,
    /// Whether this device has all of it, or its own channels.
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
            Operation::Lrn(_) | Operation::Relu | Operation::Tanh | Operation::Dropout(_) | Operation::Seam(_) => {
                self.push(layer, layer.operation.clone());
            }
        }
        Ok(())
    }

    /// Normalisation with as many of the neighbours' channels as the sums reach, and theirs again: the gradient of a channel
    /// takes the sums of its neighbours.
    fn normalise(&mut self, layer: &LayerSpec, lrn: lrn::Geometry) -> Result<(), ModelError> {
        let halo = 2 * lrn.reach;
        let narrowest = self.map.channels / self.rank.of;
        if narrowest < halo {
            return Err(ModelError::Narrow {
                layer: layer.name.clone(),
                channels: narrowest,
                devices: self.rank.of,
                halo,
            });
        }
        self.seam(Kind::Widen { halo });
        let shape = self.layers.last().map_or(self.map, |seam| seam.output);
        self.layers.push(LayerSpec {
            operation: Operation::Lrn(lrn::Geometry { shape, ..lrn }),
            input: shape,
            output: shape,
            ..layer.clone()
        });
        self.seam(Kind::Narrow { halo });
        Ok(())
    }

    /// Groups of a grouped convolution that are this device's.
    fn groups(&self, layer: &LayerSpec, groups: usize) -> Result<usize, ModelError> {
        if groups.is_multiple_of(self.rank.of) {
            return Ok(groups / self.rank.of);
        }
        Err(ModelError::GroupsOfDevices {
            layer: layer.name.clone(),
            groups,
            devices: self.rank.of,
        })
    }

    /// What this device makes of the outputs of a layer with parameters.
    fn made(&self, layer: &LayerSpec) -> Result<Shape, ModelError> {
        let outputs = layer.output.channels;
        if outputs < self.rank.of {
            return Err(ModelError::OutputsOfDevices {
                layer: layer.name.clone(),
                outputs,
                devices: self.rank.of,
            });
        }
        Ok(self.own(layer.output))
    }

    /// The own channels of a map.
    fn own(&self, whole: Shape) -> Shape {
        let channels = self.seam_of(Kind::Select, whole).own().len();
        Shape { channels, ..whole }
    }

    /// The newest map, as far as it is here.
    fn here(&self) -> Shape {
        if self.is_whole { self.map } else { self.own(self.map) }
    }

    /// Adds a layer that does what `layer` does, as `operation`.
    fn push(&mut self, layer: &LayerSpec, operation: Operation) {
        let input = self.here();
        self.map = layer.output;
        let mut start = layer.start.clone();
        if let Some(start) = &mut start {
            // From here on each device has its own channels.
            self.is_whole = false;
            start.weight[0] = self.own(layer.output).channels;
        }
        let own = self.seam_of(Kind::Select, layer.output).own();
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
            self.seam(Kind::Gather { is_summed });
            self.is_whole = true;
        }
    }

    fn select(&mut self) {
        if self.is_whole {
            self.seam(Kind::Select);
            self.is_whole = false;
        }
    }

    fn seam(&mut self, kind: Kind) {
        let seam = self.seam_of(kind, self.map);
        self.layers.push(LayerSpec {
            name: format!("seam{}", self.layers.len()),
            operation: Operation::Seam(seam),
            input: seam.input(),
            output: seam.output(),
            span: Span {
                first: 0,
                of: seam.output().channels,
            },
            start: None,
        });
    }

    fn seam_of(&self, kind: Kind, whole: Shape) -> Seam {
        let rank = self.rank;
        Seam { kind, rank, whole }
    }
}
