//! The TOML of a run, and `--set`.

use std::path::PathBuf;

use pipeline::config::Config;
use pipeline::text;

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "config",
    run,
    seeds,
    words: &[
        b"[",
        b"]",
        b"=",
        b".",
        b"\n",
        b"\"",
        b"'''",
        b"{ type = \"conv\", name = \"c\", channels = 6, kernel = 5 }",
        b"{ kind = \"step\", every_epochs = 3, factor = 0.1 }",
        b"-1",
        b"0",
        b"9223372036854775807",
        b"1e39",
        b"nan",
        b"inf",
        b"1e-320",
        b"true",
        b"\"auto\"",
        b"\"16 EiB\"",
        b"[1.0, 2.0, 3.0]",
        b"\0augment.mean.x=1",
    ],
    // 64 KiB of text as a tree, with the position of every key.
    memory: 64 << 20,
};

/// The text and the overrides, separated by zero bytes.
fn run(bytes: &[u8]) {
    if let Some(config) = read(bytes) {
        let shown = config.to_toml();
        let again = Config::parse("again", &shown, &[]);
        let again = again.unwrap_or_else(|invalid| panic!("what is written is refused: {invalid}\n{shown}"));
        assert_eq!(again.flat(), config.flat(), "the written configuration differs");
    }
}

/// The configuration, or `None` if it is refused with a reason.
pub(super) fn read(bytes: &[u8]) -> Option<Config> {
    let all = String::from_utf8_lossy(bytes);
    let mut parts = all.split('\0');
    let text = parts.next().unwrap_or_default();
    let sets: Vec<String> = parts.take(8).map(str::to_owned).collect();
    match Config::parse("train.toml", text, &sets) {
        Ok(config) => Some(config),
        Err(invalid) => {
            assert!(!invalid.errors.is_empty());
            let message = invalid.to_string();
            assert_eq!(text::lines(&message), message, "a message acts on the terminal");
            None
        }
    }
}

/// The configurations of the project's data sets, and possible values of the keys.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/"));
    let datasets = [root.join("datasets"), root.join("../../datasets")];
    let datasets = datasets.iter().find(|folder| folder.is_dir()).unwrap();
    let mut seeds: Vec<Vec<u8>> = ["fashion-mnist", "imagenette", "ilsvrc2012"]
        .map(|name| std::fs::read(datasets.join(name).join("train.toml")).unwrap())
        .into();
    seeds.push(ALL.as_bytes().to_vec());
    for text in [
        "[data]\ntrain = \"x\"\n\0model.preset=alexnet-small\0solver.lr=1e39\0staging.slots=9223372036854775807",
        "[data]\ntrain = \"x\"\n\0model.layers=[{ type = \"fc\", name = \"f\" }]\0augment.crop=28\0compute.threads=1000000",
        "\0run.epochs=\0=\0a.b.c.d=1\0data=1",
    ] {
        seeds.push(text.as_bytes().to_vec());
    }
    seeds.push((0..2000).flat_map(|i| format!("k{i} = 1\n").into_bytes()).collect());
    seeds.push([b"\0", &b"a.".repeat(4000)[..], b"=1"].concat());
    seeds
}

const ALL: &str = r#"[run]
out = "runs/x"
seed = 3
epochs = 2
steps = 9
on_bad_image = "skip"
bad_images_max = 5
memory = "4 GiB"
[data]
train = "a"
val = "b"
ranks = 2
rank = 1
[decode]
workers = 2
queue = 1
shorter_side = 48
square = true
[augment]
crop = 32
random_resized_crop = { area = [0.1, 1.0], ratio = [0.75, 1.33] }
jitter = { brightness = 0.1, contrast = 0.1, saturation = 0.1 }
cutout = 4
pca = { sigma = 0.1, scale = "stddev" }
mean = "image"
std = [1.0, 2.0, 3.0]
[staging]
batch = 4
[compute]
devices = ["cpu:0", "cpu:1"]
parallel = "columns"
[model]
layers = [
  { type = "conv", name = "c", channels = 4, kernel = 5, stride = 2, padding = 1, groups = 2, partial_windows = true, init = "he", bias = 0.0 },
  { type = "tanh" },
  { type = "lrn", size = 5, alpha = 0.0001, beta = 0.75, k = 2.0 },
  { type = "max_pool", size = 3, stride = 2 },
  { type = "dropout", p = 0.5 },
  { type = "fc", name = "f", init = 0.01 },
]
[solver]
lr = 0.01
schedule = { kind = "plateau", factor = 0.1, patience = 2, threshold = 0.01, max_drops = 3 }
warmup_epochs = 1
layers.c = { weight_lr = 2.0, freeze_from_epoch = 1 }
[evaluate]
crops = 10
[checkpoint]
every_steps = 7
"#;
