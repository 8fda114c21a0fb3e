//! What a whole chunk of the shipped policies costs on one thread, and steering's share of it.
//!
//! `cargo bench -p tiller-closed-loop` prints a table in which steered and unsteered chunks take turns
//! with the same particles; the fastest turn of each part counts. Criterion's own figures follow.

#![allow(clippy::print_stdout, reason = "the table is the result")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::Criterion;
use tiller_closed_loop::{Plan, PlanError, PlanRequest, Planner, PlannerConfig};
use tiller_playtable_author::EmbeddedAuthor;
use tiller_policy::{Bundle, ImageView, Observation, Policy, PolicyError, RuntimeOptions};
use tiller_reward::{CompileOptions, Program, compile};
use tiller_steering::Denoiser;
use tiller_vlm::{Author, AuthorRequest, SceneKeypoint};

const POLICIES: [&str; 2] = ["flow", "diffusion"];
const INSTRUCTION: &str = "push the red block";
/// The stage of that program in which the block is pushed.
const STAGE: u32 = 3;
const KEYPOINTS: [(&str, [f64; 3]); 4] = [
    ("drawer handle", [0.594, -0.300, 0.058]),
    ("red block", [0.465, 0.020, 0.032]),
    ("blue block", [0.465, 0.140, 0.032]),
    ("pink block", [0.465, 0.260, 0.032]),
];
const ANCHOR_M: [f64; 3] = [0.43, 0.02, 0.04];
const PARTICLES: usize = 20;
const TURNS: u64 = 40;
const SIDE: usize = 256;

/// A policy that is about to push.
struct Setup {
    policy: Policy,
    planner: Planner,
    program: Arc<Program>,
    positions: Vec<[f64; 3]>,
    picture: Vec<u8>,
}

impl Setup {
    fn new(name: &str) -> Result<Self, Box<dyn Error>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/policies");
        let bundle = Bundle::load(&folder.join(name))?;
        let policy = Policy::open(&bundle, &RuntimeOptions::default())?;
        let mut config = PlannerConfig::default();
        config.steering.particles = PARTICLES;
        config.steering.unsteered_particles = PARTICLES;
        policy.configure(&mut config.steering);
        let planner = Planner::new(config, policy.action_space(), policy.horizon())?;
        let keypoints = KEYPOINTS.iter().enumerate();
        let request = AuthorRequest {
            hand: tiller_reward::HandAccess::POSITIONS,
            instruction: INSTRUCTION.to_owned(),
            keypoints: keypoints
                .map(|(index, (name, position_m))| SceneKeypoint {
                    index,
                    name: (*name).to_owned(),
                    position_m: *position_m,
                })
                .collect(),
        };
        let text = EmbeddedAuthor.author(&request)?.text;
        let options = CompileOptions::new(KEYPOINTS.len(), planner.points());
        let program = compile(&text, &options).map_err(|errors| errors.render(&text))?;
        let positions: Vec<_> = KEYPOINTS.iter().map(|(_, position)| *position).collect();
        Ok(Self {
            policy,
            planner,
            program: Arc::new(program),
            positions,
            picture: (0..3 * SIDE * SIDE).map(|i| (i % 251) as u8).collect(),
        })
    }

    fn encode(&mut self) -> Result<Duration, PolicyError> {
        let start = Instant::now();
        let image = |name| ImageView {
            name,
            width: SIDE,
            height: SIDE,
            rgb: &self.picture,
        };
        self.policy.encode(&Observation {
            images: &[image("static"), image("wrist")],
            state: &[0.43, 0.02, 0.04, 0.0],
            environment: &[],
            instruction: "",
        })?;
        Ok(start.elapsed())
    }

    fn plan(&mut self, guidance: bool, chunk_index: u64) -> Result<Plan, PlanError> {
        let program = guidance.then(|| Arc::clone(&self.program));
        let request = PlanRequest {
            seed: 1,
            chunk_index,
            ..PlanRequest::outside_of_runs(program, STAGE, &self.positions, ANCHOR_M, ANCHOR_M)
        };
        self.planner.plan(&mut self.policy, &request)
    }
}

/// Fastest turns of one kind of chunk.
#[derive(Clone, Copy)]
struct Fastest {
    total: Duration,
    denoiser: Duration,
    reward: Duration,
    /// All but denoiser and reward.
    rest: Duration,
}

impl Fastest {
    const NEVER: Self = Self {
        total: Duration::MAX,
        denoiser: Duration::MAX,
        reward: Duration::MAX,
        rest: Duration::MAX,
    };

    fn take(&mut self, plan: &Plan) {
        let timings = plan.timings;
        let rest = timings.total - timings.denoiser - timings.reward;
        self.total = self.total.min(timings.total);
        self.denoiser = self.denoiser.min(timings.denoiser);
        self.reward = self.reward.min(timings.reward);
        self.rest = self.rest.min(rest);
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn print_row(name: &str, setup: &mut Setup) -> Result<(), Box<dyn Error>> {
    let (mut steered, mut alone) = (Fastest::NEVER, Fastest::NEVER);
    let mut encode = Duration::MAX;
    for turn in 0..TURNS {
        encode = encode.min(setup.encode()?);
        steered.take(&setup.plan(true, turn)?);
        alone.take(&setup.plan(false, turn)?);
    }
    // Inside one run the denoiser's time is known, so its ups and downs do not hide the difference.
    let added = ms(steered.rest + steered.reward) - ms(alone.rest);
    let chunk = ms(encode) + ms(alone.denoiser) + ms(alone.rest);
    println!(
        "{name:>10} | {:>8.3} {:>8.3} {:>8.3} {:>8.3} {:>9.3} | {:>8.3} | {:>8.3} {:>8.2} % {:>8.2} %",
        ms(encode),
        ms(steered.denoiser),
        ms(steered.reward),
        ms(steered.rest),
        ms(encode + steered.total),
        ms(encode + alone.total),
        added,
        100.0 * added / chunk,
        100.0 * added / ms(alone.denoiser),
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut setups = Vec::new();
    for name in POLICIES {
        match Setup::new(name) {
            Ok(setup) => setups.push((name, setup)),
            Err(error) if is_runtime_missing(error.as_ref()) => {
                println!("chunks are not measured: {error}");
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
    // `cargo test --benches` runs this too, and wants no figures.
    if std::env::args().any(|argument| argument == "--bench") {
        println!(
            "One chunk, {PARTICLES} particles, one thread, `{INSTRUCTION}` stage {STAGE}, ms; rest: \
             diversity, guidance, resampling, scheduler.\n\
             What steering adds is given as a share of the unsteered chunk (encoding, and denoising \
             the same particles) and of denoising alone."
        );
        println!(
            "{:>10} | {:>8} {:>8} {:>8} {:>8} {:>9} | {:>8} | {:>8} {:>10} {:>10}",
            "policy",
            "encode",
            "denoise",
            "reward",
            "rest",
            "steered",
            "alone",
            "added",
            "of chunk",
            "of denoise"
        );
        for (name, setup) in &mut setups {
            print_row(name, setup)?;
        }
    }
    let mut criterion = Criterion::default().configure_from_args().sample_size(10);
    for (name, mut setup) in setups {
        setup.encode()?;
        let mut group = criterion.benchmark_group(name);
        group.bench_function("encode", |b| b.iter(|| setup.encode()));
        for (what, guidance) in [("steered", true), ("alone", false)] {
            let mut index = 0;
            group.bench_function(what, |b| {
                b.iter(|| {
                    index += 1;
                    setup.plan(guidance, index)
                });
            });
        }
        group.finish();
    }
    criterion.final_summary();
    Ok(())
}

fn is_runtime_missing(error: &(dyn Error + 'static)) -> bool {
    matches!(
        error.downcast_ref::<PolicyError>(),
        Some(PolicyError::LibraryMissing { .. })
    )
}
