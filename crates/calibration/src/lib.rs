//! Where a camera stands, from pictures of a board and the poses of the arm (hand-eye calibration).
//!
//! [`find`] sees the corners of a printed ChArUco [`Board`]; a [`View`] is what one picture showed of it, and
//! where the arm's tool was. [`solve`] turns views into a [`Solution`]: the camera's pose, the board's, the
//! lens where nobody knows it, and how far all of it agrees with the pictures. [`read_recording`] takes
//! the pictures of a recording that a [`Selector`] finds worth looking at, [`read_folder`] those of a folder;
//! [`write_camera`] writes the calibration file, [`sheet`] draws what was found.
//!
//! Camera frames follow OpenCV (x right, y down, z forward); pixel (0, 0) is the top left one and its centre
//! lies at (0.5, 0.5). The board's frame has its origin at the outer corner of its top left square, x to the
//! right, y down and z into the board; its corners have z = 0. Lenses are pinholes: distortion has to be taken
//! out of pictures before.

mod board;
mod error;
mod file;
mod find;
mod folder;
mod lens;
mod linear;
mod minimise;
mod motion;
mod recorded;
mod refine;
mod select;
mod sheet;
mod shot;
mod solution;
mod solve;
mod view;

pub use board::{Board, dictionary_names};
pub use error::SolveError;
pub use file::{CameraFileError, write_camera};
pub use find::find;
pub use folder::read_folder;
pub use lens::Lens;
pub use recorded::{Recorded, Topics, read_recording};
pub use select::{Selector, Skipped, Verdict};
pub use sheet::sheet;
pub use shot::{ReadError, Shot, size_of};
pub use solution::{Solution, ViewReport};
pub use solve::{Setup, solve};
pub use view::{Corner, Mount, View};
