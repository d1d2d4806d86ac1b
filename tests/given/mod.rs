//! The fixtures of tests of whole runs: tiny data sets, a configuration that learns them within seconds, and the same run
//! inside the test's process.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use pipeline::config::Config;
use pipeline::dataset::JpegWriter;
use pipeline::plan::Plan;
use pipeline::stages::compute::RunState;
use pipeline::topology::Beginning;
use tempfile::TempDir;

/// The classes of every data set here, each with its own colour.
pub const CLASSES: [(&str, [u8; 3]); 3] = [
    ("brick", [190, 90, 70]),
    ("grass", [80, 170, 70]),
    ("sky", [80, 120, 200]),
];

/// The side of every image.
const SIDE: u32 = 40;

/// A folder with the data sets `train` and `val`, and `train.toml`.
pub struct Given {
    folder: TempDir,
}

impl Given {
    /// With `train` and `val` images per class.
    pub fn new(train: usize, val: usize) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        images(&folder.path().join("train"), train);
        images(&folder.path().join("val"), val);
        let given = Self { folder };
        fs::write(given.toml(), given.text()).expect("train.toml is written");
        given
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The path of the configuration.
    pub fn toml(&self) -> PathBuf {
        self.path("train.toml")
    }

    /// The text of the configuration.
    pub fn text(&self) -> String {
        TOML.replace("DIR", &self.folder.path().display().to_string())
    }

    /// The plan of a run in this process, with the configuration overridden by `sets`. It needs no pass for statistics.
    pub fn plan(&self, sets: &[&str]) -> Plan {
        let mut all = vec!["augment.mean=[128.0, 128.0, 128.0]".to_string()];
        all.extend(sets.iter().map(ToString::to_string));
        let config = Config::parse("train.toml", &self.text(), &all).unwrap_or_else(|invalid| panic!("{invalid}"));
        fs::create_dir_all(config.run.out.join("checkpoints")).expect("a folder for the run");
        Plan::new(config).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// The start of a run.
pub fn beginning(plan: &Plan) -> Beginning {
    Beginning {
        devices: plan.model.build(&plan.config).unwrap_or_else(|error| panic!("{error}")),
        weights: plan
            .model
            .initial_weights(&plan.config)
            .unwrap_or_else(|error| panic!("{error}")),
        state: RunState::new(
            plan.fingerprints(),
            plan.sets.train.classes().to_vec(),
            plan.config.to_toml(),
        ),
        expected: VecDeque::new(),
        statistics: None,
        every_steps: plan.config.checkpoint.every_steps.get() as u64,
    }
}

/// Writes class folders of JPEGs: the class's colour, a gradient, and stripes that differ from image to image.
fn images(folder: &Path, each: usize) {
    let mut writer = JpegWriter::new(85).expect("a JPEG writer");
    for (class, rgb) in CLASSES {
        fs::create_dir_all(folder.join(class)).expect("a class folder");
        for i in 0..each {
            let jpeg = writer.rgb(SIDE, SIDE, &pixels(rgb, i as u32)).expect("a JPEG");
            fs::write(folder.join(class).join(format!("{i:03}.jpg")), jpeg).expect("an image is written");
        }
    }
}

fn pixels(rgb: [u8; 3], i: u32) -> Vec<u8> {
    let shade = |x: u32, y: u32| ((x * (i % 5 + 1) + y * (i % 3 + 1) + 13 * i) % 48) as u8;
    let places = (0..SIDE * SIDE).map(|at| (at % SIDE, at / SIDE));
    places
        .flat_map(|(x, y)| rgb.map(|value| value.saturating_add(shade(x, y))))
        .collect()
}

const TOML: &str = r#"[run]
out = "DIR/run"
seed = 7
epochs = 3

[data]
train = "DIR/train"
val = "DIR/val"
cache = "DIR/cache"

[augment]
crop = 24
mean = "channel"
std = [64.0, 64.0, 64.0]

[staging]
batch = 16
slots = 2

[model]
layers = [
  { type = "conv", name = "conv1", channels = 6, kernel = 5, stride = 3, init = "he" },
  { type = "relu" },
  { type = "dropout", p = 0.1 },
  { type = "fc", name = "fc2", init = "fan_in" },
]

[solver]
lr = 0.01

[checkpoint]
every_steps = 3
"#;
