//! `pipeline completions` and `pipeline man`: generated from the same definitions as the help.

use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory};

use super::{Cli, Failure};
use crate::observe::terminal;
use crate::text;

pub(super) const EXAMPLES: &str = "Example:\n  pipeline completions bash > /etc/bash_completion.d/pipeline";

#[derive(Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: clap_complete::Shell,
}

pub(super) fn completions(args: &CompletionsArgs) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "pipeline", &mut script);
    terminal::bytes(&script);
}

pub(super) const MAN_EXAMPLES: &str = "Examples:
  pipeline man | man -l -
  pipeline man --out ~/.local/share/man/man1    # then `man pipeline-run` works too";

#[derive(Args)]
pub(super) struct ManArgs {
    /// Writes the pages of all commands to this folder
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(super) fn man(args: &ManArgs) -> Result<(), Failure> {
    if let Some(out) = &args.out {
        return fs::create_dir_all(out)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), out))
            .map_err(|error| Failure::Failed(format!("{}: {error}", text::path(out))));
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(Failure::failed)?;
    terminal::bytes(&page);
    Ok(())
}
