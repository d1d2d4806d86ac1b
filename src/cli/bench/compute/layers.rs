//! Describes the layers, with every number that another framework needs to build the same network.

use serde_json::{Value, json};

use crate::config::Config;
use crate::model::{LayerSpec, Operation};
use crate::ops::Shape;
use crate::plan::ModelPlan;

/// The network and how it learns, as one JSON object.
pub(super) fn describe(model: &str, config: &Config, plan: &ModelPlan) -> Value {
    let solver = &config.solver;
    json!({
        "model": model,
        "input": shape(plan.spec.input),
        "classes": plan.classes,
        "batch": config.staging.batch,
        "solver": {
            "lr": solver.lr,
            "momentum": solver.momentum,
            "weight_decay": solver.weight_decay,
            "decay_biases": solver.decay_biases,
        },
        "layers": plan.spec.layers.iter().map(layer).collect::<Vec<_>>(),
    })
}

fn shape(shape: Shape) -> [usize; 3] {
    [shape.channels, shape.height, shape.width]
}

fn layer(layer: &LayerSpec) -> Value {
    let mut object = json!({
        "name": layer.name,
        "kind": layer.operation.kind(),
        "input": shape(layer.input),
        "output": shape(layer.output),
    });
    let numbers = match &layer.operation {
        Operation::Conv(conv) => json!({
            "kernel": conv.kernel, "stride": conv.stride, "padding": conv.padding, "groups": conv.groups,
        }),
        Operation::Pool(pool) => json!({ "size": pool.size, "stride": pool.stride }),
        // α applies to the plain sum, whatever the configuration said.
        Operation::Lrn(lrn) => {
            json!({ "half_window": lrn.half_window, "alpha": lrn.alpha, "beta": lrn.beta, "k": lrn.k })
        }
        Operation::Dropout { p, .. } => json!({ "p": p }),
        Operation::Linear(_) | Operation::Relu | Operation::Tanh | Operation::Reshard(_) => json!({}),
    };
    if let (Value::Object(object), Value::Object(numbers)) = (&mut object, numbers) {
        object.extend(numbers);
    }
    object
}
