//! Curves as SVG, legible at the width of a phone.

use std::fmt::Write;

const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 230.0;
/// The edges of the plot's area.
const LEFT: f64 = 48.0;
const RIGHT: f64 = WIDTH - 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = HEIGHT - 48.0;

/// The approximate width of a letter.
const LETTER: f64 = 6.2;

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
    let curves: Vec<Curve<'_>> = curves
        .iter()
        .map(|(name, points)| (*name, finite(points, along)))
        .collect();
    let Some(area) = Area::of(&curves) else {
        return String::new();
    };
    // A curve keeps its colour while others are still empty.
    let drawn: Vec<(&Curve<'_>, &str)> = curves
        .iter()
        .zip(COLOURS.iter().copied().cycle())
        .filter(|((_, points), _)| !points.is_empty())
        .collect();
    let lines: String = drawn
        .iter()
        .map(|((_, points), colour)| area.curve(points, colour))
        .collect();
    format!(
        "<figure><figcaption>{title}</figcaption>\
         <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">{}{lines}{}</svg></figure>",
        area.axes(),
        legend(&drawn, along.name)
    )
}

/// The names of the curves in their colours, and the name of the x axis.
fn legend(drawn: &[(&Curve<'_>, &str)], along: &str) -> String {
    let y = HEIGHT - 8.0;
    let mut x = LEFT;
    let mut names = String::new();
    for ((name, _), colour) in drawn {
        // Writing to a String cannot fail.
        let _ = write!(
            names,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" style=\"fill:{colour}\">{name}</text>"
        );
        x += LETTER * name.len() as f64 + 12.0;
    }
    format!("{names}<text x=\"{RIGHT}\" y=\"{y:.1}\" text-anchor=\"end\">{along}</text>")
}

/// The area of a plot, between its axes.
struct Area {
    x: Axis,
    y: Axis,
}

impl Area {
    /// The area in which these curves lie; `None` if they have no points.
    fn of(curves: &[Curve<'_>]) -> Option<Self> {
        let points = curves.iter().flat_map(|(_, points)| points);
        Some(Self {
            x: Axis::to(points.map(|p| p.0).fold(0.0, f64::max)),
            y: Axis::around(curves)?,
        })
    }

    fn across(&self, value: f64) -> f64 {
        LEFT + self.x.share(value) * (RIGHT - LEFT)
    }

    fn down(&self, value: f64) -> f64 {
        BOTTOM - self.y.share(value) * (BOTTOM - TOP)
    }

    /// Grid lines and numbers.
    fn axes(&self) -> String {
        let rows = self.y.ticks().map(|value| {
            let (at, x) = (self.down(value), LEFT - 6.0);
            format!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                at + 4.0,
                short(value)
            )
        });
        let columns = self.x.ticks().map(|value| {
            format!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                self.across(value),
                BOTTOM + 17.0,
                short(value)
            )
        });
        rows.chain(columns).collect()
    }

    /// A line through the points, or a dot for a single one.
    fn curve(&self, points: &[(f64, f64)], colour: &str) -> String {
        let places = points.iter().map(|&(x, y)| (self.across(x), self.down(y)));
        if points.len() == 1 {
            return places
                .map(|(x, y)| format!("<circle fill=\"{colour}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"))
                .collect();
        }
        let places: Vec<String> = places.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let places = places.join(" ");
        format!("<polyline class=\"curve\" stroke=\"{colour}\" points=\"{places}\"/>")
    }
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
        // Equal values need some distance too, and one that their size does not swallow.
        let least = 1e-9 * high.abs().max(low.abs()).max(1.0);
        let tick = round_tick(((high - low) / TICKS).max(least));
        let from = (low / tick).floor() * tick;
        let to = ((high / tick).ceil() * tick).max(from + tick);
        Self { from, to, tick }
    }

    /// From 0 to `high`, or to a tick just beyond it: a run's last step comes a little before the end of its epoch.
    fn to(high: f64) -> Self {
        let high = if high > 0.0 { high } else { 1.0 };
        let tick = round_tick(high / TICKS);
        let last = (high / tick).ceil() * tick;
        let is_near = last - high < 0.02 * high;
        Self {
            from: 0.0,
            to: if is_near { last } else { high },
            tick,
        }
    }

    /// An axis for these curves. It starts at 0 if they come near 0, else near their minimum. `None` if they have no points.
    fn around(curves: &[Curve<'_>]) -> Option<Self> {
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
        let same = [3.0, 2e10, -7e21, LARGEST].map(|value| (value, value));
        let others = [(0.0, 1e-12), (-2.0, 7.3), (0.0, 0.0), (1e6, 1.2e6), (-LARGEST, LARGEST)];
        for (low, high) in same.into_iter().chain(others) {
            let axis = Axis::between(low, high);
            assert!(
                axis.from <= low && high <= axis.to && axis.from < axis.to && axis.ticks().count() <= 8,
                "{low} {high}"
            );
        }
    }

    #[test]
    fn the_last_epoch_has_its_number() {
        let last = |high: f64| Axis::to(high).ticks().map(short).last();
        assert_eq!(last(3.998).as_deref(), Some("4"));
        assert_eq!(last(3.5).as_deref(), Some("3"));
        assert_eq!(Axis::to(3.5).to, 3.5);
        assert_eq!(last(0.0).as_deref(), Some("1"));
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
