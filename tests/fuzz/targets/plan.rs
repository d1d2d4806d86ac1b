//! From a configuration to the plan of a run: sizes that are multiplied, and the limits they are compared with.

use std::path::PathBuf;
use std::sync::LazyLock;

use pipeline::config::validation::Validation;
use pipeline::plan::{Plan, PlanError};
use pipeline::text;

use super::Target;
use super::config;
use super::given::Given;

pub(super) const TARGET: Target = Target {
    name: "plan",
    run,
    seeds,
    words: &[
        b"\0staging.slots=",
        b"\0staging.batch=",
        b"\0augment.crop=",
        b"\0decode.shorter_side=",
        b"\0compute.threads=",
        b"\0decode.workers=",
        b"\0decode.queue=",
        b"\0run.memory=",
        b"\0data.ranks=",
        b"\0data.val={ fraction = 0.1 }",
        b"9223372036854775807",
        b"4294967295",
        b"65535",
        b"1",
        b"0",
        b"\"1 EiB\"",
        b"\0model.preset=alexnet",
    ],
    memory: 64 << 20,
};

static DATA: LazyLock<Given> = LazyLock::new(|| Given::new(2, 1));

/// As for [`config`], but with a data set that exists.
fn run(bytes: &[u8]) {
    let Some(mut config) = config::read(bytes) else { return };
    let location = |name: &str| DATA.path(name).display().to_string();
    config.data.train = location("train");
    config.data.val = config.data.val.map(|val| match val {
        Validation::Location(_) => Validation::Location(location("val")),
        fraction @ Validation::Fraction(_) => fraction,
    });
    config.run.out = PathBuf::from("runs/x");
    match Plan::new(config) {
        Ok(plan) => {
            let (buffers, crews) = (plan.buffers(), plan.crews());
            let needed = plan.memory.needed(crews);
            let rows = (plan.config.staging.slots.get() as u128)
                * (plan.config.staging.batch.get() as u128)
                * (plan.writer.row_bytes() as u128);
            assert!(
                u128::from(needed.get()) >= rows,
                "{needed} bytes are planned, the rows alone take {rows}"
            );
            let _ = (buffers, plan.workspace, plan.fingerprints());
        }
        Err(error @ PlanError::Data { .. }) => panic!("the data are good: {error}"),
        Err(error) => {
            let message = error.to_string();
            assert_eq!(text::lines(&message), message, "a message acts on the terminal");
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let base = "[data]\ntrain = \"x\"\nval = \"y\"\n[augment]\ncrop = 24\n[model]\n\
                layers = [{ type = \"conv\", name = \"c\", channels = 6, kernel = 5 }, { type = \"relu\" }, \
                { type = \"fc\", name = \"f\" }]\n";
    let mut seeds = config::seeds();
    for sets in [
        "",
        "\0staging.slots=9223372036854775807",
        "\0staging.batch=1000000\0run.memory=\"1 GiB\"",
        "\0augment.crop=65535",
        "\0model.layers=[{ type = \"fc\", name = \"a\", outputs = 9223372036854775807 }, { type = \"fc\", name = \"f\" }]",
        "\0compute.threads=1000000",
        "\0data.ranks=4294967295\0data.rank=7",
        "\0decode.queue=9223372036854775807\0augment.queue=9223372036854775807",
    ] {
        seeds.push([base, sets].concat().into_bytes());
    }
    seeds
}
