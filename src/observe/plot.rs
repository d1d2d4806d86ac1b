//! Curves as SVG, legible at the width of a phone.

use std::fmt::Write;

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 260.0;
/// The edges of the plot's area.
const LEFT: f64 = 52.0;
const RIGHT: f64 = WIDTH - 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = HEIGHT - 46.0;

/// The approximate number of grid lines per axis.
const TICKS: f64 = 4.0;

/// The fraction of points that may lie above the plot: a spike in the first steps would flatten the rest of the curve.
const SPIKES: f64 = 0.02;

const COLOURS: [&str; 3] = ["#0969da", "#d1242f", "#8250df"];

/// The unit of the x axis: all x are divided by it.
#[derive(Clone, Copy, Debug)]
pub struct Along {
    /// Steps per unit.
    pub unit: f64,
    /// `epoch` or `step`.
    pub name: &'static str,
}

/// A named curve: points (x, y) in the order of x.
pub type Curve<'a> = (&'a str, Vec<(f64, f64)>);

/// The plot of some curves; empty if none has a point.
pub fn plot(title: &str, along: Along, curves: &[Curve<'_>]) -> String {
    let curves: Vec<(&str, Vec<(f64, f64)>)> = curves
        .iter()
        .map(|(name, curve)| (*name, finite(curve, along)))
        .collect();
    let Some(y) = Axis::around(&curves) else {
        return String::new();
    };
    let x = Axis::to(
        curves
            .iter()
            .flat_map(|(_, curve)| curve)
            .map(|p| p.0)
            .fold(0.0, f64::max),
    );
    let across = |value: f64| LEFT + x.share(value) * (RIGHT - LEFT);
    let down = |value: f64| BOTTOM - y.share(value) * (BOTTOM - TOP);
    let mut svg = String::new();
    for value in y.ticks() {
        let at = down(value);
        // Writing to a String cannot fail.
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            at + 4.0,
            short(value)
        );
    }
    for value in x.ticks() {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            across(value),
            BOTTOM + 16.0,
            short(value)
        );
    }
    let mut legend = LEFT;
    for ((name, curve), colour) in curves.iter().zip(COLOURS).filter(|((_, curve), _)| !curve.is_empty()) {
        let points: Vec<String> = curve
            .iter()
            .map(|&(x, y)| format!("{:.1},{:.1}", across(x), down(y)))
            .collect();
        let points = points.join(" ");
        let _ = write!(
            svg,
            "<polyline class=\"curve\" stroke=\"{colour}\" points=\"{points}\"/>"
        );
        if let [(x, y)] = curve[..] {
            let _ = write!(
                svg,
                "<circle fill=\"{colour}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"/>",
                across(x),
                down(y)
            );
        }
        let _ = write!(
            svg,
            "<text x=\"{legend:.1}\" y=\"{:.1}\" style=\"fill:{colour}\">{name}</text>",
            HEIGHT - 8.0
        );
        legend += 6.6 * name.len() as f64 + 16.0;
    }
    let _ = write!(
        svg,
        "<text x=\"{RIGHT}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
        HEIGHT - 8.0,
        along.name
    );
    format!(
        "<figure><figcaption>{title}</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">{svg}</svg></figure>"
    )
}

/// Larger values do not occur in a run, and their differences might be infinite.
const LARGEST: f64 = 1e30;

/// The points that can be drawn.
fn finite(curve: &[(f64, f64)], along: Along) -> Vec<(f64, f64)> {
    let finite = curve.iter().filter(|(x, y)| x.abs() < LARGEST && y.abs() < LARGEST);
    finite.map(|&(x, y)| (x / along.unit, y)).collect()
}

/// An axis between two round numbers.
struct Axis {
    from: f64,
    to: f64,
    tick: f64,
}

impl Axis {
    fn between(low: f64, high: f64) -> Self {
        let tick = round_tick(((high - low) / TICKS).max(1e-9));
        let from = (low / tick).floor() * tick;
        let to = ((high / tick).ceil() * tick).max(from + tick);
        Self { from, to, tick }
    }

    /// From 0 to exactly `high`: nothing comes after the last point.
    fn to(high: f64) -> Self {
        let high = if high > 0.0 { high } else { 1.0 };
        Self {
            from: 0.0,
            to: high,
            tick: round_tick(high / TICKS),
        }
    }

    /// An axis for these curves. It starts at 0 if they come near 0, else near their minimum. `None` if they have no points.
    fn around(curves: &[(&str, Vec<(f64, f64)>)]) -> Option<Self> {
        let mut values: Vec<f64> = curves.iter().flat_map(|(_, curve)| curve).map(|p| p.1).collect();
        values.sort_by(f64::total_cmp);
        let low = *values.first()?;
        let high = values[(((values.len() - 1) as f64) * (1.0 - SPIKES)).ceil() as usize];
        let low = if (0.0..high / 3.0).contains(&low) { 0.0 } else { low };
        Some(Self::between(low, high))
    }

    /// The position of a value on the axis, from 0 to 1. A value beyond an end is shown at that end.
    fn share(&self, value: f64) -> f64 {
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        // Slightly more, to allow for the rounding of the last tick.
        let count = ((self.to - self.from) / self.tick + 1e-6).floor() as u32;
        (0..=count).map(|i| self.from + self.tick * f64::from(i))
    }
}

/// The next round number from `value` up: 1, 2, 2.5 or 5 times a power of ten.
fn round_tick(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
    let ticks = steps.map(|step| step * power);
    ticks
        .into_iter()
        .find(|tick| *tick >= value * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// A number without the digits caused by binary fractions: 0.6 and not 0.6000000000000001.
fn short(value: f64) -> String {
    let text = format!("{value:.9}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_string()
    } else {
        text.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: Along = Along {
        unit: 1.0,
        name: "step",
    };

    fn ticks(low: f64, high: f64) -> Vec<String> {
        Axis::between(low, high).ticks().map(short).collect()
    }

    #[test]
    fn ticks_are_round_and_hold_the_values() {
        assert_eq!(ticks(0.0, 1.0), ["0", "0.25", "0.5", "0.75", "1"]);
        assert_eq!(ticks(0.0, 0.37), ["0", "0.1", "0.2", "0.3", "0.4"]);
        assert_eq!(ticks(0.61, 0.69), ["0.6", "0.62", "0.64", "0.66", "0.68", "0.7"]);
        for (low, high) in [(0.0, 1e-12), (3.0, 3.0), (-2.0, 7.3), (0.0, 0.0), (1e6, 1.2e6)] {
            let axis = Axis::between(low, high);
            assert!(
                axis.from <= low && high <= axis.to && axis.ticks().count() <= 8,
                "{low} {high}"
            );
        }
    }

    #[test]
    fn a_spike_does_not_hide_the_rest() {
        let mut curve: Vec<(f64, f64)> = (1..200).map(|x| (f64::from(x), 2.0 - f64::from(x) / 200.0)).collect();
        curve[0].1 = 1e6;
        let axis = Axis::around(&[("loss", curve)]).unwrap();
        assert!(axis.to < 3.0, "{}", axis.to);
    }

    #[test]
    fn all_that_is_drawn_lies_inside_and_is_a_number() {
        let curves = [
            ("a", vec![(1.0, 0.5), (2.0, f64::NAN), (3.0, 9.0)]),
            ("b", vec![(2.0, -1.0)]),
            ("none", Vec::new()),
        ];
        let svg = plot("Title", STEPS, &curves);
        assert!(
            !svg.contains("NaN") && !svg.contains("inf") && !svg.contains(">none<"),
            "{svg}"
        );
        for points in svg.split("points=\"").skip(1) {
            for point in points.split('"').next().unwrap().split(' ') {
                let (x, y) = point.split_once(',').unwrap();
                let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
                assert!((LEFT..=RIGHT).contains(&x) && (TOP..=BOTTOM).contains(&y), "{point}");
            }
        }
        assert_eq!(plot("Title", STEPS, &[("a", vec![(1.0, f64::NAN)])]), "");
    }
}
