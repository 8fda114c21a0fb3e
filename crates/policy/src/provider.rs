//! Which processor runs the graphs: the one that was asked for, or none.

use std::fmt;
use std::path::Path;

use ort::memory::Allocator;
use ort::session::Session;
use ort::session::builder::SessionBuilder;

use crate::error::PolicyError;

/// Processor on which ONNX Runtime runs a policy's graphs, its "execution provider".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Provider {
    /// The CPU, in 32-bit floats.
    #[default]
    Cpu,
    /// The first NVIDIA GPU that CUDA shows (`CUDA_VISIBLE_DEVICES` chooses), in 32-bit floats without
    /// TensorFloat-32. Needs the Cargo feature `cuda` and an ONNX Runtime built for CUDA.
    Cuda,
}

impl Provider {
    /// The word that settings and options have for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }

    /// Whether this program can use it at all; asked before ONNX Runtime is looked for.
    pub(crate) fn check_built(self) -> Result<(), PolicyError> {
        if self == Self::Cpu || cfg!(feature = "cuda") {
            return Ok(());
        }
        Err(self.unusable(
            "this program was built without it",
            "build it with `--features cuda`",
        ))
    }

    /// Whether the ONNX Runtime that was loaded from `library` has it.
    pub(crate) fn check_library(self, library: &Path) -> Result<(), PolicyError> {
        match self {
            Self::Cpu => Ok(()),
            Self::Cuda => cuda::check_library(library),
        }
    }

    /// Has a session's graph run here. That it cannot is an error: nothing falls back silently.
    pub(crate) fn register(self, builder: SessionBuilder) -> Result<SessionBuilder, PolicyError> {
        match self {
            Self::Cpu => Ok(builder),
            Self::Cuda => cuda::register(builder),
        }
    }

    /// Memory that the CPU writes and the provider reads without another copy. A session that has no
    /// such provider after all has no such memory either, and is refused here.
    pub(crate) fn allocator(self, session: &Session) -> Result<Allocator, PolicyError> {
        match self {
            Self::Cpu => Ok(Allocator::default()),
            Self::Cuda => cuda::allocator(session),
        }
    }

    pub(crate) fn unusable(
        self,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) -> PolicyError {
        PolicyError::Provider {
            provider: self,
            // ONNX Runtime ends its messages with a new line.
            reason: reason.into().trim_end().to_owned(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(feature = "cuda")]
mod cuda {
    use std::path::Path;

    use ort::ep::{CUDA, ExecutionProvider};
    use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
    use ort::session::Session;
    use ort::session::builder::SessionBuilder;

    use super::Provider;
    use crate::error::PolicyError;

    /// A runtime with CUDA in it that still does not start.
    const DRIVER: &str = "see that `nvidia-smi` lists a GPU and that CUDA and cuDNN can be found";

    pub(super) fn check_library(library: &Path) -> Result<(), PolicyError> {
        let unusable = |reason| {
            let remedy = "name the libonnxruntime of the package onnxruntime-gpu in ORT_DYLIB_PATH";
            Provider::Cuda.unusable(reason, remedy)
        };
        let library = library.display();
        match CUDA::is_available() {
            Ok(true) => Ok(()),
            Ok(false) => Err(unusable(format!(
                "ONNX Runtime at `{library}` was built without it"
            ))),
            Err(error) => Err(unusable(format!("ONNX Runtime at `{library}`: {error}"))),
        }
    }

    pub(super) fn register(builder: SessionBuilder) -> Result<SessionBuilder, PolicyError> {
        // The CPU's numbers are to be met to 1e-4, which TensorFloat-32 does not.
        let provider = CUDA::default().with_tf32(false).build().error_on_failure();
        builder
            .with_execution_providers([provider])
            .map_err(|error| Provider::Cuda.unusable(error.to_string(), DRIVER))
    }

    pub(super) fn allocator(session: &Session) -> Result<Allocator, PolicyError> {
        MemoryInfo::new(
            AllocationDevice::CUDA_PINNED,
            0,
            AllocatorType::Device,
            MemoryType::CPUInput,
        )
        .and_then(|memory| Allocator::new(session, memory))
        .map_err(|error| Provider::Cuda.unusable(error.to_string(), DRIVER))
    }
}

/// What stands for CUDA in a program without it; [`Provider::check_built`] keeps all callers away.
#[cfg(not(feature = "cuda"))]
mod cuda {
    use std::path::Path;

    use ort::memory::Allocator;
    use ort::session::Session;
    use ort::session::builder::SessionBuilder;

    use super::Provider;
    use crate::error::PolicyError;

    pub(super) fn check_library(_: &Path) -> Result<(), PolicyError> {
        Provider::Cuda.check_built()
    }

    pub(super) fn register(builder: SessionBuilder) -> Result<SessionBuilder, PolicyError> {
        Provider::Cuda.check_built().map(|()| builder)
    }

    pub(super) fn allocator(_: &Session) -> Result<Allocator, PolicyError> {
        Provider::Cuda.check_built().map(|()| Allocator::default())
    }
}
