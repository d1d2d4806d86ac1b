//! A proposal as the text of a configuration.

use super::choose::Network;
use super::find::FRACTION;
use super::{Held, Proposal};
use crate::text::plain;

/// The column at which reasons begin.
const COLUMN: usize = 29;

/// The configuration of a run in the folder `out`.
pub(super) fn toml(proposal: &Proposal, out: &str) -> String {
    let train = &proposal.found.train;
    let mut text = format!(
        "# Written by `pipeline init` for {}: {} images to learn from, in {} classes.\n\
         # Paths are relative to the folder in which `pipeline run` is started. Each key that is left out has a default:\n\
         # `pipeline check` shows what the run will be.\n",
        plain(train.location()),
        train.len(),
        train.classes().len()
    );
    for (table, lines) in tables(proposal, out) {
        text += &format!("\n[{table}]\n");
        for (key, reason) in lines {
            text += format!("{key:COLUMN$} # {reason}\n").as_str();
        }
    }
    text
}

/// A key with its value, and the reason.
type Line = (String, String);

fn tables(proposal: &Proposal, out: &str) -> Vec<(&'static str, Vec<Line>)> {
    vec![
        ("run", run(proposal, out)),
        ("data", data(proposal)),
        ("decode", decode(proposal)),
        ("augment", augment(proposal)),
        ("staging", vec![batch(proposal)]),
        ("model", model(proposal)),
        ("solver", solver(proposal)),
        ("evaluate", evaluate(proposal)),
        (
            "checkpoint",
            vec![line("keep = 2", "of the newest; the best one is kept beside them")],
        ),
    ]
    .into_iter()
    .filter(|(_, lines)| !lines.is_empty())
    .collect()
}

fn line(key: impl Into<String>, reason: impl Into<String>) -> Line {
    (key.into(), reason.into())
}

fn string(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn run(proposal: &Proposal, out: &str) -> Vec<Line> {
    let (choice, images) = (&proposal.choice, proposal.found.train.len());
    vec![
        line(
            format!("out = {}", string(out)),
            "checkpoints, metrics and the report go there",
        ),
        line(
            format!("epochs = {}", choice.epochs),
            format!("passes over the {images} images; more are of use while the error falls"),
        ),
        line(
            "on_bad_image = \"skip\"",
            "an image that cannot be decoded is named and left out; \"fail\" ends the run there",
        ),
        line(
            format!("bad_images_max = {}", choice.bad_images_max),
            "more of them end the run: then something else is wrong",
        ),
    ]
}

fn data(proposal: &Proposal) -> Vec<Line> {
    let found = &proposal.found;
    let train = found.train.kind();
    let mut lines = vec![line(format!("train = {}", string(found.train.location())), train)];
    match &found.val {
        Held::Set(val) => lines.push(line(
            format!("val = {}", string(val.location())),
            format!(
                "{} images that are not learnt from: errors are measured on them",
                val.len()
            ),
        )),
        Held::Aside(aside) => lines.push(line(
            format!("val = {{ fraction = {FRACTION:?} }}"),
            format!(
                "{} images, some of each class, are set aside to measure errors on",
                aside.len()
            ),
        )),
        Held::Nothing => {}
    }
    lines
}

fn decode(proposal: &Proposal) -> Vec<Line> {
    let (least, greatest) = (proposal.seen.least(), proposal.seen.greatest());
    let sides = if least == greatest {
        format!("now {least}")
    } else {
        format!("now {least} to {greatest}")
    };
    let of = |side| {
        line(
            format!("shorter_side = {side}"),
            format!("images are scaled to so many pixels on their shorter side ({sides})"),
        )
    };
    proposal.choice.shorter_side.map(of).into_iter().collect()
}

fn augment(proposal: &Proposal) -> Vec<Line> {
    let (choice, seen) = (&proposal.choice, &proposal.seen);
    let frame = choice.shorter_side.unwrap_or(seen.median());
    let crop = if choice.crop < frame {
        "the square that the network sees, at another place each time"
    } else {
        "the square that the network sees: the whole image"
    };
    vec![
        line(format!("crop = {}", choice.crop), crop),
        line(
            "flip = 0.5",
            "half of them are mirrored; 0 where left and right differ, as in letters",
        ),
        line(
            format!("std = {:?}", [choice.std; 3]),
            format!(
                "pixels are so far from their mean ({} images), and are divided by it",
                seen.images
            ),
        ),
    ]
}

fn batch(proposal: &Proposal) -> Line {
    let batch = proposal.choice.batch;
    line(
        format!("batch = {batch}"),
        format!(
            "images of a step; {} make an epoch",
            proposal.found.train.len().div_ceil(batch)
        ),
    )
}

fn model(proposal: &Proposal) -> Vec<Line> {
    let network = proposal.choice.network;
    let why = match network {
        Network::Small => "for images of 28 to 40 pixels",
        Network::Medium if proposal.choice.crop > 64 => {
            "a third of AlexNet's width: enough for some thousand photographs"
        }
        Network::Medium => "for images of 48 to 96 pixels",
        Network::Paper => "the network of 2012, on crops of half the side: a quarter of the time",
    };
    let mut lines = vec![line(format!("preset = {}", string(network.preset())), why)];
    if network == Network::Paper {
        lines.push(line("init = \"he\"", "the paper's own start needs a million images"));
    }
    lines
}

fn solver(proposal: &Proposal) -> Vec<Line> {
    vec![
        line(
            format!("lr = {:?}", proposal.choice.lr),
            "half of it if the loss rises or becomes NaN",
        ),
        line("schedule = \"cosine\"", "falls to 0 at the last step"),
        line(
            "warmup_epochs = 1.0",
            "rises from 0 before that: the first steps are the most fragile",
        ),
    ]
}

fn evaluate(proposal: &Proposal) -> Vec<Line> {
    let every = proposal.choice.every_epochs;
    let needs_line = every > 1 && !matches!(proposal.found.val, Held::Nothing);
    let of = || line(format!("every_epochs = {every}"), "errors are measured so often");
    needs_line.then(of).into_iter().collect()
}
