//! What is said is done and judged as it was said: the author's program followed by its gradient alone,
//! with fingers that know when to close, and the oracle watching for the ids of the same instruction.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test")]

use tiller_motion::ActionStep;
use tiller_playtable::{Block, Driver, Goals, PlayTable, interpret};
use tiller_playtable_author::EmbeddedAuthor;
use tiller_reward::{CompileOptions, Evaluator, Moment, Program, compile};
use tiller_vlm::{Author, AuthorRequest, SceneKeypoint};

/// Points of a judged trajectory.
const POINTS: usize = 4;
/// Longest action, m a step of 100 ms.
const STEP_M: f64 = 0.012;

/// Where grounding finds things, up to a few millimetres: on the surfaces that the camera sees.
fn keypoints(table: &PlayTable) -> Vec<(String, [f64; 3])> {
    let objects = table.objects();
    let seen = |[x, y, z]: [f64; 3], dx: f64, dz: f64| [x + dx, y, z + dz];
    let mut points = vec![
        (
            "drawer handle".to_owned(),
            seen(objects.drawer_handle_m, 0.012, 0.008),
        ),
        (
            "door handle".to_owned(),
            seen(objects.door_handle_m, 0.012, 0.018),
        ),
        ("switch".to_owned(), seen(objects.switch_m, 0.010, 0.0)),
        (
            "button".to_owned(),
            seen(objects.button_cap_m, 0.0075, 0.009),
        ),
    ];
    for (block, name) in Block::ALL.iter().zip(["red", "blue", "pink"]) {
        let at = objects.blocks[block.index()].position_m;
        points.push((format!("{name} block"), seen(at, 0.0085, 0.012)));
    }
    points
}

fn places(table: &PlayTable) -> Vec<[f64; 3]> {
    keypoints(table).into_iter().map(|(_, at)| at).collect()
}

/// One 100 ms step along the gradient.
fn action(program: &Program, stage: usize, points: &[[f64; 3]], at: [f64; 3]) -> [f64; 3] {
    let trajectory: Vec<f64> = std::iter::repeat_n(at, POINTS).flatten().collect();
    let (mut values, mut gradients) = ([0.0], vec![0.0; 3 * POINTS]);
    Evaluator::<f64>::new(&program.stages[stage].guidance, 1)
        .evaluate(points, &trajectory, &mut values, Some(&mut gradients))
        .unwrap();
    let pull: [f64; 3] = std::array::from_fn(|axis| gradients.iter().skip(axis).step_by(3).sum());
    let norm = pull.iter().map(|p| p * p).sum::<f64>().sqrt();
    // Slower where the reward says that little is missing.
    let length = STEP_M.min(0.6 * values[0].abs());
    pull.map(|part| {
        if norm > 1e-9 {
            length * part / norm
        } else {
            0.0
        }
    })
}

/// What came of an episode; all of it is shown when a test fails.
#[derive(Debug)]
#[allow(dead_code, reason = "shown by Debug")]
struct Outcome {
    /// The goals held for a second.
    success: bool,
    reached: usize,
    collateral: Vec<String>,
    stage: String,
}

/// Runs an instruction on a seed; `None` when the author declines, with its words.
fn run(table: &mut PlayTable, instruction: &str, seed: u64) -> Result<Outcome, String> {
    let ids = interpret(instruction).expect(instruction);
    let goals = Goals::from_ids(ids.iter().map(String::as_str)).expect("ids");
    table.reset_goals(seed, &goals, None);
    let request = AuthorRequest {
        hand: tiller_vlm::HandAccess::POSITIONS,
        instruction: instruction.to_owned(),
        keypoints: keypoints(table)
            .into_iter()
            .enumerate()
            .map(|(index, (name, position_m))| SceneKeypoint {
                index,
                name,
                position_m,
            })
            .collect(),
    };
    let answer = EmbeddedAuthor.author(&request);
    let text = answer.map_err(|error| error.to_string())?.text;
    let options = CompileOptions::new(request.keypoints.len(), POINTS);
    let program =
        compile(&text, &options).unwrap_or_else(|errors| panic!("{}", errors.render(&text)));
    let mut driver = Driver::new(table).expect("driver");
    let (mut stage, mut start, mut entered, mut held, mut closed) = (0, places(table), 0, 0, 0);
    for step in 0..450 {
        let points = places(table);
        let done = program
            .stages
            .get(stage)
            .and_then(|stage| stage.done.as_ref());
        if let Some(done) = done
            && done
                .value(&Moment::at(&points, &start, table.tcp_position_m()))
                .unwrap()
                >= 0.0
        {
            (stage, start, entered) = (stage + 1, points.clone(), step);
        }
        let description = program.stages.get(stage).map(|s| s.description.as_str());
        let gripper = match closed {
            0 => fingers(description, driver.anchor_m(), step - entered),
            _ => -1.0,
        };
        let grasps = description.is_some_and(|text| text.contains("grasp it"));
        closed = if grasps && gripper < 0.0 {
            closed + 1
        } else {
            0
        };
        let delta_position_m = match description {
            // A policy closes its fingers and rises with what it holds.
            Some(_) if closed > 8 => [0.0, 0.0, STEP_M],
            Some(_) => action(&program, stage, &points, driver.anchor_m()),
            None => [0.0; 3],
        };
        let action = ActionStep {
            delta_position_m,
            gripper,
        };
        driver.execute(table, &[action], 1, 10.0).expect("accepted");
        held = if table.holds() { held + 1 } else { 0 };
        if held >= 10 || (description.is_none() && step - entered > 20) {
            break;
        }
    }
    let last = program.stages.get(stage).map(|s| s.description.clone());
    let (collateral, _) = table.collateral();
    Ok(Outcome {
        success: held >= 10,
        reached: table.reached(),
        collateral: collateral
            .iter()
            .map(|told| format!("{}: {}", told.thing.name(), told.what))
            .collect(),
        stage: last.unwrap_or_else(|| "all".to_owned()),
    })
}

/// Closed for contacts; open above a block that is to be grasped, and to let go.
fn fingers(description: Option<&str>, at: [f64; 3], steps: usize) -> f64 {
    let open = match description {
        Some(text) if text.contains("stop above") => true,
        Some(text) if text.contains("grasp it") => at[2] > 0.028,
        Some(text) if text.contains("release") => steps > 15,
        Some(text) if text.contains("leave the block there") => true,
        _ => false,
    };
    if open { 1.0 } else { -1.0 }
}

#[test]
fn pushes_go_where_they_are_told() {
    let mut table = PlayTable::new().expect("scene");
    let (mut tried, mut failed, mut declined) = (0, Vec::new(), 0);
    for seed in 0..4 {
        for block in ["red", "blue", "pink"] {
            for way in ["to the left", "to the right", "forward", "backward"] {
                let instruction = format!("push the {block} block {way}");
                match run(&mut table, &instruction, seed) {
                    Ok(outcome) => {
                        tried += 1;
                        if !outcome.success {
                            failed.push(format!("{instruction}, seed {seed}: {outcome:?}"));
                        }
                    }
                    Err(words) => {
                        declined += 1;
                        assert!(words.contains("there is no room"), "{words}");
                    }
                }
            }
        }
    }
    assert!(
        failed.len() * 10 <= tried && declined <= 8,
        "{} of {tried} failed, {declined} declined:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

#[test]
fn into_the_drawer_ends_in_the_drawer() {
    let mut table = PlayTable::new().expect("scene");
    let instruction = "open the drawer, then push the blue block into it";
    let outcomes: Vec<_> = (0..3)
        .map(|seed| run(&mut table, instruction, seed).expect("room"))
        .collect();
    let good = outcomes.iter().filter(|outcome| outcome.success).count();
    assert!(good >= 2, "{outcomes:#?}");
}

#[test]
fn a_hand_that_touches_what_it_must_not_is_seen() {
    let mut table = PlayTable::new().expect("scene");
    let goals = Goals::from_ids(["button_press:avoid=red_block"]).expect("ids");
    table.reset_goals(1, &goals, None);
    let mut driver = Driver::new(&table).expect("driver");
    // Straight at the red block and through it.
    for _ in 0..60 {
        let at = driver.anchor_m();
        let block = table.objects().blocks[Block::Red.index()].position_m;
        let over = (at[0] - block[0]).hypot(at[1] - block[1]) > 0.02;
        let to = [block[0], block[1], if over { 0.14 } else { 0.02 }];
        let way: [f64; 3] = std::array::from_fn(|axis| to[axis] - at[axis]);
        let norm = way.iter().map(|w| w * w).sum::<f64>().sqrt().max(1e-9);
        let action = ActionStep {
            delta_position_m: way.map(|w| w / norm * norm.min(0.015)),
            gripper: -1.0,
        };
        driver
            .execute(&mut table, &[action], 1, 10.0)
            .expect("accepted");
    }
    let (collateral, revision) = table.collateral();
    let told = collateral
        .iter()
        .find(|told| told.thing.name() == "red block")
        .unwrap_or_else(|| panic!("{collateral:?}"));
    assert!(
        told.what.contains("though forbidden") && revision > 0,
        "{told:?}"
    );
    assert!(!table.holds());
}

#[test]
fn what_is_to_be_left_alone_is_left_alone() {
    let mut table = PlayTable::new().expect("scene");
    for seed in 0..4 {
        let instruction = "press the button without touching the red block";
        let outcome = run(&mut table, instruction, seed).expect("room");
        assert!(outcome.success, "seed {seed}: {outcome:?}");
        assert_eq!(outcome.collateral, Vec::<String>::new(), "seed {seed}");
    }
}
