//! Plans of configurations at the ends of their ranges, compared with the same sums in 128 bits: no number wraps, nothing
//! panics.

use pipeline::config::Config;
use pipeline::memory::Bytes;
use pipeline::model::{Operation, Spec};
use pipeline::plan::{Buffers, Crews, MemoryBudget, ModelPlan, PlanError, needs};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::keys::{KEYS, Key, LAYERS};

/// What 64 bits can represent of a number.
fn shown(number: u128) -> Bytes {
    Bytes::new(u64::try_from(number).unwrap_or(u64::MAX))
}

/// An accepted value of `key`.
fn one_of((name, values): Key) -> impl Strategy<Value = String> {
    prop::sample::select(values.to_vec()).prop_map(move |value| format!("{name} = {value}"))
}

/// A layer, some of whose numbers are at the ends of their ranges.
fn layer(number: usize) -> impl Strategy<Value = String> {
    prop::sample::select(vec!["conv", "fc", "lrn", "max_pool", "dropout", "relu", "tanh"]).prop_flat_map(move |kind| {
        let keys: Vec<_> = LAYERS
            .iter()
            .filter(|(of, _)| *of == kind)
            .map(|(_, key)| one_of(*key))
            .collect();
        let named = if ["conv", "fc"].contains(&kind) {
            format!(", name = \"l{number}\"")
        } else {
            String::new()
        };
        keys.prop_map(move |values| {
            // Most numbers of groups divide nothing.
            let values = values
                .iter()
                .filter(|value| !value.starts_with("groups") || number.is_multiple_of(3));
            let values: String = values.map(|value| format!(", {value}")).collect();
            format!("{{ type = \"{kind}\"{named}{values} }}")
        })
    })
}

/// A text with some layers and some keys of the other tables.
fn text() -> impl Strategy<Value = String> {
    let keys: Vec<_> = KEYS
        .iter()
        .filter(|(key, _)| !key.starts_with("model.") && !key.contains("layers"))
        .collect();
    let keys = prop::sample::subsequence(keys, 0..16);
    let keys = keys.prop_flat_map(|keys| keys.into_iter().map(|key| one_of(*key)).collect::<Vec<_>>());
    let layers = (0..6_usize).prop_flat_map(|count| (0..count).map(layer).collect::<Vec<_>>());
    let devices = prop::sample::select(vec!["[\"cpu:0\"]", "[\"cpu:0\", \"cpu:1\", \"cpu:2\"]"]);
    let parallel = prop::sample::select(vec!["data", "columns"]);
    (keys, layers, devices, parallel).prop_map(|(keys, layers, devices, parallel)| {
        let last = "{ type = \"fc\", name = \"last\" }".to_string();
        let layers: Vec<String> = layers.into_iter().chain([last]).collect();
        format!(
            "data.train = \"x\"\ncompute.devices = {devices}\ncompute.parallel = \"{parallel}\"\nmodel.layers = [{}]\n{}\n",
            layers.join(",\n"),
            keys.join("\n")
        )
    })
}

/// Weights and biases, computed from the shapes alone.
fn parameters(spec: &Spec) -> u128 {
    let of = |numbers: &[usize]| numbers.iter().map(|n| *n as u128).product::<u128>();
    let layers = spec.layers.iter().map(|layer| match &layer.operation {
        Operation::Conv(conv) => {
            let outputs = conv.output.channels;
            of(&[outputs, conv.input.channels / conv.groups, conv.kernel, conv.kernel]) + outputs as u128
        }
        Operation::Linear(linear) => of(&[linear.inputs + 1, linear.outputs]),
        _ => 0,
    });
    layers.sum()
}

fn numbers_hold(config: &Config, model: &ModelPlan, workspace: u64) -> Result<(), TestCaseError> {
    let (batch, side) = (config.staging.batch.get() as u128, config.augment.crop.get() as u128);
    prop_assert_eq!(model.spec.parameters() as u128, parameters(&model.spec));
    let crews = Crews::new(config, 16);
    let buffers = Buffers::new(config, model, crews);
    let row = (12 * side * side).next_multiple_of(8);
    prop_assert_eq!(buffers.slots, shown(row * batch * config.staging.slots.get() as u128));
    prop_assert_eq!(buffers.snapshot, shown(8 * parameters(&model.spec)));
    for device in &model.devices {
        let memory = device.memory;
        // The least that is kept: the input and the output.
        let rows = device.placement.rows(config.staging.batch.get()).len() as u128;
        let least = 4 * rows * (model.spec.input.len() + model.spec.classes) as u128;
        prop_assert!(memory.activations >= shown(least));
        let parts = [
            memory.parameters,
            memory.momentum,
            memory.parameter_gradients,
            memory.activations,
            memory.activation_gradients,
            memory.exchange,
            memory.scratch,
        ];
        prop_assert_eq!(
            memory.total(),
            shown(parts.iter().map(|part| u128::from(part.get())).sum())
        );
    }
    let all = buffers.needs(&model.memory(), Bytes::new(workspace));
    let sum: u128 = all.iter().map(|need| u128::from(need.bytes.get())).sum();
    prop_assert_eq!(needs::sum(&all), shown(sum));
    match MemoryBudget::new(config, model, Bytes::new(workspace)) {
        Ok(room) => prop_assert_eq!(room.needed(crews), needs::sum(&all)),
        Err(PlanError::Memory { needed, .. } | PlanError::BeyondAll { needed, .. }) => {
            prop_assert!(needed <= needs::sum(&all));
        }
        Err(other) => prop_assert!(false, "{}", other),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_number_of_a_plan_wraps(text in text(), classes in 1..2000_usize, workspace in any::<u64>()) {
        let Ok(config) = Config::parse("t.toml", &text, &[]) else { return Ok(()) };
        // A model may be refused, as long as nothing panics.
        if let Ok(model) = ModelPlan::new(&config, classes) {
            numbers_hold(&config, &model, workspace)?;
            prop_assert!(model.spec.step_flops(1) > 0);
        }
    }
}

/// Makes sure that the property above does not test refusals only.
#[test]
fn many_texts_come_to_plans() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let texts = (0..500).map(|_| text().new_tree(&mut runner).unwrap().current());
    let (mut read, mut planned) = (0, 0);
    for text in texts {
        let Ok(config) = Config::parse("t.toml", &text, &[]) else {
            continue;
        };
        read += 1;
        planned += usize::from(ModelPlan::new(&config, 10).is_ok());
    }
    assert!(read > 100 && planned > 50, "{read} are read, {planned} are planned");
}
