//! Serves a robot that is not there until it is interrupted, and tells what happens to it.

#![allow(clippy::print_stdout, reason = "it is what this example is for")]

use std::time::Duration;

use tiller_fci_emulator::{Clock, Config, Emulator, FciVersion};

const USAGE: &str =
    "serve [--robot-port N] [--gripper-port N] [--panda] [--lockstep] [--object-m WIDTH]";

fn config() -> Result<Config, String> {
    let mut config = Config {
        robot_port: 1337,
        gripper_port: 1338,
        ..Config::default()
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} wants a value"));
        let wrong = |error: &dyn std::fmt::Display| format!("{argument}: {error}");
        match argument.as_str() {
            "--robot-port" => {
                config.robot_port = value()?.parse().map_err(|error| wrong(&error))?
            }
            "--gripper-port" => {
                config.gripper_port = value()?.parse().map_err(|error| wrong(&error))?;
            }
            "--object-m" => config.object_m = value()?.parse().map_err(|error| wrong(&error))?,
            "--panda" => config.version = FciVersion::V5,
            "--lockstep" => config.clock = Clock::Lockstep,
            _ => return Err(format!("expected {USAGE}, found {argument}")),
        }
    }
    Ok(config)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::start(&config()?)?;
    println!(
        "robot at {}, gripper at {}",
        emulator.address(),
        emulator.gripper_address()
    );
    let mut told = 0;
    loop {
        let log = emulator.log();
        for entry in &log[told..] {
            println!("{:>8} ms  {:?}", entry.cycle, entry.event);
        }
        if log.len() > told {
            println!("{:?}", emulator.counters());
        }
        told = log.len();
        std::thread::sleep(Duration::from_millis(200));
    }
}
