//! Times the two looks of a pack's cameras and leaves their pictures.

#![allow(clippy::print_stdout, reason = "what was measured is its output")]

use std::path::Path;
use std::time::Instant;

use tiller_libero::{Look, Native, Pack, Renderer};
use tiller_world::{Channels, Frame};

const SIDE: usize = 256;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(pack), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("expected the folder of a pack and one for pictures".into());
    };
    let mut native = Native::new(Pack::load(Path::new(&pack))?)?;
    native.reset(0)?;
    native.settle(10)?;
    for look in [Look::Official, Look::Plain] {
        let mut renderer = Renderer::new(&native, SIDE, SIDE, look)?;
        let mut frame = Frame::default();
        for camera in 0..2 {
            for (name, channels) in [("colour", Channels::COLOUR), ("all", Channels::ALL)] {
                let mut best = f64::MAX;
                for _ in 0..8 {
                    let start = Instant::now();
                    renderer.render(&mut native, camera, channels, &mut frame)?;
                    best = best.min(start.elapsed().as_secs_f64());
                }
                println!("{look:?}, camera {camera}, {name}: {:.1} ms", best * 1e3);
            }
            let mut picture = format!("P6 {SIDE} {SIDE} 255\n").into_bytes();
            picture.extend_from_slice(&frame.rgb);
            std::fs::write(format!("{out}/{look:?}_{camera}.ppm"), picture)?;
        }
    }
    Ok(())
}
