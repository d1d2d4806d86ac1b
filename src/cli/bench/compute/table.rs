//! The report as text: the answer first, then the slowest pieces, then all pieces.

use super::report::{Report, Row};
use crate::ops::simd;

/// The number of pieces named above the table.
const MOST: usize = 3;

/// The text of `report`.
pub(super) fn table(report: &Report) -> String {
    let [channels, height, width] = report.input;
    let on = if report.is_on_gpu() {
        report.device.to_string()
    } else {
        format!("{} threads", report.threads)
    };
    let mut text = format!(
        "model     {} on {channels}×{height}×{width}, {} classes; batches of {} on {on}\n",
        report.model, report.classes, report.batch
    );
    text += &format!(
        "speed     {:.1} images/s: a step takes {:.1} ms (median of {}) and computes {:.1} GFLOP/s\n",
        report.images_per_s, report.step_ms, report.steps, report.gflops
    );
    text += &format!(
        "peak      {:.1} GFLOP/s {}in registers alone, measured here: the step reaches {:.0} % of it\n",
        report.peak_gflops,
        if report.is_on_gpu() {
            String::new()
        } else {
            format!("with {} ", simd::used())
        },
        100.0 * report.share_of_peak
    );
    if let Some(bytes) = report.peak_bytes_per_s {
        text += &format!(
            "copy      {:.1} GB/s read and written within its memory, measured here\n",
            bytes / 1e9
        );
    }
    if report.is_on_gpu() {
        text += &format!("memory    {:.1} MB of the GPU's\n", megabytes(report.planned_bytes));
    } else if let Some(bytes) = report.peak_resident_bytes {
        let planned = report.planned_bytes;
        text += &format!(
            "memory    {:.1} MB at its peak; planned {:.1} MB\n",
            megabytes(bytes),
            megabytes(planned)
        );
    }
    if report.layers.iter().any(|row| row.algorithm == Some("winograd")) {
        text += "counted   as direct convolution; winograd needs fewer operations and can exceed 100 %\n";
    }
    text += &format!("slowest   {}\n\n", slowest(report));
    let layers = report.layers.iter().map(|row| row.layer.chars().count());
    let name = layers.max().unwrap_or(0).max("total".len());
    text += &format!(
        "{:name$}  {:16}  {:8}  {:>9}  {:>7}  {:>8}  {:>7}  {:>6}{}\n",
        "layer",
        "direction",
        "by",
        "ms",
        "of step",
        "GFLOP/s",
        "of peak",
        "GB/s",
        if report.is_on_gpu() { "  of copy" } else { "" }
    );
    for row in &report.layers {
        text += &format!(
            "{:name$}  {:16}  {:8}  {:9.3}  {:5.1} %  {:>8}  {:>7}  {:6.1}{}\n",
            row.layer,
            row.direction,
            row.algorithm.unwrap_or_default(),
            row.ms,
            100.0 * row.ms / report.step_ms,
            computed(row, format!("{:.1}", row.gflops)),
            computed(row, format!("{:.0} %", 100.0 * row.share_of_peak)),
            row.bytes_per_s / 1e9,
            row.share_of_copy
                .map_or(String::new(), |share| format!("  {:5.0} %", 100.0 * share))
        );
    }
    text + &format!(
        "{:name$}  {:16}  {:8}  {:9.3}  {:5.1} %  {:8.1}  {:>7}\n",
        "total",
        "",
        "",
        report.step_ms,
        100.0,
        report.gflops,
        format!("{:.0} %", 100.0 * report.share_of_peak)
    )
}

/// The slowest pieces.
fn slowest(report: &Report) -> String {
    let mut rows: Vec<&Row> = report.layers.iter().collect();
    rows.sort_by(|a, b| b.ms.total_cmp(&a.ms));
    let share = |row: &&Row| {
        let percent = 100.0 * row.ms / report.step_ms;
        format!("{} {} {percent:.0} %", row.layer, row.direction)
    };
    rows.iter().take(MOST).map(share).collect::<Vec<_>>().join(", ")
}

/// The speed of computation, for pieces that compute products.
fn computed(row: &Row, text: String) -> String {
    if row.gflops > 0.0 { text } else { String::new() }
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
