//! Writes a proposal as the text of a configuration.

use super::choose::Network;
use super::find::FRACTION;
use super::{Held, Proposal};
use crate::text::{counted, plain};

/// The column at which reasons begin.
const COLUMN: usize = 29;

/// The configuration of a run in the folder `out`.
pub(super) fn toml(proposal: &Proposal, out: &str) -> String {
    let train = &proposal.found.train;
    let mut text = format!(
        "# Written by `pipeline init` for {}: {} training images in {} classes.\n\
         # Paths are relative to the folder where you run `pipeline`. Keys that are left out have defaults:\n\
         # `pipeline check` shows the whole run.\n",
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

/// A key with its value, and the reason for it.
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
            "the folder for checkpoints, metrics and the report",
        ),
        line(
            format!("epochs = {}", choice.epochs),
            format!("passes over the {images} images; use more if the error is still falling at the end"),
        ),
        line(
            "on_bad_image = \"skip\"",
            "reports and skips images that cannot be decoded; \"fail\" ends the run instead",
        ),
        line(
            format!("bad_images_max = {}", choice.bad_images_max),
            "with more bad images the run fails, because something else must be wrong",
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
            format!("{} for validation", counted(val.len() as u64, "image")),
        )),
        Held::Aside(aside) => lines.push(line(
            format!("val = {{ fraction = {FRACTION:?} }}"),
            format!(
                "sets {} aside for validation, some of each class",
                counted(aside.len() as u64, "image")
            ),
        )),
        Held::Nothing => {}
    }
    lines
}

fn decode(proposal: &Proposal) -> Vec<Line> {
    let (least, greatest) = (proposal.seen.least(), proposal.seen.greatest());
    let sides = if least == greatest {
        format!("currently {least}")
    } else {
        format!("currently {least} to {greatest}")
    };
    let of = |side| {
        line(
            format!("shorter_side = {side}"),
            format!("scales images so that their shorter side has this length ({sides})"),
        )
    };
    proposal.choice.shorter_side.map(of).into_iter().collect()
}

fn augment(proposal: &Proposal) -> Vec<Line> {
    let (choice, seen) = (&proposal.choice, &proposal.seen);
    let frame = choice.shorter_side.unwrap_or(seen.median());
    let crop = if choice.crop < frame {
        "side of the square that the network sees, at a random position"
    } else {
        "side of the square that the network sees: the whole image"
    };
    vec![
        line(format!("crop = {}", choice.crop), crop),
        line(
            "flip = 0.5",
            "mirrors half of the images; use 0 if left and right matter, as in letters",
        ),
        line(
            format!("std = {:?}", [choice.std; 3]),
            format!(
                "divides pixels by their standard deviation, measured on {} images",
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
            "images per step; {} per epoch",
            counted(proposal.found.train.len().div_ceil(batch) as u64, "step")
        ),
    )
}

fn model(proposal: &Proposal) -> Vec<Line> {
    let network = proposal.choice.network;
    let why = match network {
        Network::Small => "for images of 28 to 40 pixels",
        Network::Medium if proposal.choice.crop > 64 => {
            "a third of AlexNet's width, enough for a few thousand photographs"
        }
        Network::Medium => "for images of 48 to 96 pixels",
        Network::Paper => "the network of 2012; halving the crop cuts the time to a quarter",
    };
    let mut lines = vec![line(format!("preset = {}", string(network.preset())), why)];
    if network == Network::Paper {
        lines.push(line(
            "init = \"he\"",
            "the paper's own initial weights need a million images",
        ));
    }
    lines
}

fn solver(proposal: &Proposal) -> Vec<Line> {
    vec![
        line(
            format!("lr = {:?}", proposal.choice.lr),
            "halve it if the loss rises or becomes NaN",
        ),
        line("schedule = \"cosine\"", "falls to 0 by the last step"),
        line(
            "warmup_epochs = 1.0",
            "rises from 0 in the first epoch, because early steps diverge most easily",
        ),
    ]
}

fn evaluate(proposal: &Proposal) -> Vec<Line> {
    let every = proposal.choice.every_epochs;
    let needs_line = every > 1 && !matches!(proposal.found.val, Held::Nothing);
    let of = || line(format!("every_epochs = {every}"), "epochs between evaluations");
    needs_line.then(of).into_iter().collect()
}
