//! `report.html`: what came of a run, in one page that needs nothing else.

use std::fmt::Write;
use std::io;
use std::path::Path;

use super::digest::{Digest, EvalEvent, Newest, StageShare, VerdictEvent};
use crate::durable;
use crate::text::html;

/// What the page shows.
pub struct Page<'a> {
    /// The run's folder.
    pub name: &'a str,
    /// How it ended.
    pub ending: &'a str,
    /// What its events come to.
    pub digest: &'a Digest,
    /// The resolved configuration.
    pub config: &'a str,
}

/// Writes the page.
pub fn write(path: &Path, page: &Page<'_>) -> io::Result<()> {
    durable::replace(path, render(page).as_bytes())
}

/// The page as text.
pub fn render(page: &Page<'_>) -> String {
    let Digest {
        loss,
        lr,
        train_error,
        evals,
        skipped,
        verdict,
        ..
    } = page.digest;
    let of_evals = |value: fn(&EvalEvent) -> f64| -> Vec<(f64, f64)> {
        evals.kept.iter().map(|eval| (eval.step as f64, value(eval))).collect()
    };
    let mut body = String::new();
    // Writing to a String cannot fail.
    let _ = write!(body, "<h1>{}</h1><p>{}</p>", html(page.name), html(page.ending));
    body += &numbers(page.digest);
    body += &plot(
        "Loss",
        &[("training", loss.points()), ("validation", of_evals(|eval| eval.loss))],
    );
    body += &plot(
        "Error",
        &[
            ("top-1, training", train_error.points()),
            ("top-1, validation", of_evals(|eval| eval.top1_error)),
            ("top-5, validation", of_evals(|eval| eval.top5_error)),
        ],
    );
    body += &plot("Learning rate", &[("learning rate", lr.points())]);
    body += &evaluations(evals);
    body += &verdict.as_ref().map_or_else(String::new, stages);
    body += &skipped_images(skipped);
    let config: Vec<_> = page.config.lines().map(html).collect();
    let _ = write!(body, "<h2>Configuration</h2><pre>{}</pre>", config.join("\n"));
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{}</title><style>{STYLE}</style><body>{body}</body></html>\n",
        html(page.name)
    )
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
    color:#1b1f24;background:#fff}table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:right;\
    border-bottom:1px solid #d0d7de}td:first-child,th:first-child{text-align:left}pre{overflow:auto;padding:1rem;\
    background:#f6f8fa}svg{width:100%;height:auto}text{font:12px system-ui,sans-serif;fill:currentColor}\
    .grid{stroke:currentColor;opacity:.15}@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}\
    pre{background:#161b22}td,th{border-color:#30363d}}";

const COLOURS: [&str; 3] = ["#0969da", "#d1242f", "#8250df"];

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
        row("images a second, median of the steps", format!("{median:.0}"));
    }
    if let Some(what) = digest.damaged.text() {
        row("metrics.jsonl", what);
    }
    format!("<table>{rows}</table>")
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
    format!(
        "<h2>Evaluations{}</h2><table><tr><th>epochs</th><th>step</th><th>loss</th><th>top-1 error</th>\
         <th>top-5 error</th><th>crops</th></tr>{rows}</table>",
        of_how_many(evals)
    )
}

/// ` (the last 1000 of 2300)`, where not all were kept.
fn of_how_many<T>(newest: &Newest<T>) -> String {
    match newest.kept.len() {
        kept if (kept as u64) < newest.count => format!(" (the last {kept} of {})", newest.count),
        _ => String::new(),
    }
}

/// The last verdict, with where the time of each stage went.
fn stages(verdict: &VerdictEvent) -> String {
    let mut known: Vec<(&String, &StageShare)> = verdict.stages.iter().collect();
    // Whatever held it up stands first.
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
    format!(
        "<h2>What held it up</h2><p>Last epoch: {}</p><table><tr><th>stage</th><th>workers</th><th>busy</th>\
         <th>waiting for input</th><th>waiting for room</th></tr>{rows}</table>",
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
    format!("<h2>Skipped images{}</h2><table>{rows}</table>", of_how_many(skipped))
}

/// A plot as SVG: curves over steps.
fn plot(title: &str, curves: &[(&str, Vec<(f64, f64)>)]) -> String {
    const WIDTH: f64 = 860.0;
    const HEIGHT: f64 = 260.0;
    const LEFT: f64 = 60.0;
    let points = || curves.iter().flat_map(|(_, curve)| curve.iter());
    let finite: Vec<&(f64, f64)> = points().filter(|(_, y)| y.is_finite()).collect();
    if finite.is_empty() {
        return String::new();
    }
    let right = finite.iter().map(|p| p.0).fold(1.0, f64::max);
    let tick = round_tick(finite.iter().map(|p| p.1).fold(1e-9, f64::max) / 4.0);
    let top = 4.0 * tick;
    let place = |x: f64, y: f64| {
        (
            LEFT + x / right * (WIDTH - LEFT - 10.0),
            10.0 + (1.0 - y / top) * (HEIGHT - 40.0),
        )
    };
    let mut svg = String::new();
    for i in 0..=4 {
        let value = tick * f64::from(i);
        let (x, y) = place(0.0, value);
        // Twelve digits hide what binary fractions leave behind 0.6000000000000001.
        let label = format!("{value:.12}");
        let label = label.trim_end_matches('0').trim_end_matches('.');
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            WIDTH - 10.0,
            x - 6.0,
            y + 4.0
        );
    }
    for (i, (name, curve)) in curves.iter().enumerate().filter(|(_, (_, curve))| !curve.is_empty()) {
        let colour = COLOURS[i % COLOURS.len()];
        let line: Vec<String> = curve
            .iter()
            .map(|&(x, y)| {
                let (x, y) = place(x, y);
                format!("{x:.1},{y:.1}")
            })
            .collect();
        let _ = write!(
            svg,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" style=\"fill:{colour}\">{name}</text>",
            line.join(" "),
            LEFT + 10.0 + 180.0 * i as f64,
            HEIGHT - 6.0
        );
    }
    let _ = write!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">step {right}</text>",
        WIDTH - 10.0,
        HEIGHT - 6.0
    );
    format!("<h2>{title}</h2><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">{svg}</svg>")
}

/// The next number from `value` up that people count in: 1, 1.5, 2, 2.5, 3, 4, 5 or 8 times a power of ten.
fn round_tick(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    let steps = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 8.0];
    steps
        .iter()
        .map(|step| step * power)
        .find(|tick| *tick >= value)
        .unwrap_or(10.0 * power)
}
