//! `tiller reward show`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use eyre::{Result, WrapErr, ensure};
use serde_json::{Value, json};
use tiller_core::file::{read_text_within, write_whole};
use tiller_core::visible_json;
use tiller_report::FieldPicture;
use tiller_reward::{
    CompileOptions, Diagnostics, Evaluator, Program, Scene as Place, Stage, compile,
};
use tiller_scene::{Best, PointField, room};

use super::field::{self, Direction, marks, slice};
use super::{describe, done_in_words, guidance_in_words, refusal, say, say_json};
use crate::cli::find_world;
use crate::cli::input::read_program;
use crate::cli::scene::Scene;

/// Particles that the buffers are measured for: the sampler's usual number.
const PARTICLES: usize = 20;
/// Leaves a list of what was written, by which a later call knows its own files.
const LIST: &str = "show.json";
/// Bytes of that list.
const MAX_LIST_BYTES: u64 = 16 << 20;

/// Show what a program wants: per stage its keypoints, its size, its best point and a picture.
///
/// The picture of a stage is its reward as a field: two slices through the workspace, from above and
/// from the front (or from the side), through the point where the reward is highest. Bright is high;
/// arrows point to where the reward rises; thin lines join equal rewards. The reward at a point is
/// that of the trajectory which begins at the hand, jumps to the point and stays there (--path stay),
/// or moves there in a straight line (--path line: under rewards that add up distances along the
/// way, the best point then lies beyond the target). The first stage begins where the hand is, each
/// later one at the best point of the stage before. Keypoints stay where they are. Between equally
/// good points the one nearest to the hand is shown. A stage without guidance has no picture.
///
/// Examples:
///   tiller reward show program.py --seed 1 --task drawer_open     in a scene of the play table
///   tiller reward show program.py --scene scene.json --out show   in a scene of your own
///   tiller reward show program.py --keypoints 3 --json --no-pictures
///
/// Without --seed and --scene, K keypoints stand on a grid over the table (x 0.35 to 0.65 m, y -0.3
/// to 0.3 m, z 0.05 m) and the hand is at (0.45, 0, 0.25) m: enough to see what kind of field it is.
///
/// --json prints one object:
///   ok            true; false with `errors` as `reward check` has them
///   keypoints     [{id, name, position_m}]
///   end_effector_m, points (of a trajectory), path, scene (where it is from)
///   compile_ms    all stages, the fastest of four compilations
///   stages        what `reward check` says of a stage, and
///     buffer_bytes   memory of an evaluator in single precision for 20 particles
///     start_m, start_reward   where the hand begins the stage, and the reward of staying there
///     best_m, best_reward   where the reward is highest in the shown space, and how high
///     not_finite     grid points of the picture at which the reward is not a finite number
///     picture        its file, or null
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct ShowArgs {
    /// File with the program; `-` reads standard input.
    program: PathBuf,
    /// Number of keypoints, laid out on a grid.
    #[arg(long, value_name = "K", default_value_t = 16, conflicts_with_all = ["scene", "seed"])]
    keypoints: usize,
    /// Scene to show the program in, metres in the robot base frame:
    /// {"keypoints": [[x,y,z], ..], "names": [".."], "end_effector": [x,y,z]}, the last two optional.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "seed",
        verbatim_doc_comment
    )]
    scene: Option<PathBuf>,
    /// Show the program in a world's scene of this seed, with keypoints as its first camera sees them.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Task that the scene of the seed is for, such as drawer_open; the demos' scenes have one.
    #[arg(long, value_name = "NAME", requires = "seed")]
    task: Option<String>,
    /// World of the scene [default: the first that there is].
    #[arg(long, value_name = "NAME", requires = "seed")]
    world: Option<String>,
    /// Actions of a chunk; the trajectory that the program sees has one point more.
    #[arg(long, value_name = "T", default_value_t = 16)]
    horizon: usize,
    /// How the hand gets to a point of the field.
    #[arg(long, value_enum, default_value = "stay")]
    path: field::Path,
    /// Height of the slice from above, m [default: that of the best point].
    #[arg(long, value_name = "Z", allow_negative_numbers = true)]
    height: Option<f64>,
    /// Folder for the pictures stage1.png, stage2.png, .. and show.json; made when missing.
    #[arg(long, value_name = "DIR", default_value = "reward-show")]
    out: PathBuf,
    /// Draw nothing and write nothing.
    #[arg(long)]
    no_pictures: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// What was found out about a guided stage.
struct Seen {
    /// Where the hand is when the stage begins.
    hand_m: [f64; 3],
    best: Option<Best>,
    start_reward: f64,
    picture: Option<(FieldPicture, usize)>,
}

impl ShowArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        ensure!(self.horizon > 0, "--horizon 0: expected 1 or more");
        let height = self.height.filter(|height| !height.is_finite());
        ensure!(height.is_none(), "--height: expected a finite number");
        let source = read_program(&self.program)?;
        let scene = match (&self.scene, self.seed) {
            (Some(path), _) => Scene::read(path)?,
            (None, Some(seed)) => {
                let kind = find_world(self.world.as_deref())?.kind;
                Scene::seeded(kind.as_ref(), seed, self.task.as_deref())?
            }
            (None, None) => Scene::grid(self.keypoints),
        };
        let options = CompileOptions::new(scene.keypoints.len(), self.horizon + 1);
        let (compiled, compile_ms) = timed_compile(&source, &options);
        let program = match compiled {
            Ok(program) => program,
            Err(diagnostics) => {
                if self.json {
                    say_json(&refusal(&diagnostics)?)?;
                } else {
                    eprint!("{}", diagnostics.render(&source));
                }
                return Ok(ExitCode::from(1));
            }
        };
        if !self.no_pictures {
            self.check_out(&program)?;
        }
        let mut seen = Vec::with_capacity(program.stages.len());
        let mut hand_m = scene.end_effector_m;
        for (index, stage) in program.stages.iter().enumerate() {
            let view = (!stage.is_unguided).then(|| self.look(&program, index, &scene, hand_m));
            let view = view
                .transpose()
                .wrap_err_with(|| format!("stage {}", index + 1))?;
            // The next stage begins where this one wanted the hand to be.
            let goal = view
                .as_ref()
                .and_then(|view| view.best.filter(|best| !best.is_at_edge));
            hand_m = goal.map_or(hand_m, |best| best.at_m);
            seen.push(view);
        }
        let value = self.to_json(&program, &scene, &seen, compile_ms);
        if !self.no_pictures {
            self.write(&seen, &value)?;
        }
        if self.json {
            say_json(&value.to_string())?;
        } else {
            say(&self.in_words(&program, &scene, &seen, compile_ms))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Evaluates the field of a guided stage and lays out its picture.
    fn look(
        &self,
        program: &Program,
        index: usize,
        scene: &Scene,
        hand_m: [f64; 3],
    ) -> Result<Seen> {
        let stage = &program.stages[index];
        let used = stage.guidance.used_keypoints();
        let mut matters: Vec<[f64; 3]> = used.iter().map(|&k| scene.keypoints[k]).collect();
        matters.push(hand_m);
        let room = room(&matters);
        let place = Place::from(scene.keypoints.as_slice());
        let mut field = PointField::new(stage, place, hand_m, self.path.way());
        let mut seen = Seen {
            hand_m,
            best: field.best(&room)?,
            start_reward: field.values(&[hand_m])?[0],
            picture: None,
        };
        if self.no_pictures {
            return Ok(seen);
        }
        let best = seen.best;
        let mut centre_m = best.map_or(hand_m, |best| best.at_m);
        matters.push(centre_m);
        let vertical = if spread(&matters, 0) > 1.5 * spread(&matters, 1) {
            0
        } else {
            1
        };
        let side = slice(
            &mut field,
            &room,
            centre_m,
            [axis(vertical, false), axis(2, false)],
        )?;
        let side_place = centre_m[1 - vertical];
        centre_m[2] = self.height.unwrap_or(centre_m[2]);
        let above = slice(&mut field, &room, centre_m, [axis(1, false), axis(0, true)])?;
        let mut slices = [above, side];
        let directions = [
            [axis(1, false), axis(0, true)],
            [axis(vertical, false), axis(2, false)],
        ];
        let titles = [
            format!(
                "From above, at z = {:.3} m (robot beyond the upper edge)",
                centre_m[2]
            ),
            if vertical == 1 {
                format!("From the front, at x = {side_place:.3} m")
            } else {
                format!("From the side, at y = {side_place:.3} m (robot beyond the left edge)")
            },
        ];
        for ((slice, directions), title) in slices.iter_mut().zip(directions).zip(titles) {
            slice.marks = marks(scene, &used, hand_m, best, directions);
            slice.title = title;
        }
        let values = slices.iter().flat_map(|slice| &slice.values);
        let not_finite = values.filter(|value| !value.is_finite()).count();
        let picture = FieldPicture {
            title: format!(
                "Stage {} of {}: {}",
                index + 1,
                program.stages.len(),
                stage.description
            ),
            caption: self.caption(best),
            quantity: "reward".to_owned(),
            slices,
        };
        seen.picture = Some((picture, not_finite));
        Ok(seen)
    }

    fn caption(&self, best: Option<Best>) -> Vec<String> {
        let steps = self.horizon;
        let way = match self.path {
            field::Path::Stay => {
                format!("goes to the point at once and stays there, {steps} steps in all")
            }
            field::Path::Line => format!("moves to the point in a straight line, in {steps} steps"),
        };
        let first =
            format!("Colour: the reward if the hand {way}. Marks are seen through the slice.");
        let second = match best {
            Some(Best {
                at_m: [x, y, z],
                reward,
                is_at_edge,
            }) => format!(
                "Best point ({x:.3}, {y:.3}, {z:.3}) m with reward {}{}.",
                rounded(reward),
                if is_at_edge {
                    ", at the edge of what is shown"
                } else {
                    ""
                },
            ),
            None => "The reward is nowhere a finite number.".to_owned(),
        };
        vec![first, second]
    }

    fn picture_path(&self, index: usize) -> PathBuf {
        self.out.join(picture_name(index))
    }

    /// Refuses to replace files that an earlier call did not write.
    fn check_out(&self, program: &Program) -> Result<()> {
        let own = own_files(&self.out);
        let names = (0..program.stages.len()).map(picture_name);
        for name in names.chain([LIST.to_owned()]) {
            let path = self.out.join(&name);
            ensure!(
                !path.exists() || own.contains(&name),
                "{} exists and is not from an earlier `tiller reward show`: choose another folder with --out",
                path.display()
            );
        }
        Ok(())
    }

    fn write(&self, seen: &[Option<Seen>], value: &Value) -> Result<()> {
        let out = &self.out;
        fs::create_dir_all(out).wrap_err_with(|| format!("cannot make {}", out.display()))?;
        for name in own_files(out).iter().filter(|name| *name != LIST) {
            let path = out.join(name);
            fs::remove_file(&path)
                .wrap_err_with(|| format!("cannot replace {}", path.display()))?;
        }
        for (index, seen) in seen.iter().enumerate() {
            let picture = seen.as_ref().and_then(|seen| seen.picture.as_ref());
            if let Some((picture, _)) = picture {
                let path = self.picture_path(index);
                picture.write(&path).wrap_err("no picture")?;
            }
        }
        let path = out.join(LIST);
        let text = format!("{value:#}\n");
        Ok(write_whole(&path, visible_json(&text).as_bytes())?)
    }

    fn to_json(
        &self,
        program: &Program,
        scene: &Scene,
        seen: &[Option<Seen>],
        compile_ms: f64,
    ) -> Value {
        let stages = describe(program).zip(&program.stages).zip(seen).enumerate();
        let stages = stages.map(|(index, ((mut value, stage), seen))| {
            let best = seen.as_ref().and_then(|seen| seen.best);
            let picture = seen.as_ref().and_then(|seen| seen.picture.as_ref());
            value["buffer_bytes"] = json!(buffer_bytes(stage));
            value["start_m"] = json!(seen.as_ref().map(|seen| seen.hand_m));
            value["start_reward"] = json!(seen.as_ref().map(|seen| seen.start_reward));
            value["best_m"] = json!(best.map(|best| best.at_m));
            value["best_reward"] = json!(best.map(|best| best.reward));
            value["not_finite"] = json!(picture.map_or(0, |(_, not_finite)| *not_finite));
            value["picture"] = json!(picture.map(|_| self.picture_path(index)));
            value
        });
        let stages: Vec<Value> = stages.collect();
        let keypoints = scene.keypoints.iter().zip(&scene.names).enumerate();
        let keypoints = keypoints.map(
            |(id, (position_m, name))| json!({"id": id, "name": name, "position_m": position_m}),
        );
        json!({
            "ok": true,
            "keypoints": keypoints.collect::<Vec<Value>>(),
            "end_effector_m": scene.end_effector_m,
            "points": self.horizon + 1,
            "path": self.path.name(),
            "scene": scene.origin,
            "compile_ms": compile_ms,
            "stages": stages,
        })
    }

    fn in_words(
        &self,
        program: &Program,
        scene: &Scene,
        seen: &[Option<Seen>],
        compile_ms: f64,
    ) -> String {
        let [x, y, z] = scene.end_effector_m;
        let mut text = format!(
            "{} stage(s), compiled in {compile_ms:.2} ms for {} keypoint(s) and {} trajectory points\n\
             keypoints {}; hand at ({x:.3}, {y:.3}, {z:.3}) m",
            program.stages.len(),
            scene.keypoints.len(),
            self.horizon + 1,
            scene.origin,
        );
        for (index, (stage, seen)) in program.stages.iter().zip(seen).enumerate() {
            text.push_str(&format!("\n\nstage {}: {}", index + 1, stage.description));
            let mut row = |name: &str, value: String| {
                text.push_str(&format!("\n  {name:<10} {value}"));
            };
            let name = |keypoint| scene.name(keypoint);
            let guidance = guidance_in_words(stage, name);
            let done = done_in_words(stage, name);
            row("guidance", guidance);
            row("done", done);
            if let Some(seen) = seen {
                row(
                    "buffers",
                    format!(
                        "{:.1} KiB for {PARTICLES} particles",
                        buffer_bytes(stage) as f64 / 1024.0
                    ),
                );
                row(
                    "best",
                    match seen.best {
                        Some(best) => {
                            let [x, y, z] = best.at_m;
                            let edge = if best.is_at_edge {
                                " (at the edge of what was searched)"
                            } else {
                                ""
                            };
                            format!(
                                "({x:.3}, {y:.3}, {z:.3}) m{edge}, reward {}; at the start {}",
                                rounded(best.reward),
                                rounded(seen.start_reward),
                            )
                        }
                        None => "nowhere a finite number".to_owned(),
                    },
                );
                if let Some((_, not_finite)) = &seen.picture {
                    let holes = match not_finite {
                        0 => String::new(),
                        count => format!(", {count} grid points not a finite number"),
                    };
                    row(
                        "picture",
                        format!("{}{holes}", self.picture_path(index).display()),
                    );
                }
            } else {
                row("picture", "none: there is no guidance to show".to_owned());
            }
        }
        text
    }
}

/// Compiles several times: the fastest one tells most about the program, in ms.
fn timed_compile(source: &str, options: &CompileOptions) -> (Result<Program, Diagnostics>, f64) {
    let once = || {
        let start = Instant::now();
        let result = compile(source, options);
        (result, start.elapsed().as_secs_f64() * 1e3)
    };
    let (result, first_ms) = once();
    let fastest_ms = (0..3).fold(first_ms, |fastest_ms, _| once().1.min(fastest_ms));
    (result, fastest_ms)
}

/// Bytes of an evaluator as the sampler uses it.
fn buffer_bytes(stage: &Stage) -> usize {
    Evaluator::<f32>::new(&stage.guidance, PARTICLES).buffer_bytes()
}

fn picture_name(index: usize) -> String {
    format!("stage{}.png", index + 1)
}

/// Names of the files that an earlier call left in a folder, as its list says.
fn own_files(folder: &Path) -> Vec<String> {
    let text = read_text_within(folder, LIST, MAX_LIST_BYTES).unwrap_or_default();
    let Ok(value) = serde_json::from_str::<Value>(&text) else {
        return Vec::new();
    };
    let Some(stages) = value["stages"]
        .as_array()
        .filter(|_| value["compile_ms"].is_number())
    else {
        return Vec::new();
    };
    let pictures = (0..stages.len())
        .filter(|&index| stages[index]["picture"].is_string())
        .map(picture_name)
        .filter(|name| folder.join(name).is_file());
    pictures.chain([LIST.to_owned()]).collect()
}

fn axis(axis: usize, is_reversed: bool) -> Direction {
    Direction { axis, is_reversed }
}

fn spread(points: &[[f64; 3]], axis: usize) -> f64 {
    let places = || points.iter().map(|point| point[axis]);
    places().fold(f64::MIN, f64::max) - places().fold(f64::MAX, f64::min)
}

/// Three digits after the point, or an exponent where they would say nothing.
fn rounded(value: f64) -> String {
    if value.abs() < 1e-5 {
        "0".to_owned()
    } else if (1e-3..1e5).contains(&value.abs()) {
        format!("{value:.3}")
    } else {
        format!("{value:.2e}")
    }
}
