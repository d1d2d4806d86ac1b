//! `pipeline init`: writes a configuration that fits a data set.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, program, quoted, unreadable};
use crate::dataset::lies_in;
use crate::durable;
use crate::files;
use crate::observe::terminal::answer;
use crate::proposal::{Held, Proposal};
use crate::text::{self, counted};

pub(super) const EXAMPLES: &str = "Examples:
  pipeline init photos                      photos/CLASS/*.jpg, or photos/train and photos/val
  pipeline init photos.tar --out mine.toml
  pipeline init idx:mnist/train
  pipeline run train.toml                   the next step";

#[derive(Args)]
pub(super) struct InitArgs {
    /// The data set: a folder of class folders or of splits, a tar, a list, a pack, …
    #[arg(value_name = "FOLDER")]
    data: String,
    /// The file to write
    #[arg(long, default_value = "train.toml")]
    out: PathBuf,
    /// Overwrites an existing file
    #[arg(long)]
    force: bool,
}

pub(super) fn main(args: &InitArgs) -> Result<(), Failure> {
    if !args.force && files::exists(&args.out).map_err(|error| unreadable(&args.out, &error))? {
        return Err(exists(&args.out));
    }
    let proposal = Proposal::new(&args.data).map_err(Failure::failed)?;
    write(args, &proposal.toml(&run_folder(&args.data)))?;
    tell_what_was_found(&proposal);
    let out = quoted(&args.out.display().to_string());
    answer!("wrote     {}", text::path(&args.out));
    answer!("next      {} run {out}", program());
    Ok(())
}

fn exists(path: &Path) -> Failure {
    Failure::Usage(format!(
        "{} already exists: choose another file with --out, or overwrite it with --force",
        text::path(path)
    ))
}

fn write(args: &InitArgs, toml: &str) -> Result<(), Failure> {
    let written = if args.force {
        durable::replace(&args.out, toml.as_bytes())
    } else {
        File::create_new(&args.out).and_then(|mut file| file.write_all(toml.as_bytes()))
    };
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(&args.out),
        _ => Failure::Failed(format!("{}: cannot be written: {error}", text::path(&args.out))),
    })
}

fn tell_what_was_found(proposal: &Proposal) {
    let Proposal { found, seen, choice } = proposal;
    let (images, classes, kind) = (found.train.len(), found.train.classes().len(), found.train.kind());
    answer!(
        "train     {images} images in {classes} classes, {kind}: {}",
        text::plain(found.train.location())
    );
    match &found.val {
        Held::Set(val) => answer!(
            "val       {}: {}",
            counted(val.len() as u64, "image"),
            text::plain(val.location())
        ),
        Held::Aside(aside) => answer!(
            "val       {} of these classes, set aside from train",
            counted(aside.len() as u64, "image")
        ),
        Held::Nothing => answer!("val       none: no class has two images"),
    }
    if let Some(test) = &found.test {
        answer!(
            "test      not used in training; evaluate on it with `{} eval RUN --data {}`",
            program(),
            quoted(test)
        );
    }
    let sides = match (seen.least(), seen.greatest()) {
        (least, greatest) if least == greatest => format!("{least} pixels"),
        (least, greatest) => format!("{least} to {greatest} pixels"),
    };
    let refused = match seen.refused {
        0 => String::new(),
        refused => format!("; {refused} more could not be decoded"),
    };
    answer!(
        "images    {sides} on the shorter side ({} examined{refused})",
        seen.images
    );
    answer!(
        "network   {}, crops of {} pixels, {}, batches of {}",
        choice.network.preset(),
        choice.crop,
        counted(u64::from(choice.epochs), "epoch"),
        choice.batch
    );
}

/// A folder for the run that does not exist yet and is not among the images.
fn run_folder(data: &str) -> String {
    let path = data.rsplit_once(':').map_or(data, |(_, path)| path);
    let real = std::fs::canonicalize(path);
    let name = real.as_deref().unwrap_or(Path::new(path)).file_stem();
    let plain = |c: char| {
        if c.is_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '-'
        }
    };
    let name: String = name.map_or(String::new(), |name| {
        name.to_string_lossy().chars().map(plain).collect()
    });
    let name = if name.is_empty() { "run" } else { &name };
    let parent = ["runs", "../runs"]
        .into_iter()
        .find(|parent| !lies_in(Path::new(parent), Path::new(path)));
    let parent = parent.unwrap_or("runs");
    let numbered = (2..).map(|number| format!("{parent}/{name}-{number}"));
    let mut folders = std::iter::once(format!("{parent}/{name}")).chain(numbered);
    // The run itself says why if the system does not let it use the folder.
    let is_free = |folder: &String| !files::exists(Path::new(folder)).unwrap_or(false);
    folders.find(is_free).unwrap_or_default()
}
