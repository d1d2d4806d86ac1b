//! Parameters, as far as a device has them.

use crate::memory::{NoMemory, zeroed};
use crate::model::Parameter;
use crate::model::share::Share;

/// A device's share of one parameter.
#[derive(Debug)]
pub(super) struct Held {
    /// Which elements these are.
    pub(super) share: Share,
    /// The elements that it has.
    pub(super) value: Vec<f32>,
    /// The momentum of those that it updates.
    pub(super) momentum: Vec<f32>,
}

impl Held {
    /// Memory for a share.
    pub(super) fn new(share: Share) -> Result<Self, NoMemory> {
        Ok(Self {
            value: zeroed("parameters", share.held.len())?,
            momentum: zeroed("momentum", share.updated.len())?,
            share,
        })
    }

    /// Takes the share of the whole parameter.
    pub(super) fn load(&mut self, whole: &Parameter) {
        self.value.copy_from_slice(&whole.value[self.share.held.clone()]);
        match whole.momentum.get(self.share.updated.clone()) {
            Some(momentum) => self.momentum.copy_from_slice(momentum),
            // Weights alone, to be evaluated.
            None => self.momentum.fill(0.0),
        }
    }

    /// Copies what is updated here into the whole parameter.
    pub(super) fn store(&self, whole: &mut Parameter) {
        let updated = self.share.updated.clone();
        whole.value[updated.clone()].copy_from_slice(&self.value[self.share.local()]);
        whole.momentum[updated].copy_from_slice(&self.momentum);
    }
}
