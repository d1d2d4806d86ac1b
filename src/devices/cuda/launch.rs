//! Kernels, and launches of them.

use std::ffi::c_void;
use std::sync::Arc;

use bytemuck::Pod;
use cudarc::driver::CudaFunction;

use super::layout::Address;

/// A kernel that is loaded.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Its name in the PTX.
    pub(super) name: &'static str,
    pub(super) function: Arc<CudaFunction>,
}

/// A kernel with everything that it is launched with. The same one may be launched any number of times: what changes from
/// step to step is read from the GPU's memory.
#[derive(Clone, Debug)]
pub struct Launch {
    pub(super) kernel: Kernel,
    pub(super) grid: [u32; 3],
    pub(super) block: [u32; 3],
    pub(super) shared: u32,
    pub(super) arguments: Arguments,
}

impl Launch {
    /// A launch of `grid` blocks of `block` threads.
    pub fn new(kernel: Kernel, grid: [usize; 3], block: [usize; 3], arguments: Arguments) -> Self {
        Self {
            kernel,
            grid: grid.map(|side| side as u32),
            block: block.map(|side| side as u32),
            shared: 0,
            arguments,
        }
    }

    /// With `bytes` of dynamic shared memory.
    #[must_use]
    pub fn shared(mut self, bytes: usize) -> Self {
        self.shared = bytes as u32;
        self
    }

    /// The kernel's name.
    pub fn name(&self) -> &'static str {
        self.kernel.name
    }
}

/// The arguments of a kernel, in its order.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    words: Vec<u64>,
    /// The word at which each argument begins.
    starts: Vec<usize>,
}

impl Arguments {
    /// Adds the address of an array; `None` is null.
    #[must_use]
    pub fn array(self, address: impl Into<Option<Address>>) -> Self {
        self.value(address.into().map_or(0, |address| address.0))
    }

    /// Adds a number or a structure. It must be what the kernel takes, to the byte.
    #[must_use]
    pub fn value<T: Pod>(mut self, value: T) -> Self {
        self.starts.push(self.words.len());
        for part in bytemuck::bytes_of(&value).chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.words.push(u64::from_ne_bytes(word));
        }
        self
    }

    /// Where each argument is, for the driver, which copies them before a launch returns.
    pub(super) fn pointers(&self) -> Vec<*mut c_void> {
        let pointer = |start: &usize| (&raw const self.words[*start]).cast_mut().cast();
        self.starts.iter().map(pointer).collect()
    }
}
