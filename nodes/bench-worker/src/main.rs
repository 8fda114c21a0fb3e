//! Runs episodes of a benchmark, one after the other, as a scheduler says.

mod node;

use std::process::ExitCode;

use tiller_node_kit::run_node;

fn main() -> ExitCode {
    run_node(node::ESSENTIAL, node::run)
}
