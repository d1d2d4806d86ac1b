//! Calls of the driver that failed, and what to do about it.

use std::ffi::CStr;
use std::fmt;

use cudarc::driver::DriverError;
use cudarc::driver::sys::CUresult;

/// A call of the driver that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CudaError {
    /// `cuda:0`, `cuda:1`, …
    gpu: String,
    /// What was being done, such as "copying rows to the GPU".
    doing: String,
    /// `CUDA_ERROR_OUT_OF_MEMORY`, …
    name: String,
    /// What the driver says that it means.
    text: String,
    kind: Kind,
}

/// Errors that are told apart, because something can be done about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    OutOfMemory,
    /// A kernel went wrong, some time before it was noticed.
    Kernel,
    /// The kernel that is named went wrong.
    NamedKernel,
    /// The host is short of memory that can be pinned.
    HostMemory,
    /// The driver is older than the kernels.
    TooOld,
    Other,
}

impl CudaError {
    pub(super) fn new(gpu: &str, doing: impl Into<String>, error: DriverError) -> Self {
        let (name, text) = described(error);
        Self {
            gpu: gpu.to_string(),
            doing: doing.into(),
            name,
            text,
            kind: Kind::of(error.0),
        }
    }

    /// The error of a launch. If each kernel is waited for, it is this kernel's; else it may be that of an earlier one.
    pub(super) fn of_launch(gpu: &str, kernel: &str, is_blocking: bool, error: DriverError) -> Self {
        match Kind::of(error.0) {
            Kind::Kernel if !is_blocking => Self::new(gpu, "work on the GPU", error),
            Kind::Kernel => Self {
                kind: Kind::NamedKernel,
                ..Self::new(gpu, format!("the kernel {kernel}"), error)
            },
            _ => Self::new(gpu, format!("the kernel {kernel}"), error),
        }
    }

    /// The error of using memory of the host.
    pub(super) fn of_host(gpu: &str, doing: &str, error: DriverError) -> Self {
        let found = Self::new(gpu, doing, error);
        match found.kind {
            Kind::OutOfMemory => Self {
                kind: Kind::HostMemory,
                ..found
            },
            _ => found,
        }
    }
}

/// The name of an error, and what the driver says that it means.
pub(super) fn described(error: DriverError) -> (String, String) {
    let text = |text: Result<&CStr, DriverError>| {
        text.map_or_else(
            |_| format!("error {}", error.0 as u32),
            |text| text.to_string_lossy().into_owned(),
        )
    };
    (text(error.error_name()), text(error.error_string()))
}

impl Kind {
    fn of(code: CUresult) -> Self {
        match code {
            CUresult::CUDA_ERROR_OUT_OF_MEMORY => Self::OutOfMemory,
            CUresult::CUDA_ERROR_ILLEGAL_ADDRESS
            | CUresult::CUDA_ERROR_MISALIGNED_ADDRESS
            | CUresult::CUDA_ERROR_INVALID_ADDRESS_SPACE
            | CUresult::CUDA_ERROR_INVALID_PC
            | CUresult::CUDA_ERROR_ILLEGAL_INSTRUCTION
            | CUresult::CUDA_ERROR_HARDWARE_STACK_ERROR
            | CUresult::CUDA_ERROR_LAUNCH_FAILED
            | CUresult::CUDA_ERROR_LAUNCH_TIMEOUT => Self::Kernel,
            CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION | CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU => Self::TooOld,
            _ => Self::Other,
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::OutOfMemory => "; lower staging.batch, or end what else uses the GPU (nvidia-smi lists it)",
            Self::NamedKernel => "",
            Self::HostMemory => "; the host has no more memory that can be pinned (see `ulimit -l`)",
            Self::Kernel => "; with --set compute.blocking=true, the message names the kernel",
            Self::TooOld => "; install a newer driver",
            Self::Other => "; nvidia-smi and the system's log may say more",
        }
    }
}

impl fmt::Display for CudaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            gpu,
            doing,
            name,
            text,
            kind,
        } = self;
        write!(f, "{gpu}: {doing} failed: {text} ({name}){}", kind.remedy())
    }
}

impl std::error::Error for CudaError {}
