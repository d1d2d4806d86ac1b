//! Checks whether the scale of the pixels fits that of the initial weights: defaults of presets, and warnings.

use super::model::overrides;
use crate::config::Config;
use crate::config::augment::Mean;
use crate::config::model::Layer;
use crate::model::presets;
use crate::text;

/// The smallest reasonable divisor. Pixels divided by less stay far from unit variance.
const LEAST_STD: f32 = 8.0;

/// The longest reasonable step, as a multiple of a constant gradient: lr / (1 − momentum).
const LONGEST_STEP: f32 = 1.0;

/// Fills in the keys that the configuration leaves out and the preset has a default for.
pub fn fill_in(config: &mut Config) {
    let preset = config.model.preset.as_deref();
    let defaults = preset.and_then(|name| presets::defaults(name, overrides(config)));
    if let Some(defaults) = defaults {
        config.augment.std = config.augment.std.or(defaults.std);
        config.model.bias = config.model.bias.or(defaults.bias);
    }
}

/// A setting that is likely to keep a network from learning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What is wrong, and what to do.
    pub text: String,
    /// The key.
    pub key: &'static str,
    /// A better value, as TOML, if the key needs another one.
    pub value: Option<String>,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Warnings about settings that are likely to keep a network of these layers from learning.
pub fn warnings(config: &Config, layers: &[Layer]) -> Vec<Warning> {
    [of_mean(config), of_std(config, layers), of_rate(config)]
        .into_iter()
        .flatten()
        .collect()
}

/// Whether these are values of pixels in 0..1.
fn is_of_ones(values: &[f32; 3]) -> bool {
    values.iter().all(|value| (0.0..1.0).contains(value)) && *values != [0.0; 3]
}

/// The warning about values that fit pixels in 0..1.
fn of_ones(key: &'static str, values: [f32; 3]) -> Warning {
    let scaled = values.map(|value| (255.0 * value).round());
    Warning {
        text: format!("{key} is {values:?}, which fits pixels in 0..1, but pixels are in 0..255 here: use {scaled:?}"),
        key,
        value: Some(format!("{scaled:?}")),
    }
}

fn of_mean(config: &Config) -> Option<Warning> {
    match config.augment.mean {
        Mean::Fixed(mean) if is_of_ones(&mean) => Some(of_ones("augment.mean", mean)),
        _ => None,
    }
}

fn of_std(config: &Config, layers: &[Layer]) -> Option<Warning> {
    let key = "augment.std";
    match config.augment.std {
        Some(std) if is_of_ones(&std) => Some(of_ones(key, std)),
        std if presets::wants_unit_variance(layers) && std.is_none_or(|std| std.iter().all(|&s| s < LEAST_STD)) => {
            let is = std.map_or("is not set".to_string(), |std| format!("is {std:?}"));
            Some(Warning {
                text: format!(
                    "augment.std {is}, so pixels keep their range of 0..255, but the initial weights are scaled by fan-in and expect \
                     inputs of about unit variance: the loss is likely to diverge; set augment.std = [70.0, 70.0, 70.0]"
                ),
                key,
                value: Some("[70.0, 70.0, 70.0]".to_string()),
            })
        }
        Some(std) if std.iter().all(|&s| s >= LEAST_STD) && presets::wants_whole_range(layers) => Some(Warning {
            text: format!(
                "augment.std is {std:?}, but the initial weights of the first layer are so small that they expect pixels in \
                 0..255: the network may not begin to learn; leave augment.std out, or set model.init = \"he\""
            ),
            key,
            value: None,
        }),
        _ => None,
    }
}

fn of_rate(config: &Config) -> Option<Warning> {
    let solver = &config.solver;
    let step = solver.lr / (1.0 - solver.momentum);
    let most = text::significant(f64::from(LONGEST_STEP * (1.0 - solver.momentum)));
    (step > LONGEST_STEP).then(|| Warning {
        text: format!(
            "solver.lr is {} with a momentum of {}, so the weights move by up to {step:.1} times the gradient: the loss is likely to \
             diverge; set solver.lr = {most} or less",
            solver.lr, solver.momentum,
        ),
        key: "solver.lr",
        value: Some(most.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(keys: &str) -> Config {
        let sets = ["data.train=x"]
            .into_iter()
            .chain(keys.split_whitespace())
            .map(str::to_string);
        Config::parse("t.toml", "", &sets.collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_papers_biases_belong_to_the_papers_weights() {
        let bias = |keys: &str| {
            let mut config = config(keys);
            fill_in(&mut config);
            config.model.bias
        };
        assert_eq!(bias("model.preset=alexnet"), None);
        assert_eq!(bias("model.preset=alexnet model.init=he"), Some(0.0));
        assert_eq!(bias("model.preset=alexnet model.init=he model.bias=0.5"), Some(0.5));
        assert_eq!(bias("model.preset=alexnet-small"), None);
    }

    fn filled(keys: &str) -> Option<[f32; 3]> {
        let mut config = config(keys);
        fill_in(&mut config);
        config.augment.std
    }

    fn warned(keys: &str) -> Vec<Warning> {
        let mut config = config(keys);
        fill_in(&mut config);
        let name = config.model.preset.as_deref().unwrap();
        let layers = presets::layers(name, overrides(&config)).unwrap();
        warnings(&config, &layers)
    }

    #[test]
    fn whatever_starts_by_its_fan_in_has_a_std_unless_one_is_given() {
        for name in presets::NAMES {
            let std = filled(&format!("model.preset={name}"));
            assert_eq!(std, (name != "alexnet").then_some([70.0; 3]), "{name}");
            let given = filled(&format!("model.preset={name} augment.std=[1,1,1]"));
            assert_eq!(given, Some([1.0; 3]), "{name}");
            assert_eq!(filled(&format!("model.preset={name} model.init=0.01")), None, "{name}");
            assert!(warned(&format!("model.preset={name}")).is_empty(), "{name}");
        }
        assert_eq!(filled("model.preset=alexnet model.init=he"), Some([70.0; 3]));
        assert_eq!(filled("model.preset=nonsense"), None);
        assert_eq!(filled(r#"model.layers=[{type="fc",name="fc1",init="he"}]"#), None);
    }

    #[test]
    fn scales_that_do_not_go_together_are_told() {
        let said = |keys: &str, what: &str| {
            let warned = warned(keys);
            assert!(warned.len() == 1 && warned[0].text.contains(what), "{keys}: {warned:?}");
        };
        said("model.preset=alexnet-small augment.std=[1,1,1]", "likely to diverge");
        said(
            "model.preset=alexnet augment.mean=[0.485,0.456,0.406]",
            "use [124.0, 116.0, 104.0]",
        );
        said(
            "model.preset=alexnet-small augment.std=[0.229,0.224,0.225]",
            "use [58.0, 57.0, 57.0]",
        );
        said("model.preset=alexnet augment.std=[70,70,70]", "may not begin to learn");
        said(
            "model.preset=alexnet-small solver.lr=0.2",
            "set solver.lr = 0.1 or less",
        );
        for quiet in [
            "alexnet-small solver.lr=0.1",
            "alexnet-small solver.lr=0.5 solver.momentum=0.5",
            "alexnet model.init=he augment.std=[70,70,70]",
            "alexnet augment.mean=[0,0,0]",
            "alexnet augment.std=[1,1,1]",
            "cifar10-quick augment.std=[58,57,57]",
        ] {
            assert!(warned(&format!("model.preset={quiet}")).is_empty(), "{quiet}");
        }
    }
}
