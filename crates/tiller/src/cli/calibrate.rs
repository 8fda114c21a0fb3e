//! `tiller calibrate`.

use std::fmt::Write as _;
use std::io::{Cursor, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use eyre::{OptionExt, Result, WrapErr};
use image::{DynamicImage, ImageFormat};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tiller_calibration::{
    Board, Lens, Mount, Recorded, Setup, Shot, Solution, Topics, View, read_folder, read_recording,
    sheet, size_of, solve, write_camera,
};
use tiller_core::file::write_whole;

use super::{say, say_json};

/// Find out where cameras are: draw a board, print it, and have it seen from many sides.
///
/// Examples:
///   tiller calibrate board --out board.png --board 7x5 --square-m 0.03 --marker-m 0.022
///   tiller calibrate camera run.drec --camera camera/image --board 7x5 --square-m 0.03 --marker-m 0.022 \
///       --mount base --name static --picture calibration.png
///   tiller calibrate camera pictures/ --board 7x5 --square-m 0.03 --marker-m 0.022 --mount hand --name wrist \
///       --focal 615.2,614.8 --principal-point 319.5,240.2
#[derive(Debug, Args)]
#[command(arg_required_else_help = true, verbatim_doc_comment)]
pub(super) struct CalibrateArgs {
    #[command(subcommand)]
    command: CalibrateCommand,
}

#[derive(Debug, Subcommand)]
enum CalibrateCommand {
    Board(PrintArgs),
    Camera(SolveArgs),
}

/// Draw the board for printing.
///
/// Print it at its own size, without fitting it to the page, on something stiff and flat; then measure a square:
/// an error of 1 % there is one of 1 % in every distance.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
struct PrintArgs {
    #[command(flatten)]
    board: BoardArgs,
    /// The PNG file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Pixels of a square's side.
    #[arg(long, value_name = "N", default_value_t = 240,
          value_parser = clap::value_parser!(u32).range(16..=400))]
    pixels_per_square: u32,
}

#[derive(Debug, Args)]
struct BoardArgs {
    /// Squares from left to right and from top to bottom, such as 7x5.
    #[arg(long, value_name = "COLUMNSxROWS", value_parser = squares)]
    board: [u32; 2],
    /// Side of a square, m; measured, not as it was meant.
    #[arg(long, value_name = "M")]
    square_m: f64,
    /// Side of a marker, m.
    #[arg(long, value_name = "M")]
    marker_m: f64,
    /// Which markers: DICT_4X4_50, DICT_5X5_100, DICT_APRILTAG_36h11 and so on, as OpenCV names them.
    #[arg(long, value_name = "NAME", default_value = "DICT_4X4_50")]
    dictionary: String,
}

/// Find out where a camera is, from pictures of a printed board and the poses of the arm.
///
/// The board is a ChArUco board; `tiller calibrate board` draws one for printing. Either the camera stands still
/// and the hand holds the board (--mount base), or the camera is on the hand and the board lies still (--mount
/// hand). Take the hand to 12 to 20 poses, tilted by 20 to 40 degrees about different axes, and let it rest at each for a
/// second while `dora record` or `cargo xtask demo --record` records. From the recording at most one picture is
/// taken for each pose, if the tool was at rest.
///
/// Instead of a recording a FOLDER may be named: pictures NAME.png, and poses.json with the tool in the base frame,
///   {"NAME.png": {"position_m": [x, y, z], "quaternion_wxyz": [w, x, y, z]}, ..}
///
/// The lens is what the pictures' sender says of it, else --focal and --principal-point, else it is found along
/// with the rest; distortion is not. The camera's table in the calibration file is replaced; tables of other cameras
/// stay, comments do not. The exit code is 1 where something speaks against relying on the result.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
struct SolveArgs {
    /// The recording, x.drec, or a folder with pictures and poses.json.
    #[arg(value_name = "FILE|FOLDER")]
    source: PathBuf,
    /// The camera's output in the recording.
    #[arg(long, value_name = "NODE/OUTPUT")]
    camera: Option<String>,
    /// The output with the arm's states [default: the recording's `arm_state`].
    #[arg(long, value_name = "NODE/OUTPUT")]
    arm: Option<String>,
    #[command(flatten)]
    board: BoardArgs,
    /// What the camera is fixed to.
    #[arg(long, value_enum)]
    mount: MountArg,
    /// The calibration file to put the camera into.
    #[arg(long, value_name = "FILE", default_value = "calibration.toml")]
    out: PathBuf,
    /// The camera's name there: its `frame_id`, or its name in TILLER_CAMERAS.
    #[arg(long, value_name = "NAME", default_value = "static")]
    name: String,
    /// Draw the corners that were found (green circles) and where they should be (red crosses).
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Focal lengths, pixels, where the pictures do not say them.
    #[arg(long, value_name = "FX,FY", value_parser = two_numbers, requires = "principal_point")]
    focal: Option<[f64; 2]>,
    /// Principal point, pixels.
    #[arg(long, value_name = "CX,CY", value_parser = two_numbers, requires = "focal")]
    principal_point: Option<[f64; 2]>,
    /// Print what was found as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MountArg {
    /// The camera stands still, the hand holds the board.
    Base,
    /// The camera is on the hand, the board lies still.
    Hand,
}

impl CalibrateArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        match self.command {
            CalibrateCommand::Board(args) => args.run(),
            CalibrateCommand::Camera(args) => args.run(),
        }
    }
}

impl PrintArgs {
    fn run(self) -> Result<ExitCode> {
        let board = self.board.board()?;
        let picture = DynamicImage::ImageLuma8(board.picture(self.pixels_per_square));
        save(&picture, &self.out)?;
        let [columns, rows] = [board.columns(), board.rows()];
        let centimetres = |squares: u32| f64::from(squares + 1) * board.square_m() * 100.0;
        say(&format!(
            "{}\n{columns} x {rows} squares of {:.1} mm: the picture is {:.2} x {:.2} cm, with a white margin of \
             half a square",
            self.out.display(),
            board.square_m() * 1e3,
            centimetres(columns),
            centimetres(rows),
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl BoardArgs {
    fn board(&self) -> Result<Board> {
        let [columns, rows] = self.board;
        let board = Board::new(
            columns,
            rows,
            self.square_m,
            self.marker_m,
            &self.dictionary,
        );
        board.wrap_err("no such board")
    }
}

impl SolveArgs {
    fn run(self) -> Result<ExitCode> {
        let board = self.board.board()?;
        let recorded = self.read(&board)?;
        let cannot = || format!("cannot calibrate from {}", self.source.display());
        let size = size_of(&recorded.shots)?
            .ok_or_else(|| nothing(&recorded))
            .wrap_err_with(cannot)?;
        let setup = Setup {
            mount: self.mount.into(),
            size,
            lens: recorded.lens.or(self.lens()),
        };
        let views: Vec<View> = recorded
            .shots
            .iter()
            .map(|shot| shot.view.clone())
            .collect();
        let solution = solve(&views, &setup).wrap_err_with(cannot)?;
        if let Some(path) = &self.picture {
            let picture = |index: usize| recorded.shots.get(index).map(|shot: &Shot| &shot.picture);
            save(
                &DynamicImage::ImageRgb8(sheet(&solution, &views, picture)),
                path,
            )?;
        }
        write_camera(&self.out, &self.name, &solution)?;
        let doubts = solution.doubts();
        if self.json {
            let value = json!({
                "out": self.out,
                "name": self.name,
                "picture": self.picture,
                "solution": solution,
                "doubts": doubts,
                "pictures": recorded.pictures,
                "skipped": recorded.skipped,
                "unreadable": recorded.unreadable,
                "broken": recorded.broken,
            });
            say_json(&value.to_string())?;
        } else {
            say(&self.text(&solution, &recorded))?;
        }
        Ok(match doubts.is_empty() {
            true => ExitCode::SUCCESS,
            false => ExitCode::from(1),
        })
    }

    fn read(&self, board: &Board) -> Result<Recorded> {
        let progress = bar();
        let watch = |done: u64, of: u64| {
            progress.set_length(of);
            progress.set_position(done);
        };
        let recorded = if self.source.is_dir() {
            read_folder(&self.source, board, watch).map(|shots| Recorded {
                pictures: shots.len(),
                shots,
                ..Recorded::default()
            })
        } else {
            let camera = self.camera.clone();
            let topics = Topics {
                camera: camera.ok_or_eyre("--camera NODE/OUTPUT says whose pictures to take")?,
                arm: self.arm.clone(),
            };
            read_recording(&self.source, &topics, board, watch)
        };
        progress.finish_and_clear();
        recorded.wrap_err_with(|| format!("cannot read {}", self.source.display()))
    }

    /// The lens of the options.
    fn lens(&self) -> Option<Lens> {
        Some(Lens {
            focal: self.focal?,
            principal_point: self.principal_point?,
        })
    }

    /// What was found, for people.
    fn text(&self, solution: &Solution, recorded: &Recorded) -> String {
        let (from, board) = match solution.mount {
            Mount::Base => ("the base frame", "in the hand"),
            Mount::Hand => ("the tool's frame", "in the base frame"),
        };
        let numbers = |values: &[f64], digits: usize| {
            let shown: Vec<String> = values
                .iter()
                .map(|value| format!("{value:.digits$}"))
                .collect();
            shown.join(", ")
        };
        let (camera, lens) = (&solution.camera, &solution.lens);
        let mut text = format!(
            "[{}] in {}\ncamera in {from}: position {} m, quaternion {} (w, x, y, z)\n",
            self.name,
            self.out.display(),
            numbers(&camera.position_m, 4),
            numbers(&camera.quaternion_wxyz, 5),
        );
        let known = match solution.lens_was_estimated {
            true => "found",
            false => "as given",
        };
        let _ = writeln!(
            text,
            "lens, {known}: focal lengths {}, principal point {} pixels",
            numbers(&lens.focal, 1),
            numbers(&lens.principal_point, 1),
        );
        let _ = writeln!(
            text,
            "corners off by {:.2} pixels rms, {:.2} at most, over {} corners in {} views",
            solution.rms_px, solution.largest_px, solution.corners, solution.used,
        );
        let _ = write!(
            text,
            "the board seems to move {board} by {:.1} mm rms",
            solution.board_moves_mm
        );
        for view in solution.worst_first() {
            let moved = view.board_moved_mm.map(|mm| format!(", {mm:.1} mm"));
            let _ = write!(
                text,
                "\n  {}: {} corners, {:.2} pixels rms{}{}",
                view.name,
                view.corners,
                view.rms_px,
                moved.unwrap_or_default(),
                if view.left_out { ", left out" } else { "" },
            );
        }
        if let Some(line) = left(recorded) {
            let _ = write!(text, "\n{line}");
        }
        if let Some(broken) = &recorded.broken {
            let _ = write!(text, "\n{broken}");
        }
        for doubt in solution.doubts() {
            let _ = write!(text, "\ndoubtful: {doubt}");
        }
        text
    }
}

impl From<MountArg> for Mount {
    fn from(mount: MountArg) -> Self {
        match mount {
            MountArg::Base => Self::Base,
            MountArg::Hand => Self::Hand,
        }
    }
}

/// Why there is no picture to begin with.
fn nothing(recorded: &Recorded) -> eyre::Report {
    let why = left(recorded).unwrap_or_else(|| "there are no pictures".to_owned());
    eyre::eyre!("expected pictures of the board taken at rest, found none: {why}")
}

/// Which pictures were not taken; none if all were.
fn left(recorded: &Recorded) -> Option<String> {
    let skipped = recorded.skipped;
    let parts: Vec<String> = [
        (skipped.moving, "while the arm moved"),
        (
            skipped.known,
            "of poses that there are pictures of, or that do not show the board",
        ),
        (skipped.no_board, "without the board"),
        (skipped.no_state, "without arm states around them"),
        (skipped.enough, "beyond 60"),
        (recorded.unreadable, "that cannot be read, or arm states"),
    ]
    .iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, why)| format!("{count} {why}"))
    .collect();
    let pictures = recorded.pictures;
    (!parts.is_empty()).then(|| format!("of {pictures} pictures not taken: {}", parts.join(", ")))
}

fn save(picture: &DynamicImage, path: &Path) -> Result<()> {
    let mut file = Vec::new();
    picture
        .write_to(&mut Cursor::new(&mut file), ImageFormat::Png)
        .wrap_err("cannot make a PNG file")?;
    Ok(write_whole(path, &file)?)
}

/// How far it is, on standard error where that is a terminal.
fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {percent} % [{elapsed}, {eta} left]");
    ProgressBar::new(1).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn squares(text: &str) -> Result<[u32; 2], String> {
    let sides = text.split_once(['x', 'X']);
    let sides = sides.and_then(|(a, b)| Some([a.trim().parse().ok()?, b.trim().parse().ok()?]));
    sides.ok_or_else(|| format!("expected columns and rows such as 7x5, found `{text}`"))
}

fn two_numbers(text: &str) -> Result<[f64; 2], String> {
    let numbers = text.split_once(',');
    let numbers = numbers.and_then(|(a, b)| Some([a.trim().parse().ok()?, b.trim().parse().ok()?]));
    numbers.ok_or_else(|| format!("expected two numbers such as 615.2,614.8, found `{text}`"))
}
