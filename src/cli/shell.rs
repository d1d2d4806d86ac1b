//! `pipeline completions` and `pipeline man`: generated from the same definitions as the help.

use clap::{Args, CommandFactory};

use super::{Cli, Failure};
use crate::observe::terminal;

pub(super) const EXAMPLES: &str = "Example:\n  pipeline completions bash > /etc/bash_completion.d/pipeline";

#[derive(Args)]
pub(super) struct CompletionsArgs {
    /// Which shell
    shell: clap_complete::Shell,
}

pub(super) fn completions(args: &CompletionsArgs) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "pipeline", &mut script);
    terminal::bytes(&script);
}

pub(super) fn man() -> Result<(), Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(Failure::failed)?;
    terminal::bytes(&page);
    Ok(())
}
