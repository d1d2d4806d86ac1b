//! Cuts `metrics.jsonl` for a resumed run, so that its events continue without a gap or overlap.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::error::MetricsError;
use super::lines::Lines;
use crate::durable;
use crate::stages::compute::RunState;
use crate::text;

/// The events that an interrupted run wrote after its last checkpoint.
#[derive(Debug, Default)]
pub struct Cut {
    /// Stream hashes of the steps to be repeated, by step.
    pub steps: BTreeMap<u64, u64>,
    /// Seconds of training up to the checkpoint.
    pub elapsed_s: f64,
    /// The damage found, for the user.
    pub damaged: Vec<String>,
}

/// `replay.json`.
#[derive(Serialize, Deserialize)]
struct Replay {
    /// xxh3-64 of `steps` as JSON.
    sum: String,
    /// Stream hashes by step, both in decimal.
    steps: BTreeMap<u64, u64>,
}

/// Removes all events past `state` from `path`. The hashes of removed steps are kept in `replay` until the steps have been
/// repeated, through any number of interruptions. Damaged lines are removed too.
pub fn cut(path: &Path, replay: &Path, state: &RunState) -> Result<Cut, MetricsError> {
    let mut cut = Cut::default();
    if let Some(steps) = read_replay(replay, &mut cut.damaged)? {
        cut.steps = steps;
    }
    let mut lines = Lines::open(path)?;
    let mut trained = false;
    let mut unread = None;
    let prepared = durable::prepare(path, |kept| {
        loop {
            let (event, line) = match lines.next_event() {
                Ok(Some(found)) => found,
                Ok(None) => return Ok(()),
                Err(error) => {
                    unread = Some(error);
                    return Err(io::Error::other("the events cannot be read"));
                }
            };
            if is_before(&event, state, trained) {
                trained |= event["event"] == "step" && event["step"] == state.step;
                cut.elapsed_s = event["elapsed_s"].as_f64().unwrap_or(cut.elapsed_s);
                kept.write_all(line)?;
                kept.write_all(b"\n")?;
            } else if let Some((step, stream)) = stream_of(&event) {
                cut.steps.insert(step, stream);
            }
        }
    });
    let prepared = match (prepared, unread) {
        (_, Some(error)) => return Err(error),
        (prepared, None) => prepared.map_err(MetricsError::of(path))?,
    };
    cut.steps.retain(|step, _| *step > state.step);
    cut.damaged.extend(
        lines
            .damaged()
            .text()
            .map(|what| format!("{}: {what} and ignored", text::path(path))),
    );
    // First store what must not be lost, then overwrite the file that has it.
    write_replay(replay, &cut.steps)?;
    prepared.commit().map_err(MetricsError::of(path))?;
    Ok(cut)
}

/// The step and stream hash of a step event.
fn stream_of(event: &Value) -> Option<(u64, u64)> {
    let stream = event["stream"].as_str()?;
    Some((event["step"].as_u64()?, u64::from_str_radix(stream, 16).ok()?))
}

/// The stored hashes; `None` if there are none, or if they are damaged, which is noted.
fn read_replay(path: &Path, damaged: &mut Vec<String>) -> Result<Option<BTreeMap<u64, u64>>, MetricsError> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(MetricsError::of(path))?,
    };
    let replay = serde_json::from_slice(&text).ok();
    let replay = replay.filter(|replay: &Replay| replay.sum == sum_of(&replay.steps));
    if replay.is_none() {
        let what = "is damaged: repeated steps are not compared with the original ones";
        damaged.push(format!("{}: {what}", text::path(path)));
    }
    Ok(replay.map(|replay| replay.steps))
}

fn write_replay(path: &Path, steps: &BTreeMap<u64, u64>) -> Result<(), MetricsError> {
    let written = if steps.is_empty() {
        durable::remove(path)
    } else {
        let replay = Replay {
            sum: sum_of(steps),
            steps: steps.clone(),
        };
        serde_json::to_vec(&replay)
            .map_err(io::Error::other)
            .and_then(|text| durable::replace(path, &text))
    };
    written.map_err(MetricsError::of(path))
}

fn sum_of(steps: &BTreeMap<u64, u64>) -> String {
    let mut bytes = Vec::with_capacity(16 * steps.len());
    for (step, stream) in steps {
        bytes.extend(step.to_le_bytes());
        bytes.extend(stream.to_le_bytes());
    }
    format!("{:016x}", xxh3_64(&bytes))
}

/// Whether an event belongs to the run up to the checkpoint. `trained`: the event comes after the checkpoint's own step.
fn is_before(event: &Value, state: &RunState, trained: bool) -> bool {
    let step = event["step"].as_u64().unwrap_or(0);
    let of_evaluation = match event["event"].as_str() {
        Some("eval" | "plateau") => true,
        // A skip after the step belongs to the evaluation that followed.
        Some("skip") => trained,
        _ => false,
    };
    // An evaluation is part of the checkpoint only if the checkpoint was made after it.
    step < state.step
        || (step == state.step && (!of_evaluation || state.newest.is_some_and(|newest| newest.step == step)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::compute::Score;

    fn state(step: u64) -> RunState {
        RunState {
            step,
            ..RunState::new([0, 0], Vec::new(), String::new())
        }
    }

    #[test]
    fn what_lies_past_the_checkpoint_is_taken_out_and_its_hashes_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (path, replay) = (folder.path().join("metrics.jsonl"), folder.path().join("replay.json"));
        let step =
            |n: u64| format!("{{\"event\":\"step\",\"step\":{n},\"elapsed_s\":{n}.5,\"stream\":\"{n:016x}\"}}\n");
        let eval = |n: u64| format!("{{\"event\":\"eval\",\"step\":{n}}}\n");
        let all = [step(1), step(2), eval(2), "torn\n".to_owned(), step(3), step(4)].concat();
        fs::write(&path, all).unwrap();
        let found = cut(&path, &replay, &state(2)).unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            [step(1), step(2)].concat(),
            "the evaluation comes again"
        );
        assert_eq!(
            (found.elapsed_s, found.steps.into_iter().collect::<Vec<_>>()),
            (2.5, vec![(3, 3), (4, 4)])
        );
        assert_eq!(found.damaged.len(), 1);
        assert!(
            found.damaged[0].ends_with("line 4 is damaged and ignored"),
            "{:?}",
            found.damaged
        );

        // Interrupted again before any step was repeated: the hashes are still known.
        let again = cut(&path, &replay, &state(2)).unwrap();
        assert_eq!(again.steps.len(), 2);
        // An evaluation that is part of the checkpoint stays.
        fs::write(&path, [step(2), eval(2)].concat()).unwrap();
        let newest = Some(Score {
            step: 2,
            top1_error: 0.5,
            top5_error: 0.0,
        });
        cut(&path, &replay, &RunState { newest, ..state(2) }).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), [step(2), eval(2)].concat());
        // Nothing is left to compare.
        cut(&path, &replay, &state(4)).unwrap();
        assert!(!replay.exists());
    }

    #[test]
    fn hashes_that_were_changed_are_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("replay.json");
        write_replay(&path, &BTreeMap::from([(3, 17), (4, 18)])).unwrap();
        let text = fs::read(&path).unwrap();
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut changed = text.clone();
                changed[at] ^= 1 << bit;
                fs::write(&path, &changed).unwrap();
                let mut damaged = Vec::new();
                assert_eq!(
                    read_replay(&path, &mut damaged).unwrap(),
                    None,
                    "bit {bit} of byte {at}"
                );
                assert_eq!(damaged.len(), 1);
            }
        }
    }
}
