//! `pipeline predict`: the most likely classes of image files.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use clap::Args;
use serde_json::json;

use super::trained::Trained;
use super::{Failure, unreadable};
use crate::dataset::{Encoded, image_extensions, is_image, read_image};
use crate::files;
use crate::flow::Slot;
use crate::model::{Device, DeviceError};
use crate::observe::terminal::{self, answer};
use crate::plan::{ModelPlan, preprocessing};
use crate::stages::augment::Normalization;
use crate::stages::decode::Decoder;
use crate::stages::rule::Rule;
use crate::text;

pub(super) const EXAMPLES: &str = "Examples:
  pipeline predict runs/imagenette photo.jpg
  pipeline predict runs/imagenette photos/new         every image in a folder
  pipeline predict runs/imagenette --crops 10 --json a.jpg b.png";

/// The number of classes listed.
const GUESSES: usize = 5;

#[derive(Args)]
pub(super) struct PredictArgs {
    /// A run's folder, or a checkpoint
    run: PathBuf,
    /// Images (JPEG, PNG, BMP, GIF, TIFF, WebP or binary PPM), or folders to search for images at any depth
    #[arg(required = true)]
    images: Vec<PathBuf>,
    /// Number of views of each image to average
    #[arg(long, value_parser = ["1", "10"], default_value = "1")]
    crops: String,
    /// Overrides a key of the run's configuration; can be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Prints one JSON object per line
    #[arg(long)]
    json: bool,
}

struct Predictor {
    decoder: Decoder,
    rule: Rule,
    /// It has the whole network, for batches of all views of an image.
    device: Box<dyn Device>,
    normalization: Normalization,
    classes: Vec<String>,
}

pub(super) fn main(args: &PredictArgs) -> Result<(), Failure> {
    let crops = if args.crops == "10" { 10 } else { 1 };
    let images = files(&args.images)?;
    let mut predictor = Predictor::new(&args.run, crops, &args.sets)?;
    let mut refused = Vec::new();
    for image in &images {
        match predictor.guess(image) {
            Ok(guesses) => print(image, &guesses, args.json),
            Err(reason) => refused.push(format!("{}: {reason}", text::path(image))),
        }
    }
    if refused.is_empty() {
        Ok(())
    } else {
        Err(Failure::Failed(refused.join("\n")))
    }
}

/// The files to predict. A folder stands for all images in it, in the order of their paths.
fn files(given: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in given {
        if !files::is_folder(path).map_err(|error| unreadable(path, &error))? {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        let failed = |error: io::Error| Failure::Failed(format!("{}: cannot be read: {error}", text::path(path)));
        images_below(path, &mut files).map_err(failed)?;
        if files.len() == before {
            return Err(Failure::Usage(format!(
                "{}: no images in this folder or its subfolders; image files end in one of {}",
                text::path(path),
                image_extensions()
            )));
        }
    }
    Ok(files)
}

/// Adds all images below `folder`. Links to folders are not followed, because they may form loops.
fn images_below(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            images_below(&path, files)?;
        } else if is_image(&entry.file_name().to_string_lossy()) {
            files.push(path);
        }
    }
    Ok(())
}

impl Predictor {
    fn new(run: &Path, crops: u32, sets: &[String]) -> Result<Self, Failure> {
        let mut trained = Trained::open(run, sets)?;
        // All views of one image. The run's batches may be more than this machine could hold.
        trained.config.staging.batch = NonZeroUsize::MIN.saturating_add(crops as usize - 1);
        let model = ModelPlan::new(&trained.config, trained.state.classes.len()).map_err(Failure::usage)?;
        let mut device = model
            .build_alone(&trained.config, crops as usize)
            .map_err(Failure::plan)?;
        trained.fit(&model.spec)?;
        device.load(&trained.loaded.parameters).map_err(Failure::failed)?;
        let config = &trained.config;
        let crop = config.augment.crop.get();
        let statistics = trained.loaded.statistics.as_ref();
        let normalization = preprocessing::normalization(config, statistics, model.row_writer());
        let normalization = normalization.map_err(Failure::failed)?;
        if let Some(planes) = normalization.mean_image() {
            device.take_mean(&planes).map_err(Failure::failed)?;
        }
        Ok(Self {
            decoder: Decoder::new(preprocessing::decode_options(config)).map_err(Failure::failed)?,
            rule: Rule::plain(crop as u32, crops),
            device,
            normalization,
            classes: trained.state.classes,
        })
    }

    /// The softmax outputs of the views in a slot.
    fn evaluate(&mut self, slot: Slot, views: usize) -> Result<Vec<f32>, DeviceError> {
        self.device.copy_rows(&Arc::new(slot), views)?.wait()?;
        self.device.evaluate()?.wait()
    }

    /// The most likely classes of a file, with their probabilities.
    fn guess(&mut self, path: &Path) -> Result<Vec<(String, f64)>, String> {
        let bytes = read_image(path).map_err(|error| format!("cannot be read: {error}"))?;
        let encoded = Encoded::File(&bytes);
        let frame = self.decoder.open(encoded).map_err(|error| error.to_string())?;
        let crop = self.rule.crop;
        if frame.width < crop || frame.height < crop {
            return Err(format!(
                "the image has {}x{} pixels, fewer than the network's input of {crop}x{crop}",
                frame.width, frame.height
            ));
        }
        let region = self.rule.region_of_views(frame);
        let mut pixels = vec![0; region.bytes()];
        self.decoder
            .pixels(encoded, region, &mut pixels)
            .map_err(|error| error.to_string())?;
        let views = self.rule.views as usize;
        let write = |view: usize, row: &mut [u8]| {
            let draw = self.rule.view(view as u8, frame);
            self.normalization.write(&draw, &pixels, region, row);
        };
        let slot = Slot::filled(views, self.normalization.writer.row_bytes(), write);
        let slot = slot.map_err(|error| error.to_string())?;
        let probabilities = self.evaluate(slot, views).map_err(|error| error.to_string())?;
        let classes = self.classes.len();
        let mut mean = vec![0.0; classes];
        for row in probabilities.chunks_exact(classes) {
            mean.iter_mut()
                .zip(row)
                .for_each(|(sum, &p)| *sum += f64::from(p) / views as f64);
        }
        let mut order: Vec<usize> = (0..classes).collect();
        order.sort_by(|&a, &b| mean[b].total_cmp(&mean[a]));
        Ok(order
            .into_iter()
            .take(GUESSES)
            .map(|class| (self.classes[class].clone(), mean[class]))
            .collect())
    }
}

fn print(image: &Path, guesses: &[(String, f64)], as_json: bool) {
    if as_json {
        let guesses: Vec<_> = guesses
            .iter()
            .map(|(class, probability)| json!({ "class": class, "probability": probability }))
            .collect();
        terminal::json(&json!({ "image": image.to_string_lossy(), "top5": guesses }));
        return;
    }
    answer!("{}", text::path(image));
    for (class, probability) in guesses {
        answer!("  {:5.1} %  {}", 100.0 * probability, text::plain(class));
    }
}
