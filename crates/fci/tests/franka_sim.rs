//! The driver against `franka-sim`, somebody else's robot that is not there, with reflexes of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

mod common;

use common::Rig;
use tiller_fci::FciConfig;

#[test]
#[ignore = "wants a franka-sim with its limits enforced, at FRANKA_SIM_ADDRESS"]
fn ten_seconds_of_chunks_are_accepted() {
    let address = std::env::var("FRANKA_SIM_ADDRESS").expect("an address");
    let mut rig = Rig::new(&FciConfig {
        hand: None,
        ..FciConfig::at(&address)
    });
    rig.wander(10_000).unwrap();
}
