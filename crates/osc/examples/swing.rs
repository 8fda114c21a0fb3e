//! How closely a controller follows: `cargo run --release -p tiller-osc --example swing -- ADDRESS`. The
//! arm's first joint swings by 0.3 rad in 1.5 s, and back. Without an address an emulated one does.

#![allow(clippy::print_stdout, reason = "it measures")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::error::Error;

use tiller_osc::emulator::{Config, Emulator};
use tiller_osc::{OscArm, OscConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::start(&Config::default())?;
    let address = std::env::args().nth(1).unwrap_or(emulator.address());
    let mut arm = OscArm::connect(&OscConfig::at(&address))?;
    println!("{:?}", arm.controller());
    let followed = common::swing(&mut arm)?;
    println!(
        "{} states: largest {:.1} mm and {:.4} rad, rms {:.1} mm, at rest {:.2} mm",
        followed.states,
        1e3 * followed.largest_m,
        followed.largest_rad,
        1e3 * followed.rms_m,
        1e3 * followed.left_m
    );
    let (steps, clamped) = arm.steps();
    println!("{steps} steps, {clamped} of them shortened to the controller's largest");
    Ok(())
}
