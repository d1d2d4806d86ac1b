//! Every number of every table, with values that it accepts.

/// A key and values that it accepts, including the smallest and the largest.
pub type Key = (&'static str, &'static [&'static str]);

const QUEUE: &[&str] = &["1", "2", "65536"];
const WORKERS: &[&str] = &["1", "3", "1024", "\"auto\""];
const SIDE: &[&str] = &["1", "24", "224", "16384"];
const RATE: &[&str] = &["0", "0.01", "1e12", "1.2e-38"];

/// The keys of the tables.
pub const KEYS: &[Key] = &[
    ("run.seed", &["0", "9223372036854775807"]),
    ("run.epochs", &["1", "1000000"]),
    ("run.steps", &["1", "1000000000"]),
    ("run.bad_images_max", &["0", "4294967295"]),
    ("run.stall_after_s", &["1", "1000000000"]),
    ("run.memory", &["\"auto\"", "\"16777215 TiB\"", "\"1 TiB\""]),
    ("data.val.fraction", &["1e-30", "0.1", "0.9999999"]),
    ("data.ranks", &["1", "65536"]),
    ("data.rank", &["0", "65535"]),
    ("decode.workers", WORKERS),
    ("decode.queue", QUEUE),
    ("decode.shorter_side", SIDE),
    ("augment.workers", WORKERS),
    ("augment.queue", QUEUE),
    ("augment.crop", SIDE),
    ("augment.flip", &["0", "1", "0.5"]),
    ("augment.cutout", &["0", "1", "16384"]),
    ("augment.random_resized_crop.area", &["[0.08, 1]", "[1e-30, 1e-30]"]),
    ("augment.random_resized_crop.ratio", &["[0.75, 1.25]", "[0.001, 1000]"]),
    ("augment.jitter.brightness", &["0", "1"]),
    ("augment.jitter.contrast", &["0", "1"]),
    ("augment.jitter.saturation", &["0", "1"]),
    ("augment.pca.sigma", &["0", "1000"]),
    ("augment.mean", &["[-100000, 0, 100000]", "\"channel\""]),
    ("augment.std", &["[0.00001, 1, 100000]"]),
    ("staging.batch", &["1", "7", "128", "16777216"]),
    ("staging.slots", &["1", "3", "65536"]),
    ("staging.queue", QUEUE),
    ("compute.threads", &["1", "2", "1024"]),
    ("compute.queue", QUEUE),
    ("model.dropout", &["0", "0.5", "0.9999999"]),
    ("model.init", &["0", "0.01", "1000", "\"he\""]),
    ("model.bias", &["-1e6", "0", "1e6"]),
    ("model.classes", &["1", "10", "1048576"]),
    ("solver.lr", RATE),
    ("solver.momentum", &["0", "0.9", "0.9999999"]),
    ("solver.weight_decay", RATE),
    ("solver.warmup_epochs", &["0", "0.5", "1000000"]),
    ("solver.layers.conv1.weight_lr", RATE),
    ("solver.layers.conv1.bias_lr", RATE),
    ("solver.layers.conv1.weight_decay", RATE),
    ("solver.layers.conv1.freeze_from_epoch", &["0", "4294967295"]),
    ("evaluate.every_epochs", &["1", "1000000"]),
    ("evaluate.crops", &["1", "10"]),
    ("checkpoint.every_steps", &["1", "1000000000"]),
    ("checkpoint.keep", &["1", "1000000"]),
    ("observe.queue", QUEUE),
    ("observe.line_every_steps", &["1", "1000000000"]),
];

/// The numbers of a schedule, by kind.
pub const SCHEDULES: &[(&str, Key)] = &[
    ("step", ("every_epochs", &["1", "1000000"])),
    ("step", ("factor", &["0", "0.1", "1000"])),
    ("multistep", ("epochs", &["[]", "[0, 1000000]"])),
    ("polynomial", ("power", &["0", "1000"])),
    ("exponential", ("factor", &["0", "1000"])),
    ("plateau", ("factor", &["0", "1000"])),
    ("plateau", ("patience", &["0", "1000000"])),
    ("plateau", ("threshold", &["0", "1"])),
    ("plateau", ("max_drops", &["0", "1000000"])),
];

/// The numbers of a layer, by type.
pub const LAYERS: &[(&str, Key)] = &[
    ("conv", ("channels", &["1", "8", "96", "1048576"])),
    ("conv", ("kernel", &["1", "3", "5", "1024"])),
    ("conv", ("stride", &["1", "2", "1024"])),
    ("conv", ("padding", &["0", "1", "1024"])),
    ("conv", ("groups", &["1", "1048576"])),
    ("conv", ("init", &["0", "1000"])),
    ("conv", ("bias", &["-1e6", "1e6"])),
    ("fc", ("outputs", &["1", "4096", "1048576"])),
    ("fc", ("init", &["0", "1000"])),
    ("fc", ("bias", &["-1e6", "1e6"])),
    ("lrn", ("size", &["1", "5", "1024"])),
    ("lrn", ("alpha", &["0", "1e6"])),
    ("lrn", ("beta", &["-100", "100"])),
    ("lrn", ("k", &["0.000001", "1e6"])),
    ("max_pool", ("size", &["1", "2", "3", "16"])),
    ("max_pool", ("stride", &["1", "2", "1024"])),
    ("dropout", ("p", &["0", "0.9999999"])),
];

/// Values near the ends of ranges, which some keys accept.
pub const EDGY: &[&str] = &[
    "0.99999999999",
    "1.00000000001",
    "-0.0",
    "0.00000999999999999",
    "1e-37",
    "1.1754943508222874e-38",
    "3.4028235677973366e38",
    "1000000.0001",
    "16777217.0",
    "16777217",
    "[0.99999999999, 0.99999999999]",
    "[1e-30, 1.00000000001]",
];

/// Values that no key accepts.
pub const NONSENSE: &[&str] = &[
    "-1e39",
    "1e39",
    "-1e400",
    "1e400",
    "nan",
    "inf",
    "-inf",
    "-9223372036854775808",
    "9223372036854775808",
    "-99999999999999999999999999999999999999999",
    "1e-46",
    "[]",
    "{ a = 1 }",
    "true",
    "1979-05-27",
    "\"many\"",
];
