//! Progress of a run: a live line on a terminal, plain lines elsewhere, nothing with `--quiet`.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal::tell;
use crate::stages::compute::Report;
use crate::stages::source::Itinerary;
use crate::text;

/// The terminal's share of a run.
pub struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
    epochs: u32,
    steps: u64,
    line_every: u64,
    /// Smoothed, so that the number can be read.
    images_per_s: f64,
}

impl Progress {
    /// For a run along `itinerary` that stands at `step`.
    pub fn new(itinerary: &Itinerary, step: u64, line_every: u64, quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(Some(itinerary.steps), ProgressDrawTarget::stderr());
            bar.set_style(style("{bar:28} {pos}/{len} steps  {msg}  {eta} left"));
            bar.set_position(step);
            bar.reset_eta();
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        Self {
            bar,
            quiet,
            epochs: itinerary.epochs(),
            steps: itinerary.steps,
            line_every,
            images_per_s: 0.0,
        }
    }

    /// Tells what happened.
    pub fn show(&mut self, report: &Report, images_per_s: f64) {
        match report {
            Report::Step {
                step, epoch, loss, lr, ..
            } => self.step(*step, *epoch, *loss, *lr, images_per_s),
            Report::EvalProgress { done, of } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(format!("evaluation, batch {done} of {of}"));
                }
            }
            Report::Eval {
                step,
                epoch,
                result,
                crops,
                is_best,
            } => {
                let views = if *crops == 1 { "centre crop" } else { "ten crops" };
                let best = if *is_best { ", the best so far" } else { "" };
                self.line(&format!(
                    "epoch {}/{} done, step {step}: top-1 error {:.4}, top-5 error {:.4}, loss {:.4} on {} images ({views}){best}",
                    epoch + 1, self.epochs, result.top1_error, result.top5_error, result.loss, result.images
                ));
            }
            Report::Plateau { factor, .. } => {
                self.line(&format!(
                    "validation error has stopped falling: learning rate now times {factor}"
                ));
            }
            Report::Skip { sample, reason, .. } => {
                self.line(&format!("skipped {}: {}", text::plain(sample), text::plain(reason)));
            }
            Report::Saving { .. } => {}
            Report::Saved { path, .. } => tracing::info!(path = %path.display(), "checkpoint written"),
        }
    }

    fn step(&mut self, step: u64, epoch: u32, loss: f64, lr: f32, images_per_s: f64) {
        let share = if self.images_per_s == 0.0 { 1.0 } else { 0.1 };
        let lr = three_digits(lr);
        self.images_per_s += share * (images_per_s - self.images_per_s);
        let (epochs, rate) = (self.epochs, self.images_per_s);
        if let Some(bar) = &self.bar {
            bar.set_position(step);
            bar.set_message(format!(
                "epoch {}/{epochs}  loss {loss:.4}  lr {lr}  {rate:.0} images/s",
                epoch + 1
            ));
        } else if step.is_multiple_of(self.line_every) || step == 1 {
            let steps = self.steps;
            self.line(&format!(
                "epoch {}/{epochs}  step {step}/{steps}  loss {loss:.4}  lr {lr}  {rate:.0} images/s",
                epoch + 1
            ));
        }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text::lines(text)),
            None if !self.quiet => tell!("{text}"),
            None => {}
        }
    }

    /// Leaves the terminal clean.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A number with three digits that say something: 0.01, 0.00538.
fn three_digits(value: f32) -> String {
    if value == 0.0 {
        return "0".to_string();
    }
    let decimals = (2.0 - value.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_string()
    } else {
        text
    }
}

pub(super) fn style(template: &str) -> ProgressStyle {
    // The templates are constants of this file; a wrong one falls back to the library's own.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::three_digits;

    #[test]
    fn learning_rates_read_well() {
        let cases = [
            (0.01, "0.01"),
            (0.005_384_164, "0.00538"),
            (1.0, "1"),
            (3.2e-8, "0.000000032"),
            (120.0, "120"),
            (0.0, "0"),
        ];
        for (value, text) in cases {
            assert_eq!(three_digits(value), text);
        }
    }
}
