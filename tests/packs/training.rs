//! Training from a pack gives the same result as training from its source.

use std::fs::{self, File};

use pipeline::dataset::statistics::Statistics;
use pipeline::dataset::{Dataset, Encoded};

use crate::given::Given;
use crate::pack;
use crate::process::{of_kind, result, run, start};

/// The output path of `pack`.
fn at(given: &Given, name: &str) -> String {
    format!("data.train={}", given.path(name).display())
}

#[test]
fn passthrough_gives_the_same_stream_and_the_same_weights() {
    let given = Given::new(12, 3);
    pack(
        &given,
        "train",
        "packed",
        &["--mode", "passthrough", "--per-shard", "5"],
    )
    .expect(0);
    pack(
        &given,
        "val",
        "packed-val",
        &["--mode", "passthrough", "--split", "val"],
    )
    .expect(0);
    run(&given, &["run.out=a", "run.hash_pixels=true"]).expect(0);
    let val = format!("data.val={}", given.path("packed-val").display());
    run(
        &given,
        &["run.out=b", "run.hash_pixels=true", &at(&given, "packed"), &val],
    )
    .expect(0);
    assert_eq!(result(&given.path("a")), result(&given.path("b")));
    let streams = |out: &str| -> Vec<String> {
        let steps = of_kind(&given.path(out), "step");
        steps.iter().map(|event| event["stream"].to_string()).collect()
    };
    assert_eq!(streams("a"), streams("b"));
}

#[test]
fn raw_gives_the_same_weights_as_resizing_while_training() {
    let given = Given::new(12, 3);
    pack(
        &given,
        "train",
        "packed",
        &["--mode", "raw", "--size", "30", "--per-shard", "7"],
    )
    .expect(0);
    let sets = ["data.val=val", "run.hash_pixels=true", "augment.mean=[128, 128, 128]"];
    run(&given, &[&sets[..], &["run.out=a", "decode.shorter_side=30"]].concat()).expect(0);
    // With the size of the frames, and without a size.
    run(
        &given,
        &[
            &sets[..],
            &["run.out=b", "decode.shorter_side=30", &at(&given, "packed")],
        ]
        .concat(),
    )
    .expect(0);
    assert_eq!(result(&given.path("a")), result(&given.path("b")));
    run(
        &given,
        &[&sets[..3], &["run.out=c", "data.val=train", &at(&given, "packed")]].concat(),
    )
    .expect(0);
    assert_eq!(result(&given.path("a")).stream, result(&given.path("c")).stream);
}

/// The same images are set aside, by their positions in the source, and raw pixels are read in place.
#[test]
fn a_pack_is_split_as_its_source_is() {
    let given = Given::new(12, 1);
    for (mode, more) in [("passthrough", &[][..]), ("raw", &["--size", "40"])] {
        let args = [&["--mode", mode, "--per-shard", "5"], more].concat();
        pack(&given, "train", mode, &args).expect(0);
    }
    let sets = [
        "data.val={ fraction = 0.25 }",
        "run.hash_pixels=true",
        "augment.mean=[128, 128, 128]",
    ];
    run(&given, &[&sets[..], &["run.out=a"]].concat()).expect(0);
    run(
        &given,
        &[&sets[..], &["run.out=b", &at(&given, "passthrough")]].concat(),
    )
    .expect(0);
    run(&given, &[&sets[..], &["run.out=c", &at(&given, "raw")]].concat()).expect(0);
    assert_eq!(result(&given.path("a")), result(&given.path("b")));
    // The stream and the pixels are those of the files.
    assert_eq!(result(&given.path("a")), result(&given.path("c")));
}

/// A pack's mean covers all of its images, including those that are set aside.
#[test]
fn statistics_are_of_the_images_that_are_learnt_from() {
    let given = Given::new(12, 1);
    pack(&given, "train", "packed", &["--mode", "raw", "--size", "40"]).expect(0);
    let sets = ["data.val={ fraction = 0.25 }", "decode.shorter_side=40"];
    run(&given, &[&sets[..], &["run.out=a"]].concat()).expect(0);
    run(&given, &[&sets[..], &["run.out=b", &at(&given, "packed")]].concat()).expect(0);
    run(&given, &["run.out=whole", "decode.shorter_side=40", "data.val=val"]).expect(0);
    let mean = |out: &str| {
        let file = given.path(out).join("checkpoints/step-00000000.safetensors");
        let checkpoints = pipeline::model::checkpoint::list(file.parent().unwrap()).unwrap();
        let (_, newest) = checkpoints.last().unwrap();
        pipeline::model::checkpoint::read(newest).unwrap().statistics.unwrap()
    };
    assert_eq!(mean("a").channel_mean, mean("b").channel_mean);
    assert_eq!((mean("a").images, mean("whole").images), (27, 36));
    // Each kind of run has its own entry in the cache.
    let kept = fs::read_dir(given.path("cache")).unwrap().count();
    assert_eq!(kept, 3);
}

#[test]
fn jpeg_gives_the_same_stream_of_other_pixels() {
    let given = Given::new(12, 3);
    pack(
        &given,
        "train",
        "packed",
        &["--size", "30", "--per-shard", "7", "--square"],
    )
    .expect(0);
    let sets = ["data.val=val", "augment.pca={ sigma = 0.1 }"];
    run(&given, &[&sets[..], &["run.out=a", "decode.shorter_side=30"]].concat()).expect(0);
    run(&given, &[&sets[..], &["run.out=b", &at(&given, "packed")]].concat()).expect(0);
    let (a, b) = (result(&given.path("a")), result(&given.path("b")));
    assert_eq!(a.stream, b.stream);
    assert_ne!(a.bits, b.bits);
}

#[test]
fn raw_members_are_the_frames_pixels() {
    let given = Given::new(2, 1);
    pack(&given, "train", "packed", &["--mode", "raw", "--size", "40"]).expect(0);
    let data = Dataset::open(given.path("packed").to_str().unwrap()).unwrap();
    let mut decoder = pipeline::stages::decode::Decoder::new(pipeline::stages::decode::Options::default()).unwrap();
    let mut pixels = |encoded: Encoded<'_>| {
        let frame = decoder.open(encoded).unwrap();
        let region = pipeline::stages::decode::Region::whole(frame);
        let mut out = vec![0; region.bytes()];
        decoder.pixels(encoded, region, &mut out).unwrap();
        out
    };
    let mut scratch = Vec::new();
    for i in 0..data.len() {
        let Encoded::File(member) = data.read(i, &mut scratch).unwrap() else {
            panic!("not a file")
        };
        assert!(member.starts_with(b"P6\n40 40\n255\n"));
        let source = fs::read(given.path("train").join(data.id(i).raw())).unwrap();
        assert_eq!(member[13..], pixels(Encoded::File(&source)));
        assert_eq!(pixels(Encoded::File(member)), member[13..]);
    }
}

#[test]
fn its_statistics_are_those_of_a_pass_and_are_used() {
    let given = Given::new(12, 3);
    let packing = ["--mode", "raw", "--size", "32", "--square", "--per-shard", "5"];
    pack(&given, "train", "packed", &packing).expect(0);
    let kept = Statistics::from_bytes(&fs::read(given.path("packed/stats.safetensors")).unwrap()).unwrap();
    let image = ["augment.mean=image", "decode.shorter_side=32"];
    let pass = "one pass over";
    let ended = run(&given, &[&image[..], &["run.out=a"]].concat()).expect(0).says(pass);
    drop(ended);
    let cached = fs::read_dir(given.path("cache"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    assert_eq!(Statistics::kept(&cached).unwrap(), Some(kept));
    let ended = run(&given, &[&image[..], &["run.out=b", &at(&given, "packed")]].concat()).expect(0);
    assert!(!ended.stderr.contains(pass), "{}", ended.stderr);
    assert_eq!(result(&given.path("a")).bits, result(&given.path("b")).bits);
    // Members already have the requested size, so nothing is scaled and no scaling setting matters.
    let plain = ["run.out=d", "decode.dct_scaling=false", &at(&given, "packed")];
    let ended = run(&given, &[&image[..], &plain].concat()).expect(0);
    assert!(!ended.stderr.contains(pass), "{}", ended.stderr);
    // Frames of another size have other statistics.
    let other = ["run.out=c", "decode.shorter_side=28", &at(&given, "packed")];
    run(&given, &other).expect(0).says(pass);
}

/// The statistics of `passthrough` packs are of frames that the pack does not contain: they are used only if the run makes
/// frames in the same way.
#[test]
fn statistics_of_frames_that_were_made_otherwise_are_not_used() {
    let given = Given::new(12, 3);
    let packing = ["--mode", "passthrough", "--size", "24", "--square"];
    pack(&given, "train", "packed", &packing).expect(0);
    let resized = ["decode.shorter_side=24", &at(&given, "packed")];
    let pass = "one pass over";
    let ended = run(&given, &[&resized[..], &["run.out=a"]].concat()).expect(0);
    assert!(!ended.stderr.contains(pass), "{}", ended.stderr);
    let plain = ["run.out=b", "decode.dct_scaling=false"];
    run(&given, &[&resized[..], &plain].concat()).expect(0).says(pass);
    // Frames as in the files; nothing is scaled.
    pack(&given, "train", "whole", &["--mode", "passthrough", "--square"]).expect(0);
    let ended = run(&given, &["run.out=c", "decode.dct_scaling=false", &at(&given, "whole")]).expect(0);
    assert!(!ended.stderr.contains(pass), "{}", ended.stderr);
}

#[test]
fn more_shards_than_the_usual_number_of_open_files() {
    let given = Given::new(40, 1);
    pack(
        &given,
        "train",
        "packed",
        &["--mode", "passthrough", "--per-shard", "1"],
    )
    .expect(0);
    let inspect = "ulimit -S -n 60 && exec \"$0\" inspect packed";
    let output = std::process::Command::new("sh")
        .args(["-c", inspect, env!("CARGO_BIN_EXE_pipeline")])
        .current_dir(given.path(""))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_shard_that_is_cut_while_training_is_named() {
    let given = Given::new(12, 1);
    pack(
        &given,
        "train",
        "packed",
        &["--mode", "passthrough", "--per-shard", "9"],
    )
    .expect(0);
    let sets = ["run.epochs=5000", "evaluate.every_epochs=5000", &at(&given, "packed")];
    let mut process = start(&given, false, &sets);
    process.until("a step", || crate::process::steps_so_far(&given.path("run")) > 0);
    let shard = File::options()
        .write(true)
        .open(given.path("packed/train-000002.tar"))
        .unwrap();
    shard.set_len(512).unwrap();
    let ended = process.wait().expect(1).says("train-000002.tar, key ");
    assert!(ended.stderr.contains("was truncated while in use"), "{}", ended.stderr);
    // Damage that already exists: the pack does not open.
    let ended = run(&given, &["run.out=again", &at(&given, "packed")]).expect(2);
    ended.says("train-000002.tar: has 512 bytes");
}

/// A flipped bit in an image's data that still decodes, to other pixels: only the checksum reveals it.
#[test]
fn a_member_that_changed_is_a_bad_image() {
    let given = Given::new(12, 3);
    pack(&given, "train", "packed", &["--per-shard", "100"]).expect(0);
    let shard = given.path("packed/train-000000.tar");
    let mut bytes = fs::read(&shard).unwrap();
    let index = fs::read_to_string(given.path("packed/train-000000.idx")).unwrap();
    let place: Vec<usize> = index.lines().nth(8).unwrap().split(' ').flat_map(str::parse).collect();
    bytes[place[0] + place[1] - 20] ^= 1;
    fs::write(&shard, bytes).unwrap();
    let sets = ["data.val=val", "augment.mean=[128, 128, 128]", &at(&given, "packed")];
    let ended = run(&given, &[&sets[..], &["run.out=a"]].concat()).expect(1);
    ended
        .says("its bytes have changed since it was packed")
        .says("train-000000.tar, key ")
        .says("on_bad_image");
    run(&given, &[&sets[..], &["run.out=b", "run.on_bad_image=skip"]].concat()).expect(0);
}

#[test]
fn jpegs_have_restart_markers() {
    let given = Given::new(1, 1);
    pack(&given, "train", "packed", &["--size", "40"]).expect(0);
    let data = Dataset::open(given.path("packed").to_str().unwrap()).unwrap();
    let mut scratch = Vec::new();
    let Encoded::File(member) = data.read(0, &mut scratch).unwrap() else {
        panic!("not a file")
    };
    // One after each row of three MCUs.
    assert!(member.windows(6).any(|bytes| bytes == [0xff, 0xdd, 0, 4, 0, 3]));
    for marker in [[0xff, 0xd0], [0xff, 0xd1]] {
        assert!(member.windows(2).any(|bytes| bytes == marker));
    }
}
