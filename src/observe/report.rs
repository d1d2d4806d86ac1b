//! `report.html`: what came of a run, in one page that needs nothing else.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;

/// What the page shows.
pub struct Page<'a> {
    /// The run's folder.
    pub name: &'a str,
    /// How it ended.
    pub ending: &'a str,
    /// All events.
    pub events: &'a [Value],
    /// The resolved configuration.
    pub config: &'a str,
}

/// Most points of a curve: a page must open at once, however long the run.
const POINTS: usize = 600;

/// Writes the page.
pub fn write(path: &Path, page: &Page<'_>) -> io::Result<()> {
    fs::write(path, render(page))
}

/// The page as text.
pub fn render(page: &Page<'_>) -> String {
    let steps = || page.events.iter().filter(|event| event["event"] == "step");
    let evals = || page.events.iter().filter(|event| event["event"] == "eval");
    let curve = |events: &mut dyn Iterator<Item = &Value>, key: &str| -> Vec<(f64, f64)> {
        events
            .filter_map(|event| Some((event["step"].as_f64()?, event[key].as_f64()?)))
            .collect()
    };
    let loss = curve(&mut steps(), "loss");
    let rate = curve(&mut steps(), "lr");
    let val_loss = curve(&mut evals(), "loss");
    let (top1, top5) = (curve(&mut evals(), "top1_error"), curve(&mut evals(), "top5_error"));
    let train = curve(&mut steps(), "train_top1_error");
    let mut body = String::new();
    // Writing to a String cannot fail.
    let _ = write!(body, "<h1>{}</h1><p>{}</p>", escape(page.name), escape(page.ending));
    body += &numbers(page.events);
    body += &plot("Loss", &[("training", &loss), ("validation", &val_loss)]);
    body += &plot(
        "Error",
        &[
            ("top-1, training", &train),
            ("top-1, validation", &top1),
            ("top-5, validation", &top5),
        ],
    );
    body += &plot("Learning rate", &[("learning rate", &rate)]);
    body += &evaluations(&mut evals());
    body += &stages(page.events);
    body += &skipped(page.events);
    let _ = write!(body, "<h2>Configuration</h2><pre>{}</pre>", escape(page.config));
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{}</title><style>{STYLE}</style><body>{body}</body></html>\n",
        escape(page.name)
    )
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
    color:#1b1f24;background:#fff}table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:right;\
    border-bottom:1px solid #d0d7de}td:first-child,th:first-child{text-align:left}pre{overflow:auto;padding:1rem;\
    background:#f6f8fa}svg{width:100%;height:auto}text{font:12px system-ui,sans-serif;fill:currentColor}\
    .grid{stroke:currentColor;opacity:.15}@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}\
    pre{background:#161b22}td,th{border-color:#30363d}}";

const COLOURS: [&str; 3] = ["#0969da", "#d1242f", "#8250df"];

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The final numbers.
fn numbers(events: &[Value]) -> String {
    let last = |kind: &str| events.iter().rfind(|event| event["event"] == kind);
    let best = events
        .iter()
        .filter(|event| event["event"] == "eval")
        .min_by(|a, b| number(&a["top1_error"]).total_cmp(&number(&b["top1_error"])));
    let rates: Vec<f64> = events
        .iter()
        .filter_map(|event| event["images_per_s"].as_f64())
        .collect();
    let mut rows = String::new();
    let mut row = |what: &str, value: String| {
        let _ = write!(rows, "<tr><td>{what}</td><td>{value}</td></tr>");
    };
    if let Some(eval) = last("eval") {
        row(
            "top-1 error, last evaluation",
            format!("{:.4}", number(&eval["top1_error"])),
        );
        row(
            "top-5 error, last evaluation",
            format!("{:.4}", number(&eval["top5_error"])),
        );
        row("validation images", eval["images"].to_string());
    }
    if let Some(best) = best {
        row(
            "top-1 error, best",
            format!("{:.4} at step {}", number(&best["top1_error"]), best["step"]),
        );
    }
    if let Some(step) = last("step") {
        row("steps", step["step"].to_string());
        row("last training loss", format!("{:.4}", number(&step["loss"])));
    }
    if let Some(elapsed) = events.iter().rev().find_map(|event| event["elapsed_s"].as_f64()) {
        row("time", format!("{elapsed:.0} s"));
    }
    if let Some(median) = median(rates) {
        row("images a second, median of the steps", format!("{median:.0}"));
    }
    format!("<table>{rows}</table>")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn evaluations(evals: &mut dyn Iterator<Item = &Value>) -> String {
    let rows: String = evals
        .map(|eval| {
            format!(
                "<tr><td>{}</td><td>{}</td><td>{:.4}</td><td>{:.4}</td><td>{:.4}</td><td>{}</td></tr>",
                number(&eval["epoch"]) + 1.0,
                eval["step"],
                number(&eval["loss"]),
                number(&eval["top1_error"]),
                number(&eval["top5_error"]),
                eval["crops"]
            )
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<h2>Evaluations</h2><table><tr><th>epochs</th><th>step</th><th>loss</th><th>top-1 error</th>\
         <th>top-5 error</th><th>crops</th></tr>{rows}</table>"
    )
}

/// The last verdict, with where the time of each stage went.
fn stages(events: &[Value]) -> String {
    let Some(verdict) = events.iter().rfind(|event| event["event"] == "verdict") else {
        return String::new();
    };
    let mut known: Vec<(&String, &Value)> = verdict["stages"].as_object().into_iter().flatten().collect();
    // Whatever held it up stands first.
    known.sort_by(|(_, a), (_, b)| number(&b["busy"]).total_cmp(&number(&a["busy"])));
    let rows: String = known
        .into_iter()
        .map(|(name, stage)| {
            let percent = |key: &str| format!("{:.0} %", 100.0 * number(&stage[key]));
            format!(
                "<tr><td>{}</td><td>{:.1}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(name),
                number(&stage["workers"]),
                percent("busy"),
                percent("input_wait"),
                percent("room_wait")
            )
        })
        .collect();
    let text = escape(verdict["text"].as_str().unwrap_or_default());
    format!(
        "<h2>What held it up</h2><p>Last epoch: {text}</p><table><tr><th>stage</th><th>workers</th><th>busy</th>\
         <th>waiting for input</th><th>waiting for room</th></tr>{rows}</table>"
    )
}

fn skipped(events: &[Value]) -> String {
    let rows: String = events
        .iter()
        .filter(|event| event["event"] == "skip")
        .map(|event| {
            let text = |key: &str| escape(event[key].as_str().unwrap_or_default());
            format!("<tr><td>{}</td><td>{}</td></tr>", text("sample"), text("reason"))
        })
        .collect();
    if rows.is_empty() {
        String::new()
    } else {
        format!("<h2>Skipped images</h2><table>{rows}</table>")
    }
}

/// A plot as SVG: curves over steps.
fn plot(title: &str, curves: &[(&str, &Vec<(f64, f64)>)]) -> String {
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
        let line: Vec<String> = thin(curve)
            .into_iter()
            .map(|(x, y)| {
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

/// At most [`POINTS`] points: means over neighbours.
fn thin(curve: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let size = curve.len().div_ceil(POINTS).max(1);
    curve
        .chunks(size)
        .map(|part| {
            let n = part.len() as f64;
            (
                part.iter().map(|p| p.0).sum::<f64>() / n,
                part.iter().map(|p| p.1).sum::<f64>() / n,
            )
        })
        .collect()
}
