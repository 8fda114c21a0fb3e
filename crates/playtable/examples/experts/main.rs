//! Prints how often each expert succeeds: `cargo run --release -p tiller-playtable --example experts [SEEDS]`, or
//! those of a hard suite, with pictures in a folder if one is named: `.. --example experts SEEDS SUITE [FOLDER]`.

mod hard;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use tiller_playtable::{Driver, Expert, ExpertConfig, PlayTable, Task};

/// Longest episode, steps of 100 ms.
const MAX_STEPS: usize = 300;

#[derive(Default)]
struct Outcome {
    success: bool,
    steps: usize,
    others: Vec<Task>,
}

fn main() -> ExitCode {
    let seeds = match std::env::args().nth(1).map(|text| text.parse()) {
        None => 50,
        Some(Ok(seeds)) => seeds,
        Some(Err(error)) => {
            eprintln!("number of seeds: {error}");
            return ExitCode::FAILURE;
        }
    };
    let others = std::env::args().nth(2).filter(|suite| suite != "others");
    let outcome = match others {
        Some(suite) => {
            let folder = std::env::args().nth(3).map(PathBuf::from);
            hard::run(&suite, seeds, folder.as_deref())
        }
        None => run(seeds),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stdout, reason = "the table is this program's output")]
fn run(seeds: u64) -> Result<bool, Box<dyn std::error::Error>> {
    let varied = ExpertConfig {
        wander: true,
        noise_m: 0.004,
    };
    let mut table = PlayTable::new()?;
    let start = Instant::now();
    let mut good = true;
    println!("task          plain   steps | varied  steps | failed seeds");
    for task in Task::ALL {
        let mut line = format!("{:12}", task.name());
        let mut failed = Vec::new();
        for config in [ExpertConfig::default(), varied] {
            let mut successes = 0;
            let mut steps = 0;
            for seed in 0..seeds {
                let outcome = episode(&mut table, task, seed, config)?;
                steps += outcome.steps;
                if outcome.success {
                    successes += 1;
                } else {
                    failed.push(seed);
                }
                if !outcome.others.is_empty() && std::env::args().nth(2).is_some() {
                    let others: Vec<_> = outcome.others.iter().map(|task| task.name()).collect();
                    eprintln!("{task} seed {seed} also did {}", others.join(" "));
                }
            }
            line += &format!(
                "{successes:4}/{seeds:<3} {:5.1} | ",
                steps as f64 / seeds as f64
            );
            good &= successes * 100 >= 95 * seeds;
        }
        println!("{line}{failed:?}");
    }
    println!("{:.1} s", start.elapsed().as_secs_f64());
    Ok(good)
}

fn episode(
    table: &mut PlayTable,
    task: Task,
    seed: u64,
    config: ExpertConfig,
) -> Result<Outcome, Box<dyn std::error::Error>> {
    table.reset(seed, Some(task));
    let mut driver = Driver::new(table)?;
    let mut expert = Expert::with_config(task, table, seed, config);
    let mut steps = 0;
    while steps < MAX_STEPS
        && let Some(action) = expert.act(table, driver.anchor_m())
    {
        driver.execute(table, &[action], 1, 10.0)?;
        steps += 1;
    }
    let others = table
        .completed()
        .into_iter()
        .filter(|other| *other != task)
        .collect();
    Ok(Outcome {
        success: table.succeeded(task),
        steps,
        others,
    })
}
