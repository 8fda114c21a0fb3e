//! Processors that run a policy, as options have them.

use clap::ValueEnum;
use tiller_policy::Provider;

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Processor {
    Cpu,
    Cuda,
}

impl From<Processor> for Provider {
    fn from(processor: Processor) -> Self {
        match processor {
            Processor::Cpu => Self::Cpu,
            Processor::Cuda => Self::Cuda,
        }
    }
}
