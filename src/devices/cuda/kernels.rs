//! The kernels, as the PTX that `scripts/kernels` has made of `kernels/*.cu`. It is a part of this program.

use std::sync::Arc;

use cudarc::driver::CudaModule;
use cudarc::nvrtc::Ptx;

use super::error::CudaError;
use super::gpu::Gpu;
use super::launch::Kernel;

/// A file's PTX, by the file's stem. A kernel's name begins with the stem of its file.
const FILES: [(&str, &str); 11] = [
    ("bias", include_str!("../../../kernels/ptx/bias.ptx")),
    ("conv", include_str!("../../../kernels/ptx/conv.ptx")),
    ("dropout", include_str!("../../../kernels/ptx/dropout.ptx")),
    ("input", include_str!("../../../kernels/ptx/input.ptx")),
    ("lrn", include_str!("../../../kernels/ptx/lrn.ptx")),
    ("peak", include_str!("../../../kernels/ptx/peak.ptx")),
    ("pool", include_str!("../../../kernels/ptx/pool.ptx")),
    ("relu", include_str!("../../../kernels/ptx/relu.ptx")),
    ("sgd", include_str!("../../../kernels/ptx/sgd.ptx")),
    ("softmax", include_str!("../../../kernels/ptx/softmax.ptx")),
    ("tanh", include_str!("../../../kernels/ptx/tanh.ptx")),
];

/// The kernels of a GPU. A file is loaded when its first kernel is asked for: the driver compiles it then, for this GPU.
#[derive(Debug)]
pub struct Kernels {
    gpu: Gpu,
    modules: [Option<Arc<CudaModule>>; FILES.len()],
}

impl Kernels {
    /// None of them is loaded yet.
    pub fn new(gpu: &Gpu) -> Self {
        Self {
            gpu: gpu.clone(),
            modules: Default::default(),
        }
    }

    /// The kernel called `name`.
    pub fn get(&mut self, name: &'static str) -> Result<Kernel, CudaError> {
        let stem = name.split('_').next().unwrap_or(name);
        let file = FILES.iter().position(|(file, _)| *file == stem);
        let Some(file) = file else {
            unreachable!("{name} is a kernel of no file")
        };
        let failed = |error| CudaError::new(self.gpu.name(), format!("loading kernels/{stem}.cu"), error);
        let module = if let Some(module) = &self.modules[file] {
            Arc::clone(module)
        } else {
            let ptx = Ptx::from_src(FILES[file].1);
            self.gpu.context.load_module(ptx).map_err(failed)?
        };
        let function = module.load_function(name).map_err(failed)?;
        self.modules[file] = Some(module);
        Ok(Kernel {
            name,
            function: Arc::new(function),
        })
    }
}
