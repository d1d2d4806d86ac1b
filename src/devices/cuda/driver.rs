//! NVIDIA's driver on this machine, and the GPUs that it knows.
//!
//! cudarc loads the driver when its first function is called, and panics where it is missing. So everything begins here:
//! [`gpus`] looks whether there is a driver, and whether it is new enough to have each function that is called later.

use std::sync::OnceLock;

use cudarc::driver::sys::{self, CUdevice_attribute, CUresult};
use cudarc::driver::{DriverError, result};

use super::error::described;
use crate::memory::Bytes;

/// The oldest version of CUDA whose drivers take the kernels: they are PTX 8.4.
const OLDEST: Version = Version(12, 4);

/// The lowest compute capability for which the kernels are made.
const LOWEST: Version = Version(7, 0);

/// A version of CUDA, or a compute capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Why no GPU can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDriver {
    /// There is no driver.
    #[error("no NVIDIA driver was found (libcuda.so.1)")]
    Missing,
    /// There is a driver, and no GPU, or none that may be used (`CUDA_VISIBLE_DEVICES`).
    #[error("this machine has no NVIDIA GPU that may be used")]
    NoDevice,
    /// The driver does not know the kernels' PTX.
    #[error("the NVIDIA driver is for CUDA {found}, but {OLDEST} or newer is needed: install a newer driver")]
    TooOld {
        /// Its version.
        found: Version,
    },
    /// The driver could not start.
    #[error("the NVIDIA driver does not work: {text} ({name}); nvidia-smi may say more")]
    Broken {
        /// `CUDA_ERROR_NO_DEVICE`, …
        name: String,
        /// What the driver says that it means.
        text: String,
    },
}

/// A GPU of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its number, from 0: it is called `cuda:0`, `cuda:1`, …
    pub number: usize,
    /// The model's name.
    pub name: String,
    /// All of its memory.
    pub memory: Bytes,
    /// Its compute capability.
    pub capability: Version,
    /// Why the driver does not say what it is.
    pub unknown: Option<String>,
}

impl Found {
    /// Why it cannot be used.
    pub fn refusal(&self) -> Option<String> {
        let too_old = || {
            let Self { name, capability, .. } = self;
            format!("{name} has compute capability {capability}, but {LOWEST} or higher is needed")
        };
        self.unknown
            .clone()
            .or_else(|| (self.capability < LOWEST).then(too_old))
    }
}

/// The version of CUDA that the driver is for.
pub fn version() -> Result<Version, NoDriver> {
    static VERSION: OnceLock<Result<Version, NoDriver>> = OnceLock::new();
    VERSION.get_or_init(start).clone()
}

/// The GPUs of this machine.
pub fn gpus() -> Result<Vec<Found>, NoDriver> {
    version()?;
    let count = result::device::get_count().map_err(broken)?;
    let found = (0..count as usize).map(|number| look(number).unwrap_or_else(|error| unknown(number, error)));
    Ok(found.collect())
}

fn start() -> Result<Version, NoDriver> {
    // SAFETY: loading the driver runs its initializers, which NVIDIA makes for that.
    if !unsafe { sys::is_culib_present() } {
        return Err(NoDriver::Missing);
    }
    let mut version = 0;
    // SAFETY: it writes one integer. Every driver has this function, and it needs no initialization.
    unsafe { sys::cuDriverGetVersion(&raw mut version) }
        .result()
        .map_err(broken)?;
    let found = Version(version as u32 / 1000, version as u32 % 1000 / 10);
    if found < OLDEST {
        return Err(NoDriver::TooOld { found });
    }
    result::init().map_err(broken)?;
    Ok(found)
}

fn look(number: usize) -> Result<Found, DriverError> {
    let device = result::device::get(number as i32)?;
    let attribute = |which| {
        // SAFETY: the device is one that the driver has just returned.
        unsafe { result::device::get_attribute(device, which) }
    };
    let capability = Version(
        attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)? as u32,
        attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)? as u32,
    );
    Ok(Found {
        number,
        name: result::device::get_name(device)?,
        // SAFETY: as above.
        memory: Bytes::new(unsafe { result::device::total_mem(device) }? as u64),
        capability,
        unknown: None,
    })
}

/// A GPU that does not answer. Others may.
fn unknown(number: usize, error: DriverError) -> Found {
    let (name, text) = described(error);
    Found {
        number,
        name: "unknown".to_string(),
        memory: Bytes::default(),
        capability: Version(0, 0),
        unknown: Some(format!("the driver says nothing about it: {text} ({name})")),
    }
}

fn broken(error: DriverError) -> NoDriver {
    match error.0 {
        CUresult::CUDA_ERROR_NO_DEVICE => return NoDriver::NoDevice,
        // A library to link with, which a toolkit brings.
        CUresult::CUDA_ERROR_STUB_LIBRARY => return NoDriver::Missing,
        _ => {}
    }
    let (name, text) = described(error);
    NoDriver::Broken { name, text }
}
