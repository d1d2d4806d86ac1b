//! The command line: one file per subcommand.

use std::io;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::Config;
use crate::files;
use crate::observe::logging::{self, Format};
use crate::observe::terminal::{self, tell};
use crate::plan::PlanError;
use crate::text;

mod advice;
mod bench;
mod check;
mod devices;
mod estimate;
mod eval;
mod export;
mod folder;
mod heading;
mod init;
mod inspect;
mod notes;
mod pack;
mod panics;
mod pipe;
mod predict;
mod report;
mod resume;
mod run;
mod shell;
mod statistics;
mod summary;
mod trained;
mod verify;

/// Trains AlexNet-class convolutional networks from JPEGs.
#[derive(Parser)]
#[command(name = "pipeline", version, about, after_help = AFTER, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    output: Output,
}

const AFTER: &str = "Exit codes: 0 success · 1 failure, with the cause on stderr · 2 invalid arguments or configuration · \
3 stopped on request, can be resumed · 70 bug in pipeline · 130 quit immediately by a second Ctrl-C";

/// What is printed.
#[derive(Args)]
struct Output {
    /// Logs more: -v information, -vv debugging, -vvv the time of every sample in every stage
    #[arg(short, long, global = true, action = clap::ArgAction::Count, display_order = 100)]
    verbose: u8,
    /// Prints errors and results only, no progress
    #[arg(short, long, global = true, display_order = 101)]
    quiet: bool,
    /// Log format
    #[arg(long, global = true, value_parser = ["text", "json"], default_value = "text", display_order = 102)]
    log_format: String,
}

#[derive(Subcommand)]
enum Command {
    /// Writes a configuration that fits a data set
    #[command(after_help = init::EXAMPLES)]
    Init(init::InitArgs),
    /// Trains a network
    #[command(after_help = run::EXAMPLES)]
    Run(run::RunArgs),
    /// Measures top-1 and top-5 error of a trained network
    #[command(after_help = eval::EXAMPLES)]
    Eval(eval::EvalArgs),
    /// Rewrites a run's report.html
    #[command(after_help = report::EXAMPLES)]
    Report(report::ReportArgs),
    /// Predicts the classes of images
    #[command(after_help = predict::EXAMPLES)]
    Predict(predict::PredictArgs),
    /// Shows the plan of a run without starting it
    #[command(after_help = check::EXAMPLES)]
    Check(check::CheckArgs),
    /// Lists what a network can run on here
    #[command(after_help = devices::EXAMPLES)]
    Devices(devices::DevicesArgs),
    /// Measures how fast this machine is
    #[command(after_help = bench::EXAMPLES)]
    Bench(bench::BenchArgs),
    /// Packs a data set into WebDataset shards, which are faster to read
    #[command(after_help = pack::EXAMPLES)]
    Pack(pack::PackArgs),
    /// Describes a run, checkpoint, data set, pack or image
    #[command(after_help = inspect::EXAMPLES)]
    Inspect(inspect::InspectArgs),
    /// Exports a data set as class folders of JPEGs
    #[command(after_help = export::EXAMPLES)]
    Export(export::ExportArgs),
    /// Prints a completion script for a shell
    #[command(after_help = shell::EXAMPLES)]
    Completions(shell::CompletionsArgs),
    /// Prints the manual page, or writes the pages of all commands
    #[command(after_help = shell::MAN_EXAMPLES)]
    Man(shell::ManArgs),
}

/// A configuration file, and overrides of its keys.
#[derive(Args, Clone)]
struct ConfigArgs {
    /// The configuration file (TOML)
    config: PathBuf,
    /// Overrides a key of the configuration; can be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

impl ConfigArgs {
    fn read(&self) -> Result<Config, Failure> {
        self.refuse_data()?;
        let name = text::path(&self.config);
        let mut text = String::new();
        // One byte too many is enough to know that the file is not a configuration.
        std::fs::File::open(&self.config)
            .and_then(|file| file.take(Config::LONGEST + 1).read_to_string(&mut text))
            .map_err(|error| Failure::Usage(format!("{name}: cannot be read: {error}")))?;
        Config::parse(&name, &text, &self.sets).map_err(|invalid| Failure::Usage(invalid.to_string()))
    }
}

impl ConfigArgs {
    /// Refuses a folder or a tar in place of a configuration, with the command that makes a configuration for it.
    fn refuse_data(&self) -> Result<(), Failure> {
        let path = &self.config;
        let (program, word) = (program(), quoted(&path.display().to_string()));
        let is_tar = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("tar"));
        let is_folder = |path: &Path| files::is_folder(path).map_err(|error| unreadable(path, &error));
        let (name, hint) = match (is_folder(path)?, is_folder(&folder::checkpoints(path))?) {
            (true, true) => (
                "is the folder of a run, not a configuration",
                format!("use the one inside it: {word}/{}", folder::CONFIG),
            ),
            (true, false) => (
                "is a folder, not a configuration",
                format!("create a configuration for its images: `{program} init {word}`"),
            ),
            _ if is_tar => (
                "is a tar, not a configuration",
                format!("create a configuration for its images: `{program} init {word}`"),
            ),
            _ => return Ok(()),
        };
        Err(Failure::Usage(format!("{} {name}; {hint}", text::path(path))))
    }
}

/// The failure for a path at which the system does not let us look.
fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::Failed(format!("{}: cannot be read: {error}", text::path(path)))
}

/// Exit code of a run that failed.
const FAILED: u8 = 1;
/// Exit code of wrong arguments or a wrong configuration.
const USAGE: u8 = 2;
/// Exit code of a run that was stopped on request.
const STOPPED: u8 = 3;
/// Exit code of a fault of `pipeline` itself.
const INTERNAL: u8 = 70;

/// Why a command failed.
enum Failure {
    /// The arguments or the configuration are at fault; nothing was begun.
    Usage(String),
    /// The data or the system is at fault: a bad image, a full disk, divergence.
    Failed(String),
    /// Stopped on request. The text says how to resume.
    Stopped(String),
    /// `pipeline` itself is at fault.
    Internal(String),
    /// The cause is already on stderr. The hint says how to resume.
    Told {
        /// The exit code.
        code: u8,
        /// What to do.
        hint: String,
    },
}

impl Failure {
    fn usage(error: impl std::fmt::Display) -> Self {
        Self::Usage(error.to_string())
    }

    /// A plan fails because of the configuration, unless the machine did not give what it needs.
    fn plan(error: PlanError) -> Self {
        if error.is_fault_of_machine() {
            Self::failed(error)
        } else {
            Self::usage(error)
        }
    }

    fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Command {
    /// Whether the output is the purpose of the command. Other commands write files, and continue if nothing can be printed.
    fn answers(&self) -> bool {
        !matches!(self, Self::Init(_) | Self::Run(_) | Self::Pack(_) | Self::Export(_))
    }

    fn execute(self, quiet: bool) -> Result<(), Failure> {
        match self {
            Self::Init(args) => init::main(&args),
            Self::Run(args) => run::main(&args, quiet),
            Self::Eval(args) => eval::main(&args, quiet),
            Self::Predict(args) => predict::main(&args),
            Self::Report(args) => report::main(&args),
            Self::Check(args) => check::main(&args),
            Self::Devices(args) => {
                devices::main(&args);
                Ok(())
            }
            Self::Bench(args) => bench::main(&args, quiet),
            Self::Pack(args) => pack::main(&args, quiet),
            Self::Inspect(args) => inspect::main(&args, quiet),
            Self::Export(args) => export::main(&args, quiet),
            Self::Completions(args) => {
                shell::completions(&args);
                Ok(())
            }
            Self::Man(args) => shell::man(&args),
        }
    }
}

/// Runs the command line and returns the exit code.
pub fn main() -> ExitCode {
    let Cli { command, output } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return help_or_error(&error),
    };
    let format = if output.log_format == "json" {
        Format::Json
    } else {
        Format::Text
    };
    logging::start(output.verbose, format);
    let answers = command.answers();
    if answers {
        pipe::end_with_its_reader();
    }
    let result = panics::caught(|| command.execute(output.quiet));
    let result = match terminal::unwritten() {
        Some(error) if answers && result.is_ok() => {
            Err(Failure::Failed(format!("standard output cannot be written: {error}")))
        }
        _ => result,
    };
    let (code, text) = match result {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Failed(text)) => (FAILED, text),
        Err(Failure::Usage(text)) => (USAGE, text),
        Err(Failure::Internal(text)) => (INTERNAL, text),
        Err(Failure::Stopped(hint)) => return say(STOPPED, &hint),
        Err(Failure::Told { code, hint }) => return say(code, &hint),
    };
    for line in text.lines() {
        tell!("error: {line}");
    }
    ExitCode::from(code)
}

/// Prints a help text, or an error in the arguments.
fn help_or_error(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    match error.exit_code() {
        0 if printed.is_err() => ExitCode::from(FAILED),
        code => ExitCode::from(code as u8),
    }
}

/// The name of this program on the command line, for the commands that it suggests.
fn program() -> String {
    std::env::args()
        .next()
        .map_or("pipeline".to_string(), |name| quoted(&name))
}

/// A word quoted for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%…".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn say(code: u8, hint: &str) -> ExitCode {
    tell!("{hint}");
    ExitCode::from(code)
}
