//! Reads and writes a layer of `[model] layers`: `{ type = "conv", name = "conv1", … }`.

use super::errors::{ConfigError, Errors, nearest, short};
use super::model::{
    BIAS, Convolution, Dropout, FullyConnected, Init, Layer, Lrn, MaxPool, PROBABILITY, SIGMA, UNITS, WINDOW,
};
use super::node::{Node, Tree};
use super::range::Range;
use super::value::{TableReader, Value, mismatch};
use crate::text;

const TYPES: [&str; 7] = ["conv", "fc", "relu", "tanh", "lrn", "max_pool", "dropout"];

/// The range of a window's side.
const SIDE: Range = Range::whole(1, WINDOW as u32);

/// The longest name of a layer, in bytes.
const NAME: usize = 200;

impl Value for Layer {
    fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self> {
        let mut table = TableReader::new(node, key, errors)?;
        let kind: String = table.required("type", Range::ANY)?;
        let layer = match kind.as_str() {
            "conv" => convolution(&mut table).map(Layer::Convolution),
            "fc" => fully_connected(&mut table).map(Layer::FullyConnected),
            "relu" => Some(Layer::Relu),
            "tanh" => Some(Layer::Tanh),
            "lrn" => Some(Layer::Lrn(lrn(&mut table))),
            "max_pool" => max_pool(&mut table).map(Layer::MaxPool),
            "dropout" => Some(Layer::Dropout(Dropout {
                p: table.or("p", 0.5, PROBABILITY),
            })),
            _ => {
                let meant = nearest(&kind, TYPES).map_or(String::new(), |word| format!(" (did you mean \"{word}\"?)"));
                let message = format!(
                    "unknown layer type {:?}{meant}; the types are {}",
                    short(&kind),
                    TYPES.join(", ")
                );
                errors.push(ConfigError::new(node.origin.clone(), &format!("{key}.type"), message));
                return None;
            }
        };
        table.finish();
        layer
    }

    fn write(&self) -> String {
        match self {
            Layer::Convolution(c) => format!(
                "{{ type = \"conv\", name = {}, channels = {}, kernel = {}, stride = {}, padding = {}, groups = {}, \
                 partial_windows = {}, init = {}, bias = {} }}",
                c.name.write(),
                c.channels,
                c.kernel,
                c.stride,
                c.padding,
                c.groups,
                c.partial_windows,
                c.init.write(),
                c.bias.write()
            ),
            Layer::FullyConnected(f) => {
                let outputs = f.outputs.map_or(String::new(), |n| format!("outputs = {n}, "));
                let (name, init, bias) = (f.name.write(), f.init.write(), f.bias.write());
                format!("{{ type = \"fc\", name = {name}, {outputs}init = {init}, bias = {bias} }}")
            }
            Layer::Relu => "{ type = \"relu\" }".to_string(),
            Layer::Tanh => "{ type = \"tanh\" }".to_string(),
            Layer::Lrn(l) => format!(
                "{{ type = \"lrn\", size = {}, alpha = {}, beta = {}, k = {}, divide_by_size = {} }}",
                l.size,
                l.alpha.write(),
                l.beta.write(),
                l.k.write(),
                l.divide_by_size
            ),
            Layer::MaxPool(p) => format!(
                "{{ type = \"max_pool\", size = {}, stride = {}, partial_windows = {} }}",
                p.size, p.stride, p.partial_windows
            ),
            Layer::Dropout(d) => format!("{{ type = \"dropout\", p = {} }}", d.p.write()),
        }
    }
}

/// A layer's name, used for its parameters in checkpoints and reports.
fn name(table: &mut TableReader<'_>) -> Option<String> {
    let name: String = table.required("name", Range::ANY)?;
    if name.len() > NAME || text::plain(&name) != name {
        table.complain(&format!(
            "the name {:?} is longer than {NAME} bytes or contains invisible characters",
            short(&name)
        ));
        return None;
    }
    Some(name)
}

fn convolution(table: &mut TableReader<'_>) -> Option<Convolution> {
    let (name, channels, kernel) = (
        name(table),
        table.required("channels", UNITS),
        table.required("kernel", SIDE),
    );
    let rest = Convolution {
        name: String::new(),
        channels: 0,
        kernel: 0,
        stride: table.or("stride", 1, SIDE),
        padding: table.or("padding", 0, Range::whole(0, WINDOW as u32)),
        groups: table.or("groups", 1, UNITS),
        partial_windows: table.or("partial_windows", true, Range::ANY),
        init: table.or("init", Init::Gaussian(0.01), SIGMA),
        bias: table.or("bias", 0.0, BIAS),
    };
    Some(Convolution {
        name: name?,
        channels: channels?,
        kernel: kernel?,
        ..rest
    })
}

fn fully_connected(table: &mut TableReader<'_>) -> Option<FullyConnected> {
    let name = name(table);
    let rest = FullyConnected {
        name: String::new(),
        outputs: table.optional("outputs", UNITS),
        init: table.or("init", Init::Gaussian(0.01), SIGMA),
        bias: table.or("bias", 0.0, BIAS),
    };
    Some(FullyConnected { name: name?, ..rest })
}

/// Absent keys have the paper's constants (section 3.3).
fn lrn(table: &mut TableReader<'_>) -> Lrn {
    Lrn {
        size: table.or("size", 5, SIDE),
        alpha: table.or("alpha", 1e-4, Range::between(0.0, 1e6)),
        beta: table.or("beta", 0.75, Range::between(-100.0, 100.0)),
        k: table.or("k", 2.0, Range::between(1e-6, 1e6)),
        divide_by_size: table.or("divide_by_size", false, Range::ANY),
    }
}

fn max_pool(table: &mut TableReader<'_>) -> Option<MaxPool> {
    let (size, stride) = (
        table.required("size", Range::whole(1, 16)),
        table.required("stride", SIDE),
    );
    let partial_windows = table.or("partial_windows", true, Range::ANY);
    Some(MaxPool {
        size: size?,
        stride: stride?,
        partial_windows,
    })
}

impl Value for Init {
    fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self> {
        match &node.value {
            Tree::String(word) if word == "he" => Some(Init::He),
            Tree::String(word) if word == "fan_in" => Some(Init::FanIn),
            Tree::Float(_) | Tree::Integer(_) => Value::read(node, key, errors).map(Init::Gaussian),
            _ => mismatch(node, key, "a standard deviation, \"he\" or \"fan_in\"", errors),
        }
    }
    fn write(&self) -> String {
        match self {
            Init::Gaussian(sigma) => sigma.write(),
            Init::He => "\"he\"".to_string(),
            Init::FanIn => "\"fan_in\"".to_string(),
        }
    }
}
