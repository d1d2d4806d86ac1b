//! A run's events as a resumed run finds them, and the hashes of the steps to be repeated.

use pipeline::observe::cut::cut;
use pipeline::observe::digest::Digest;
use pipeline::observe::lines::Lines;
use pipeline::stages::compute::RunState;

use super::archives::{joined, parts};
use super::{Target, place};

pub(super) const TARGET: Target = Target {
    name: "metrics",
    run,
    seeds,
    words: &[
        b"{\"event\":\"step\",\"step\":2,\"stream\":\"00000000000000ff\"}\n",
        b"{\"event\":\"eval\",\"step\":2}\n",
        b"\n",
        b"\xff",
        b"{}",
        b"[1]",
        b"null",
        b"\"step\":18446744073709551615",
        b"1e999",
        b"[[[[[[[[",
        b"{\"3\":4}",
    ],
    memory: 64 << 20,
};

/// The first byte: the checkpoint's step. Then `replay.json` after its length, and `metrics.jsonl`.
fn run(bytes: &[u8]) {
    let Some((step, rest)) = bytes.split_first() else {
        return;
    };
    let [kept, events] = parts(rest);
    let folder = place::empty();
    let (path, replay) = (folder.join("metrics.jsonl"), folder.join("replay.json"));
    place::write(&path, events);
    place::write(&replay, kept);
    let state = RunState {
        step: u64::from(step % 8),
        ..RunState::new([0; 2], Vec::new(), String::new())
    };
    // Some damaged lines are no reason to refuse the file, so the run can be resumed.
    let first = cut(&path, &replay, &state).unwrap();
    assert!(
        first.steps.keys().all(|step| *step > state.step),
        "a finished step would be repeated"
    );
    let mut lines = Lines::open(&path).unwrap();
    while let Some((event, _)) = lines.next_event().unwrap() {
        assert!(
            event["step"].as_u64().unwrap_or(0) <= state.step,
            "an event past the checkpoint"
        );
    }
    assert_eq!(lines.damaged().text(), None, "what is left is whole");
    Digest::read(&path).unwrap();
    let once = std::fs::read(&path).unwrap();
    let again = cut(&path, &replay, &state).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), once, "cut again, it is shorter");
    assert_eq!(again.steps, first.steps, "cut again, it expects other steps");
}

fn seeds() -> Vec<Vec<u8>> {
    let lines = "{\"event\":\"step\",\"step\":1,\"loss\":2.5,\"elapsed_s\":0.5,\"stream\":\"0123456789abcdef\"}\n\
                 {\"event\":\"skip\",\"step\":1,\"sample\":\"a/1.jpg\",\"reason\":\"x\"}\n\
                 {\"event\":\"step\",\"step\":2,\"loss\":2.25,\"elapsed_s\":0.75,\"stream\":\"fedcba9876543210\"}\n\
                 {\"event\":\"eval\",\"step\":2,\"top1_error\":0.5,\"elapsed_s\":1.0}\n";
    let torn = &lines[..lines.len() - 30];
    [
        (1, joined(&[b"", lines.as_bytes()])),
        (
            2,
            joined(&[b"{\"sum\":\"0000000000000000\",\"steps\":{\"3\":7}}", lines.as_bytes()]),
        ),
        (0, joined(&[b"{\"3\":", torn.as_bytes()])),
        (2, joined(&[b"\xff", &[torn.as_bytes(), b"\xff\xfe\n{}\n"].concat()])),
        (2, joined(&[b"", b""])),
    ]
    .into_iter()
    .map(|(step, data)| [vec![step], data].concat())
    .collect()
}
