//! Checkpoints: arbitrary bytes, and arbitrary fields with a correct checksum.

use std::sync::Arc;

use pipeline::config::Config;
use pipeline::dataset::statistics::{MeanImage, Statistics};
use pipeline::devices::cpu::PlanarRows;
use pipeline::model::Parameter;
use pipeline::model::checkpoint::{self, Content};
use pipeline::plan::{ModelPlan, preprocessing};
use pipeline::stages::compute::RunState;
use pipeline::stages::frame::{Frame, Region};
use pipeline::stages::rule::Rule;
use serde_json::{Value, json};

use super::archives::{joined, parts};
use super::data::fit_for_people;
use super::statistics::{make_sense, some};
use super::{Target, place};

pub(super) const TARGET: Target = Target {
    name: "checkpoint",
    run,
    seeds,
    words: &[
        b"\"step\":",
        b"\"classes\":",
        b"\"config\":",
        b"[]",
        b"null",
        b"18446744073709551615",
        b"-1",
        b"1e999",
        b"__metadata__",
        b"\"dtype\":\"F32\"",
        b"\"shape\":",
        b"momentum.",
        b"statistics.",
        b"\\u0000",
        b"\\n",
    ],
    memory: 64 << 20,
};

/// The first byte: 0 for a file; otherwise a state after its length, then the side of the mean image and its values, saved with
/// a correct checksum.
fn run(bytes: &[u8]) {
    let Some((flags, rest)) = bytes.split_first() else {
        return;
    };
    let folder = place::empty();
    let path = folder.join(checkpoint::file_name(3));
    if flags & 1 == 0 {
        place::write(&path, rest);
    } else {
        let [state, image] = parts(rest);
        let Ok(state) = serde_json::from_slice::<Value>(state) else {
            return;
        };
        let statistics = image.split_first().map(|(&side, values)| Statistics {
            mean_image: Some(MeanImage {
                side: u32::from(side),
                values: values.iter().map(|&v| f32::from(v)).collect(),
            }),
            ..some(None)
        });
        // What cannot be written need not be read.
        let Ok(pending) = checkpoint::prepare(&folder, 3, &parameters(), statistics.as_ref(), &state) else {
            return;
        };
        pending.commit().unwrap();
    }
    match checkpoint::read(&path) {
        Ok(loaded) => follow(loaded),
        Err(error) => fit_for_people(&error.to_string()),
    }
}

/// What `predict` does with a checkpoint before it reads an image.
fn follow(loaded: checkpoint::Loaded) {
    for parameter in &loaded.parameters {
        let count: usize = parameter.shape.iter().product();
        let momentum = if loaded.content == Content::Everything {
            count
        } else {
            0
        };
        assert_eq!(
            (parameter.value.len(), parameter.momentum.len()),
            (count, momentum),
            "{}",
            parameter.name
        );
    }
    if let Some(statistics) = &loaded.statistics {
        make_sense(statistics);
    }
    let Ok(state) = RunState::read(loaded.state) else {
        return;
    };
    let Ok(config) = Config::parse("checkpoint", &state.config, &[]) else {
        return;
    };
    if ModelPlan::new(&config, state.classes.len()).is_err() {
        return;
    }
    let crop = config.augment.crop.get();
    if crop > 64 {
        return;
    }
    let Ok(normalization) =
        preprocessing::normalization(&config, loaded.statistics.as_ref(), Arc::new(PlanarRows::new(crop)))
    else {
        return;
    };
    // If a mean image is subtracted, frames have its size.
    let side = preprocessing::mean_image_side(&config).unwrap_or(crop as u32);
    let frame = Frame {
        width: side,
        height: side,
    };
    if side > 256 || (side as usize) < crop {
        return;
    }
    let pixels = vec![7; Region::whole(frame).bytes()];
    let mut row = vec![0_u64; normalization.writer.row_bytes() / 8];
    let draw = Rule::plain(crop as u32, 1).view(0, frame);
    normalization.write(&draw, &pixels, Region::whole(frame), bytemuck::cast_slice_mut(&mut row));
}

fn parameters() -> Vec<Parameter> {
    let shapes = [
        ("c.weight", vec![2, 3, 1, 1]),
        ("c.bias", vec![2]),
        ("f.weight", vec![2, 1152]),
        ("f.bias", vec![2]),
    ];
    let parameter = |(name, shape): (&str, Vec<usize>)| {
        let count = shape.iter().product();
        Parameter::new(name.to_owned(), shape, vec![0.5; count])
    };
    shapes.map(parameter).into()
}

fn seeds() -> Vec<Vec<u8>> {
    let text = "[data]\ntrain = \"x\"\n[decode]\nshorter_side = 24\n[augment]\ncrop = 24\nmean = \"image\"\n[model]\n\
                layers = [{ type = \"conv\", name = \"c\", channels = 2, kernel = 1 }, { type = \"fc\", name = \"f\" }]\n";
    let config = Config::parse("x", text, &[]).unwrap().to_toml();
    let state = RunState::new([1, 2], vec!["cat".to_owned(), "dog".to_owned()], config);
    let value = serde_json::to_value(&state).unwrap();
    let mut other = value.clone();
    other["classes"] = json!([]);
    let folder = place::empty();
    let pending = checkpoint::prepare(&folder, 3, &parameters(), Some(&some(Some(2))), &value).unwrap();
    let path = pending.commit().unwrap();
    let file = std::fs::read(path).unwrap();
    let made = |state: &Value, image: &[u8]| [vec![1], joined(&[state.to_string().as_bytes(), image])].concat();
    vec![
        [vec![0], file].concat(),
        made(&value, &[]),
        made(&value, &[[24].as_slice(), &[9; 1728]].concat()),
        made(&value, &[2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
        made(&other, &[0]),
    ]
}
