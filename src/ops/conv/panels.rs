//! Packs weights into the panels that tiles read, and unpacks weight gradients from panels.
//!
//! A panel is `[element of the window][16]`. The forward pass reads `w`. The data gradient reads the same weights as those of a
//! convolution with inputs and outputs exchanged and kernels flipped.

use super::Geometry;
use super::layout::{Element, Layout, Panel};
use crate::ops::tile::PANEL;

/// The place of w for output o, input c (of its group) and kernel element t is `group · G + o · O + c · C + t`; with flipped
/// kernels t is replaced by K² − 1 − t.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    data: &'a [f32],
    group: usize,
    output: usize,
    input: usize,
    flipped: bool,
}

impl<'a> Weights<'a> {
    /// w for the forward pass of `geometry`.
    pub fn forward(data: &'a [f32], geometry: &Geometry) -> Self {
        Self {
            data,
            group: geometry.group_outputs() * geometry.patch(),
            output: geometry.patch(),
            input: geometry.kernel * geometry.kernel,
            flipped: false,
        }
    }

    /// w for the data gradient of `geometry`, with inputs and outputs exchanged.
    pub fn transposed(data: &'a [f32], geometry: &Geometry) -> Self {
        let forward = Self::forward(data, geometry);
        Self {
            output: forward.input,
            input: forward.output,
            flipped: true,
            ..forward
        }
    }

    /// The sixteen weights of `panel` at one element of the window of `geometry`; zero for missing channels.
    pub fn at(&self, geometry: &Geometry, panel: &Panel, element: Element, to: &mut [f32; PANEL]) {
        let (kernel, Element { i, channel, j }) = (geometry.kernel, element);
        let place = i * kernel + j;
        let place = if self.flipped {
            kernel * kernel - 1 - place
        } else {
            place
        };
        let first = panel.channels.start - panel.group * geometry.group_outputs();
        let start = panel.group * self.group + first * self.output + channel * self.input + place;
        let present = panel.channels.len();
        let from = self.data[start..].iter().step_by(self.output);
        to[..present].iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        to[present..].fill(0.0);
    }

    /// One panel for direct convolution.
    pub fn pack(&self, layout: &Layout<'_>, panel: &Panel, to: &mut [f32]) {
        for (to, element) in to.as_chunks_mut::<PANEL>().0.iter_mut().zip(layout.window()) {
            self.at(layout.geometry, panel, element, to);
        }
    }
}

/// Unpacks one panel of sums, `[element][16]`, to its rows of dw, `[output][C/G][K][K]`.
pub fn unpack(layout: &Layout<'_>, panel: &Panel, sums: &[f32], dw: &mut [f32]) {
    let (kernel, patch) = (layout.geometry.kernel, layout.geometry.patch());
    for (sums, Element { i, channel, j }) in sums.as_chunks::<PANEL>().0.iter().zip(layout.window()) {
        let place = (channel * kernel + i) * kernel + j;
        for (dw, sum) in dw[place..].iter_mut().step_by(patch).zip(&sums[..panel.channels.len()]) {
            *dw = *sum;
        }
    }
}
