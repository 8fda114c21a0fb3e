//! `speed [EPISODES]`: what a reset, a step of 20 ms and a picture cost, ms: the least and the mean of all episodes.

#![allow(clippy::print_stdout, reason = "what was measured is its output")]

use std::error::Error;
use std::time::Instant;

use tiller_calvin::installed;
use tiller_world::{Channels, EpisodeSpec, Frame, WorldKind};

/// Steps of an episode.
const STEPS: u32 = 600;

fn main() -> Result<(), Box<dyn Error>> {
    let episodes: u64 = std::env::args().nth(1).map_or(Ok(5), |text| text.parse())?;
    let kind = installed().map_err(|absent| absent.reason)?;
    let mut spent: Vec<(String, Vec<f64>)> = Vec::new();
    let mut note = |what: &str, since: Instant, times: u32| {
        let ms = since.elapsed().as_secs_f64() * 1e3 / f64::from(times);
        match spent.iter_mut().find(|(known, _)| known == what) {
            Some((_, all)) => all.push(ms),
            None => spent.push((what.to_owned(), vec![ms])),
        }
    };
    let since = Instant::now();
    let mut world = kind.make()?;
    note("start", since, 1);
    let mut frame = Frame::default();
    for seed in 0..episodes {
        let since = Instant::now();
        world.reset(&EpisodeSpec {
            tasks: vec!["open_drawer".to_owned()],
            seed,
            ..EpisodeSpec::default()
        })?;
        note("reset", since, 1);
        let since = Instant::now();
        for _ in 0..STEPS {
            world.step()?;
        }
        note("step", since, STEPS);
        for camera in &kind.info().cameras {
            for (name, channels) in [("colour", Channels::COLOUR), ("all", Channels::ALL)] {
                let since = Instant::now();
                world.look(camera.name, camera.size, channels, &mut frame)?;
                note(&format!("{}, {name}", camera.name), since, 1);
            }
        }
    }
    for (what, all) in spent {
        let least = all.iter().copied().fold(f64::INFINITY, f64::min);
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        println!("{what:<16} {least:8.2} {mean:8.2}");
    }
    Ok(())
}
