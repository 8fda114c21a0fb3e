//! Images agree with the world that they show.

#![allow(clippy::expect_used, reason = "a test")]

use tiller_playtable::{Block, Camera, Channels, Frame, PlayTable, RenderError, Renderer, labels};
use tiller_world::{EpisodeSpec, Studio, Variation, WorldKind};

const SIDE: usize = 256;

fn label(name: &str) -> u8 {
    labels()
        .iter()
        .find(|(_, label)| *label == name)
        .map(|(id, _)| *id)
        .expect("known label")
}

fn frame(table: &mut PlayTable, camera: Camera, channels: Channels) -> Frame {
    let mut renderer = Renderer::new(table, SIDE, SIDE).expect("EGL");
    let mut frame = Frame::default();
    renderer
        .render(table, camera, channels, &mut frame)
        .expect("rendered");
    frame
}

/// Distance of a point from the surface of a block, metres.
fn distance_to_block(point: [f64; 3], table: &PlayTable, block: Block) -> f64 {
    let state = table.objects().blocks[block.index()];
    let d = [0, 1, 2].map(|axis| point[axis] - state.position_m[axis]);
    let (sin, cos) = state.yaw_rad.sin_cos();
    let local = [cos * d[0] + sin * d[1], cos * d[1] - sin * d[0], d[2]];
    let half = block.half_size_m();
    let outside = [0, 1, 2].map(|axis| (local[axis].abs() - half[axis]).max(0.0));
    let inside = [0, 1, 2].map(|axis| half[axis] - local[axis].abs());
    let depth = inside.into_iter().fold(f64::INFINITY, f64::min).max(0.0);
    outside.iter().map(|x| x * x).sum::<f64>().sqrt().max(depth)
}

#[test]
fn depth_back_projects_onto_the_blocks() {
    let mut table = PlayTable::new().expect("scene");
    for seed in 0..3 {
        table.reset(seed, None);
        for camera in Camera::ALL {
            let frame = frame(&mut table, camera, Channels::ALL);
            let geometry = table.camera_geometry(camera, SIDE, SIDE);
            for (block, name) in Block::ALL.into_iter().zip(["red", "blue", "pink"]) {
                let id = label(&format!("{name} block"));
                let pixels: Vec<usize> = (0..SIDE * SIDE)
                    .filter(|i| frame.segmentation[*i] == id)
                    .collect();
                if camera == Camera::Static {
                    assert!(
                        pixels.len() > 40,
                        "{name}: {} pixels, seed {seed}",
                        pixels.len()
                    );
                }
                // A pixel at the outline may show what is behind.
                let near = pixels
                    .iter()
                    .filter(|i| {
                        let depth_m = f64::from(frame.depth_mm[**i]) / 1e3;
                        let point = geometry.unproject(**i % SIDE, **i / SIDE, depth_m);
                        distance_to_block(point, &table, block) < 0.01
                    })
                    .count();
                assert!(
                    near * 100 >= 95 * pixels.len(),
                    "{name} from {camera:?}: {near} of {} pixels lie on it",
                    pixels.len()
                );
            }
        }
    }
}

#[test]
fn the_static_camera_sees_every_object() {
    let mut table = PlayTable::new().expect("scene");
    for seed in 0..8 {
        table.reset(seed, None);
        let frame = frame(&mut table, Camera::Static, Channels::ALL);
        // Those after the robot's are of the hard suites; see their own test.
        let robot = label("robot");
        for (id, name) in labels().iter().filter(|(id, _)| *id <= robot) {
            let pixels = frame
                .segmentation
                .iter()
                .filter(|label| *label == id)
                .count();
            assert!(pixels >= 25, "{name}: {pixels} pixels, seed {seed}");
        }
    }
}

#[test]
fn the_red_block_is_red() {
    let mut table = PlayTable::new().expect("scene");
    table.reset(1, None);
    let frame = frame(&mut table, Camera::Static, Channels::ALL);
    let id = label("red block");
    let mut sum = [0_u64; 3];
    for (pixel, _) in frame
        .rgb
        .chunks_exact(3)
        .zip(&frame.segmentation)
        .filter(|(_, label)| **label == id)
    {
        for (sum, value) in sum.iter_mut().zip(pixel) {
            *sum += u64::from(*value);
        }
    }
    assert!(sum[0] > 4 * sum[1] && sum[0] > 4 * sum[2], "{sum:?}");
}

#[test]
fn channels_not_asked_for_are_empty() {
    let mut table = PlayTable::new().expect("scene");
    let colour = frame(&mut table, Camera::Wrist, Channels::COLOUR);
    assert!(colour.depth_mm.is_empty() && colour.segmentation.is_empty());
    assert_eq!(colour.rgb.len(), 3 * SIDE * SIDE);
}

#[test]
fn too_large_images_are_refused() {
    let table = PlayTable::new().expect("scene");
    let error = Renderer::new(&table, 2048, 64).err().expect("refused");
    assert!(
        matches!(error, RenderError::Size { width: 2048, .. }),
        "{error}"
    );
}

/// EGL's vendor list is read once a process: this test runs itself again without any vendor.
#[test]
fn renderers_come_and_go_on_several_threads() {
    let first = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut table = PlayTable::new().expect("scene");
                    table.reset(7, None);
                    let frames: Vec<Frame> = (0..6)
                        .map(|_| frame(&mut table, Camera::Static, Channels::COLOUR))
                        .collect();
                    assert!(frames.windows(2).all(|pair| pair[0].rgb == pair[1].rgb));
                    frames[0].rgb.clone()
                })
            })
            .collect();
        let pictures: Vec<_> = threads
            .into_iter()
            .map(|thread| thread.join().expect("joined"))
            .collect();
        assert!(pictures.windows(2).all(|pair| pair[0] == pair[1]));
        pictures[0].clone()
    });
    assert!(first.iter().any(|value| *value > 0));
}

#[test]
fn without_egl_the_error_names_the_packages() {
    const CHILD: &str = "TILLER_TEST_WITHOUT_EGL";
    if std::env::var_os(CHILD).is_some() {
        let table = PlayTable::new().expect("physics needs no EGL");
        let error = Renderer::new(&table, 64, 64).err().expect("no device");
        assert!(
            error
                .to_string()
                .contains("libegl1 libegl-mesa0 libgl1-mesa-dri"),
            "{error}"
        );
        return;
    }
    let status = std::process::Command::new(std::env::current_exe().expect("own path"))
        .args(["--exact", "without_egl_the_error_names_the_packages"])
        .env(CHILD, "1")
        .env("__EGL_VENDOR_LIBRARY_FILENAMES", "/dev/null")
        .env("__EGL_VENDOR_LIBRARY_DIRS", "/nonexistent")
        .stdout(std::process::Stdio::null())
        .status()
        .expect("started");
    assert!(status.success());
}

#[test]
fn a_shot_shows_the_moment_in_which_it_was_taken_on_whatever_thread_it_is_drawn() {
    let mut world = tiller_playtable::kind().make().expect("scene");
    let button = EpisodeSpec {
        tasks: vec!["button_press".to_owned()],
        seed: 11,
        ..EpisodeSpec::default()
    };
    // The plain table, one whose looks are varied, and one with more things on it.
    let varied = EpisodeSpec {
        variation: Some(Variation {
            axis: "object".to_owned(),
            strength: 3,
        }),
        ..button.clone()
    };
    let hard = EpisodeSpec {
        tasks: vec![first_hard_task()],
        ..button.clone()
    };
    let size = [64, 48];
    let mut shots = Vec::new();
    let mut expected = Vec::new();
    let mut used = None;
    for spec in [&button, &varied, &hard, &button] {
        world.reset(spec).expect("an episode");
        for camera in ["static", "wrist"] {
            let mut frame = Frame::default();
            world
                .look(camera, size, Channels::ALL, &mut frame)
                .expect("a look");
            let shot = world
                .shoot(camera, size, Channels::ALL, used.take())
                .expect("it can")
                .expect("a shot");
            shots.push(shot);
            expected.push(frame);
            for _ in 0..20 {
                world.step().expect("a step");
            }
        }
    }
    let drawing = std::thread::spawn(move || {
        let mut studio = Studio::default();
        let drawn = shots.iter_mut().map(|shot| {
            let mut frame = Frame::default();
            shot.draw(&mut studio, &mut frame).expect("drawn");
            frame
        });
        let frames: Vec<Frame> = drawn.collect();
        (frames, shots)
    });
    let (frames, shots) = drawing.join().expect("joined");
    assert!(frames == expected);
    assert_ne!(frames[0].rgb, frames[2].rgb, "looks differ");

    // What was used is used again, even where another table comes.
    used = shots.into_iter().next_back();
    world.reset(&hard).expect("an episode");
    let again = world.shoot("wrist", size, Channels::ALL, used);
    let mut frame = Frame::default();
    let mut studio = Studio::default();
    let mut again = again.expect("it can").expect("a shot");
    again.draw(&mut studio, &mut frame).expect("drawn");
    world.reset(&hard).expect("an episode");
    let mut looked = Frame::default();
    world
        .look("wrist", size, Channels::ALL, &mut looked)
        .expect("a look");
    assert!(frame == looked);
}

fn first_hard_task() -> String {
    let suites = tiller_playtable::kind().info().suites();
    let suite = suites.into_iter().find(|suite| suite.name == "twins");
    suite.expect("a hard suite").tasks.swap_remove(0)
}
