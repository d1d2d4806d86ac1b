//! Progress of a run: a live line on a terminal, plain lines elsewhere, nothing with `--quiet`.

use super::eta::{Eta, duration};
use super::live::{Live, Part, bar, part, within};
use super::terminal::tell;
use crate::stages::compute::Report;
use crate::stages::source::Itinerary;
use crate::text;

/// The progress of a run on the terminal.
pub struct Progress {
    live: Option<Live>,
    quiet: bool,
    epochs: u32,
    steps: u64,
    line_every: u64,
    eta: Eta,
    rate: Rate,
}

/// Images per second of training.
#[derive(Default)]
struct Rate {
    /// Smoothed, so that it is legible while it changes.
    smooth: f64,
    /// Images since the last line.
    images: f64,
    seconds: f64,
}

impl Progress {
    /// Progress of a run along `way` that has done `step` updates.
    pub fn new(way: &Itinerary, step: u64, line_every: u64, quiet: bool) -> Self {
        let live = if quiet { None } else { Live::start() };
        Self {
            live,
            quiet,
            epochs: way.epochs(),
            steps: way.steps,
            line_every,
            eta: Eta::new(way, step),
            rate: Rate::default(),
        }
    }

    /// Shows what happened, which took `seconds`.
    pub fn show(&mut self, report: &Report, seconds: f64) {
        self.eta.count(report, seconds);
        match report {
            Report::Step {
                step,
                epoch,
                loss,
                lr,
                images,
                ..
            } => {
                self.rate.add(*images, seconds);
                self.step(*step, *epoch, *loss, *lr);
            }
            Report::EvalProgress { done, of } => {
                let mut parts = vec![part(0, format!("evaluation, batch {done} of {of}"))];
                parts.extend(self.left());
                self.redraw(&parts);
            }
            Report::Eval {
                step,
                epoch,
                result,
                crops,
                is_best,
            } => {
                let views = if *crops == 1 { "" } else { ", ten crops" };
                let best = if *is_best { ", the best so far" } else { "" };
                self.line(&format!(
                    "epoch {}/{}, step {step}: top-1 error {:.4}, top-5 error {:.4}, loss {:.4}{views}{best}",
                    epoch + 1,
                    self.epochs,
                    result.top1_error,
                    result.top5_error,
                    result.loss
                ));
            }
            Report::Plateau { factor, .. } => {
                self.line(&format!(
                    "the validation error has stopped falling: the learning rate is multiplied by {factor} from now on"
                ));
            }
            Report::Skip { sample, reason, .. } => {
                self.line(&format!("skipped {}: {}", text::plain(sample), text::plain(reason)));
            }
            Report::Saving { .. } => {}
            Report::Saved { path, .. } => tracing::info!(path = %path.display(), "checkpoint written"),
        }
    }

    fn step(&mut self, step: u64, epoch: u32, loss: f64, lr: f32) {
        let (epochs, steps) = (self.epochs, self.steps);
        let is_live = self.live.is_some();
        if !is_live && !step.is_multiple_of(self.line_every) && step != 1 {
            return;
        }
        let rate = if is_live {
            self.rate.smooth
        } else {
            self.rate.since_the_last_line()
        };
        let mut parts = vec![
            part(0, format!("epoch {}/{epochs}", epoch + 1)),
            part(4, bar(step, steps)),
            part(5, format!("step {step}/{steps}")),
            part(2, format!("loss {loss:.4}")),
            part(6, format!("lr {}", three_digits(lr))),
            part(3, format!("{rate:.0} images/s")),
        ];
        parts.extend(self.left());
        if is_live {
            self.redraw(&parts);
        } else {
            parts.remove(1);
            self.line(&within(usize::MAX, &parts));
        }
    }

    fn left(&self) -> Option<Part> {
        let seconds = self.eta.left()?;
        Some(part(1, format!("{} left", duration(seconds))))
    }

    fn redraw(&self, parts: &[Part]) {
        if let Some(live) = &self.live {
            live.redraw(parts);
        }
    }

    fn line(&self, text: &str) {
        match &self.live {
            Some(live) => live.print(text),
            None if !self.quiet => tell!("{text}"),
            None => {}
        }
    }

    /// Removes the live line.
    pub fn end(&self) {
        if let Some(live) = &self.live {
            live.end();
        }
    }
}

impl Rate {
    fn add(&mut self, images: u32, seconds: f64) {
        let now = f64::from(images) / seconds.max(1e-9);
        let share = if self.smooth == 0.0 { 1.0 } else { 0.1 };
        self.smooth += share * (now - self.smooth);
        self.images += f64::from(images);
        self.seconds += seconds;
    }

    fn since_the_last_line(&mut self) -> f64 {
        let rate = self.images / self.seconds.max(1e-9);
        (self.images, self.seconds) = (0.0, 0.0);
        rate
    }
}

/// A number with three significant digits: 0.01, 0.00538.
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

#[cfg(test)]
mod tests {
    use super::*;

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
