//! `pipeline report`: writes a run's page again, whatever the state of the run.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::{Failure, folder, trained};
use crate::durable;
use crate::observe::digest::Digest;
use crate::observe::report::{Page, State};
use crate::observe::terminal::{answer, tell};
use crate::text;

pub(super) const EXAMPLES: &str = "Examples:
  pipeline report runs/imagenette                     writes runs/imagenette/report.html
  pipeline report runs/imagenette --out page.html";

#[derive(Args)]
pub(super) struct ReportArgs {
    /// A run's folder; the run may be in progress, stopped, killed or complete
    run: PathBuf,
    /// The file to write [default: report.html in the run's folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn main(args: &ReportArgs) -> Result<(), Failure> {
    let run = &args.run;
    if folder::newest_step(run).map_err(Failure::failed)?.is_none() {
        return Err(Failure::Usage(format!(
            "there is no run in {}: it has no checkpoint",
            text::path(run)
        )));
    }
    let state = state(args)?;
    let config = run.join(folder::CONFIG);
    let config = fs::read_to_string(&config)
        .map_err(|error| Failure::Failed(format!("{}: cannot be read: {error}", text::path(&config))))?;
    let metrics = folder::metrics(run);
    let digest = Digest::read(&metrics).map_err(Failure::failed)?;
    if let Some(what) = digest.damaged.text() {
        tell!("warning: {}: {what}", text::path(&metrics));
    }
    let page = Page {
        path: args.out.clone().unwrap_or_else(|| folder::report(run)),
        name: text::path(run),
        digest,
        config,
    };
    // The run itself may write it at the same moment.
    durable::replace_shared(&page.path, page.render(state).as_bytes())
        .map_err(|error| Failure::Failed(format!("{}: {error}", text::path(&page.path))))?;
    answer!("report       {}", text::path(&page.path));
    Ok(())
}

fn state(args: &ReportArgs) -> Result<State, Failure> {
    if folder::is_in_use(&args.run)? {
        return Ok(State::Running);
    }
    let newest = folder::newest_good(&folder::checkpoints(&args.run)).map_err(Failure::failed)?;
    let is_finished = match newest {
        Some((path, loaded)) => trained::state(&path, &loaded)?.finished,
        None => false,
    };
    Ok(if is_finished {
        State::Complete
    } else {
        State::Interrupted
    })
}
