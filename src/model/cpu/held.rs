//! Copies a device's share to and from whole parameters.

use crate::memory::{NoMemory, zeroed};
use crate::model::share::Share;
use crate::model::{Network, Parameter};

impl Network {
    /// Copies what this device updates into whole parameters, and allocates these if they do not exist yet. They are complete
    /// when all devices have done so.
    pub fn store(&self, whole: &mut Vec<Parameter>) -> Result<(), NoMemory> {
        if whole.len() != self.parameters.len() {
            let room = |share: &Share| zeroed("the copy for checkpoints", share.shape.iter().product());
            let parameters = self.parameters.iter().zip(&self.shares).map(|(own, share)| {
                Ok(Parameter {
                    name: own.name.clone(),
                    shape: share.shape.clone(),
                    value: room(share)?,
                    momentum: room(share)?,
                })
            });
            *whole = parameters.collect::<Result<_, _>>()?;
        }
        for ((own, share), whole) in self.parameters.iter().zip(&self.shares).zip(whole) {
            whole.value[share.updated.clone()].copy_from_slice(&own.value[share.local()]);
            whole.momentum[share.updated.clone()].copy_from_slice(&own.momentum);
        }
        Ok(())
    }

    /// Takes this device's share of whole parameters, which must be those of this network, in its order.
    pub fn load(&mut self, whole: &[&Parameter]) {
        assert_eq!(whole.len(), self.parameters.len(), "all parameters");
        for ((own, share), whole) in self.parameters.iter_mut().zip(&self.shares).zip(whole) {
            own.value.copy_from_slice(&whole.value[share.held.clone()]);
            match whole.momentum.get(share.updated.clone()) {
                Some(momentum) => own.momentum.copy_from_slice(momentum),
                // Weights alone, to be evaluated.
                None => own.momentum.fill(0.0),
            }
        }
    }

    /// Name and whole shape of each parameter.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        let names = self.parameters.iter().map(|parameter| parameter.name.as_str());
        names.zip(self.shares.iter().map(|share| share.shape.as_slice()))
    }
}
