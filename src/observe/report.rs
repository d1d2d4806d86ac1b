//! `report.html`: the results of a run so far, in one self-contained page.

use std::fmt::Write;
use std::io;
use std::path::PathBuf;

use super::digest::{Digest, EvalEvent, Newest, StageShare, VerdictEvent};
use super::plot::{Along, plot};
use crate::durable;
use crate::text::html;

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A process is running it.
    Running,
    /// It is complete.
    Complete,
    /// It was stopped, failed or was killed.
    Interrupted,
}

impl State {
    fn text(self) -> &'static str {
        match self {
            Self::Running => "The run is in progress; this page is rewritten after each evaluation.",
            Self::Complete => "The run is complete.",
            Self::Interrupted => "The run is not complete; it can be resumed.",
        }
    }
}

/// The page of a run.
pub struct Page {
    /// The file.
    pub path: PathBuf,
    /// The run's folder, as text that is safe to show.
    pub name: String,
    /// The summary of its events.
    pub digest: Digest,
    /// The resolved configuration.
    pub config: String,
}

impl Page {
    /// Writes the file, replacing an older one.
    pub fn write(&self, state: State) -> io::Result<()> {
        durable::replace(&self.path, self.render(state).as_bytes())
    }

    /// The page as text.
    pub fn render(&self, state: State) -> String {
        let name = html(&self.name);
        let mut body = String::new();
        // Writing to a String cannot fail.
        let _ = write!(body, "<h1>{name}</h1><p>{}</p>", html(state.text()));
        body += &numbers(&self.digest);
        body += &curves(&self.digest);
        body += &evaluations(&self.digest.evals);
        body += &self.digest.verdict.as_ref().map_or_else(String::new, stages);
        body += &skipped_images(&self.digest.skipped);
        let config: Vec<_> = self.config.lines().map(html).collect();
        let _ = write!(body, "<h2>Configuration</h2><pre>{}</pre>", config.join("\n"));
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <title>{name}</title><style>{STYLE}</style><body>{body}</body></html>\n"
        )
    }
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:66rem;margin:2rem auto;padding:0 1rem;\
    color:#1b1f24;background:#fff}h1{overflow-wrap:anywhere}h1,h2{line-height:1.25}.scroll{overflow-x:auto}\
    table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:right;vertical-align:top;\
    border-bottom:1px solid #d0d7de}td:first-child,th:first-child{text-align:left}.names td{text-align:left;\
    overflow-wrap:anywhere}pre{overflow:auto;padding:1rem;background:#f6f8fa;font-size:.85rem}\
    .plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1.5rem;margin:1.5rem 0}\
    figure{margin:0}figcaption{font-weight:600}svg{width:100%;height:auto;display:block}\
    text{font:13px system-ui,sans-serif;fill:currentColor}.grid{stroke:currentColor;opacity:.15}\
    .curve{fill:none;stroke-width:1.5}@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}\
    pre{background:#161b22}td,th{border-color:#30363d}}";

/// The plots, over epochs if the length of an epoch is known.
fn curves(digest: &Digest) -> String {
    let along = match digest.steps_per_epoch {
        Some(unit) => Along { unit, name: "epoch" },
        None => Along {
            unit: 1.0,
            name: "step",
        },
    };
    let of_evals = |value: fn(&EvalEvent) -> f64| -> Vec<(f64, f64)> {
        let evals = digest.evals.kept.iter();
        evals.map(|eval| (eval.step as f64, value(eval))).collect()
    };
    let plots = [
        plot(
            "Loss",
            along,
            &[("train", digest.loss.points()), ("val", of_evals(|eval| eval.loss))],
        ),
        plot(
            "Error",
            along,
            &[
                ("top-1 train", digest.train_error.points()),
                ("top-1 val", of_evals(|eval| eval.top1_error)),
                ("top-5 val", of_evals(|eval| eval.top5_error)),
            ],
        ),
        plot("Learning rate", along, &[("learning rate", digest.lr.points())]),
        plot("Images per second", along, &[("train", digest.rate.points())]),
    ];
    format!("<div class=\"plots\">{}</div>", plots.concat())
}

/// A table that scrolls if it is wider than the page.
fn table(class: &str, rows: &str) -> String {
    format!("<div class=\"scroll\"><table class=\"{class}\">{rows}</table></div>")
}

/// The final numbers.
fn numbers(digest: &Digest) -> String {
    let mut rows = String::new();
    let mut row = |what: &str, value: String| {
        let _ = write!(rows, "<tr><td>{what}</td><td>{value}</td></tr>");
    };
    if let Some(eval) = digest.evals.kept.back() {
        row("top-1 error, last evaluation", format!("{:.4}", eval.top1_error));
        row("top-5 error, last evaluation", format!("{:.4}", eval.top5_error));
        row("validation images", eval.images.to_string());
    }
    if let Some(best) = &digest.best {
        row(
            "top-1 error, best",
            format!("{:.4} at step {}", best.top1_error, best.step),
        );
    }
    if let Some((step, loss)) = digest.last_step {
        row("steps", step.to_string());
        row("last training loss", format!("{loss:.4}"));
    }
    if let Some(elapsed) = digest.elapsed_s {
        row("time", format!("{elapsed:.0} s"));
    }
    if let Some(median) = digest.rate.median() {
        row("images per second, median over steps", format!("{median:.0}"));
    }
    if let Some(what) = digest.damaged.text() {
        row("metrics.jsonl", what);
    }
    table("numbers", &rows)
}

fn evaluations(evals: &Newest<EvalEvent>) -> String {
    let rows: String = evals
        .kept
        .iter()
        .map(|eval| {
            format!(
                "<tr><td>{}</td><td>{}</td><td>{:.4}</td><td>{:.4}</td><td>{:.4}</td><td>{}</td></tr>",
                eval.epoch + 1,
                eval.step,
                eval.loss,
                eval.top1_error,
                eval.top5_error,
                eval.crops
            )
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let head =
        "<tr><th>epoch</th><th>step</th><th>loss</th><th>top-1 error</th><th>top-5 error</th><th>crops</th></tr>";
    let table = table("numbers", &format!("{head}{rows}"));
    format!("<h2>Evaluations{}</h2>{table}", of_how_many(evals))
}

/// ` (the last 1000 of 2300)`, if some were not kept.
fn of_how_many<T>(newest: &Newest<T>) -> String {
    match newest.kept.len() {
        kept if (kept as u64) < newest.count => format!(" (the last {kept} of {})", newest.count),
        _ => String::new(),
    }
}

/// The last verdict, with how each stage spent its time.
fn stages(verdict: &VerdictEvent) -> String {
    let mut known: Vec<(&String, &StageShare)> = verdict.stages.iter().collect();
    // The busiest stage, which is the bottleneck, comes first.
    known.sort_by(|(_, a), (_, b)| b.busy.total_cmp(&a.busy));
    let rows: String = known
        .into_iter()
        .map(|(name, stage)| {
            let percent = |share: f64| format!("{:.0} %", 100.0 * share);
            format!(
                "<tr><td>{}</td><td>{:.1}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                html(name),
                stage.workers,
                percent(stage.busy),
                percent(stage.input_wait),
                percent(stage.room_wait)
            )
        })
        .collect();
    let head =
        "<tr><th>stage</th><th>workers</th><th>busy</th><th>waiting for input</th><th>waiting for downstream</th></tr>";
    let table = table("numbers", &format!("{head}{rows}"));
    format!(
        "<h2>Bottleneck</h2><p>Since the previous verdict: {}</p>{table}",
        html(&verdict.text)
    )
}

fn skipped_images(skipped: &Newest<(String, String)>) -> String {
    if skipped.count == 0 {
        return String::new();
    }
    let row =
        |(sample, reason): &(String, String)| format!("<tr><td>{}</td><td>{}</td></tr>", html(sample), html(reason));
    let rows: String = skipped.kept.iter().map(row).collect();
    format!(
        "<h2>Skipped images{}</h2>{}",
        of_how_many(skipped),
        table("names", &rows)
    )
}
