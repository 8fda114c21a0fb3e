//! What the page costs the control loop while two look.

use std::net::TcpStream;
use std::path::Path;
use std::thread::{self, JoinHandle};

use serde_json::Value;
use tungstenite::{Message, WebSocket};

use crate::operator::{address, live};

/// Demos of each kind.
const DEMOS: u32 = 6;

/// Somebody who looks until the run ends: takes everything as fast as a browser can, and says so. Gives how many pictures
/// and how many bytes came.
fn look(folder: &Path) -> (u64, u64) {
    let mut socket: WebSocket<TcpStream> = live(&address(folder));
    let (mut pictures, mut bytes) = (0, 0);
    while let Ok(message) = socket.read() {
        bytes += message.len() as u64;
        if let Message::Binary(_) = message {
            pictures += 1;
            if socket.send(Message::text("drawn")).is_err() {
                break;
            }
        }
    }
    (pictures, bytes)
}

/// A demo; gives the control period's percentiles and what those who looked got.
fn demo(seed: u32, lookers: usize) -> (Value, Vec<(u64, u64)>) {
    let seed = seed.to_string();
    let settings = [
        ("TILLER_INSTRUCTION", "open the drawer"),
        ("TILLER_SEED", seed.as_str()),
        ("TILLER_CONSOLE_ADDRESS", "127.0.0.1:0"),
    ];
    let running = crate::start_dataflow(&settings, 300);
    let folder = running.folder.path().to_owned();
    let looking: Vec<JoinHandle<_>> = (0..lookers)
        .map(|_| {
            let folder = folder.clone();
            thread::spawn(move || look(&folder))
        })
        .collect();
    let run = running.end();
    let period = run.summary()["control"]["period"].clone();
    let got = looking.into_iter().map(|one| one.join().unwrap());
    (period, got.collect())
}

#[test]
#[ignore = "twelve demos, five minutes: by hand (nodes/console/README.md)"]
fn two_who_look_do_not_hold_the_control_loop_up() {
    let load = || std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut p99s = [Vec::new(), Vec::new()];
    for seed in 0..DEMOS {
        for (lookers, p99s) in [0, 2].into_iter().zip(&mut p99s) {
            let (period, got) = demo(seed, lookers);
            eprintln!(
                "seed {seed}, {lookers} look: {period}, got {got:?}, load {}",
                load().trim()
            );
            assert!(got.iter().all(|(pictures, _)| *pictures > 0), "{got:?}");
            p99s.push(period["p99_ms"].as_f64().unwrap());
        }
    }
    let medians = p99s.map(|mut p99s| {
        p99s.sort_by(f64::total_cmp);
        (p99s[2] + p99s[3]) / 2.0
    });
    eprintln!(
        "p99 of the control period, median of {DEMOS}: closed {:.2} ms, open {:.2} ms",
        medians[0], medians[1]
    );
}
