//! The CPU as a device of a run: a network, and its connection to the other devices.

use std::sync::Arc;
use std::time::Duration;

use super::columns::Columns;
use super::network::{Network, Pass};
use crate::devices::{Communicator, PeerLost, Update};
use crate::flow::{Slot, Stopwatch};
use crate::model::{Device, DeviceError, Inside, Lap, Memory, Parameter, Peak, Running, Targets};
use crate::ops::peak;
use crate::ops::sgd::{self, Rate};
use crate::ops::softmax::Loss;

/// The length of the burst that measures the peak: short enough for some to fall between the time slices of other programs.
const BURST: Duration = Duration::from_millis(3);

/// How a device is connected to the others.
pub enum Peers {
    /// There are no others.
    None,
    /// Data parallelism: gradients are summed, and weights gathered.
    Gradients(Box<dyn Communicator<Buffer = [f32]>>),
    /// Columns: maps are exchanged.
    Columns(Columns),
}

impl Peers {
    fn columns(&mut self) -> Option<&mut Columns> {
        match self {
            Self::Columns(columns) => Some(columns),
            Self::None | Self::Gradients(_) => None,
        }
    }

    /// Whether this device reports the rows that it computes. With columns all devices compute the same rows.
    fn reports(&self) -> bool {
        match self {
            Self::Columns(columns) => columns.is_leader(),
            Self::None | Self::Gradients(_) => true,
        }
    }
}

/// A CPU that computes its part of a network.
pub struct CpuDevice {
    /// Its part of the network.
    pub network: Network,
    /// The run's seed.
    pub seed: u64,
    /// Its connection to the other devices.
    pub peers: Peers,
}

impl CpuDevice {
    /// One step of the solver, together with the devices that have the same parameters.
    fn update(&mut self, rates: &[Rate]) -> Result<(), PeerLost> {
        match &mut self.peers {
            Peers::Gradients(communicator) => {
                let mut parameters: Vec<_> = self.network.sharded().collect();
                let update: Update<'_, [f32]> = &|number, w, v, g| sgd::cpu::step(rates[number], w, v, g);
                communicator.step(&mut parameters, update)
            }
            Peers::None | Peers::Columns(_) => {
                self.network.update(rates);
                Ok(())
            }
        }
    }
}

impl Device for CpuDevice {
    fn load(&mut self, whole: &[Parameter]) -> Result<(), DeviceError> {
        self.network.load(whole);
        Ok(())
    }

    fn store(&mut self, whole: &mut [Parameter]) -> Result<(), DeviceError> {
        self.network.store(whole);
        Ok(())
    }

    fn take_mean(&mut self, _planes: &[f32]) -> Result<(), DeviceError> {
        // Rows have lost it already.
        Ok(())
    }

    fn pin(&mut self, _slot: &mut Slot) -> Result<(), DeviceError> {
        Ok(())
    }

    fn copy_rows(&mut self, slot: &Arc<Slot>, in_use: usize) -> Result<Running<()>, DeviceError> {
        self.network.copy_rows(slot.bytes(in_use), in_use);
        Ok(Running::done(()))
    }

    fn train(&mut self, step: u64, targets: &Targets, rates: &[Rate]) -> Result<Running<Loss>, DeviceError> {
        let pass = Pass::Train {
            seed: self.seed,
            step: step as u32,
        };
        self.network.forward(pass, self.peers.columns())?;
        let loss = self.network.loss(targets);
        self.network.backward(self.peers.columns())?;
        self.update(rates)?;
        let loss = if self.peers.reports() { loss } else { Loss::default() };
        Ok(Running::done(loss))
    }

    fn evaluate(&mut self) -> Result<Running<Vec<f32>>, DeviceError> {
        self.network.forward(Pass::Evaluate, self.peers.columns())?;
        let reported = if self.peers.reports() {
            self.network.probabilities()
        } else {
            &[]
        };
        Ok(Running::done(reported.to_vec()))
    }

    fn is_asynchronous(&self) -> bool {
        false
    }

    fn waits(&self) -> Option<Arc<Stopwatch>> {
        match &self.peers {
            Peers::None => None,
            Peers::Gradients(communicator) => Some(communicator.waits()),
            Peers::Columns(columns) => Some(columns.waits()),
        }
    }

    fn time_passes(&mut self) {
        self.network.time_passes();
    }

    fn take_laps(&mut self) -> Result<Vec<Lap>, DeviceError> {
        Ok(self.network.take_laps())
    }

    fn memory(&self) -> Memory {
        self.network.memory()
    }

    fn peak(&mut self) -> Result<Peak, DeviceError> {
        let flops = peak::cpu::burst(&self.network.cpu.threads, BURST);
        Ok(Peak { flops, bytes: None })
    }

    fn inspect(&mut self) -> Result<Inside, DeviceError> {
        Ok(self.network.inside())
    }
}
