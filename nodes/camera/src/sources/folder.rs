//! Pictures in a folder, in the order of their names.
//!
//! ```text
//! FOLDER/image/0001.png       colour, PNG or JPEG; or right in FOLDER
//! FOLDER/depth/0001.png       16 bits of grey, mm: the picture's name; where there is such a folder
//! FOLDER/calibration.toml     what is known of the camera, as CALIBRATION of keypoint-grounding
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use tiller_core::file::read_regular_text;
use tiller_grounding::{Calibration, Geometry};

use super::{Fault, Options, Pace, Source};
use crate::frame::Frame;

/// Most pictures of a folder.
const MAX_PICTURES: usize = 1_000_000;
/// Largest calibration that is read, bytes.
const MAX_CALIBRATION_BYTES: u64 = 1 << 20;

/// Plays the pictures.
pub(super) struct Folder {
    camera: String,
    folder: PathBuf,
    pictures: std::vec::IntoIter<PathBuf>,
    has_depth: bool,
    calibration: Calibration,
    repeats: bool,
    /// Whether the pictures have been listed.
    is_open: bool,
    pace: Pace,
}

impl Folder {
    pub(super) fn new(camera: &str, folder: &Path, options: &Options) -> Self {
        Self {
            camera: camera.to_owned(),
            folder: folder.to_owned(),
            pictures: Vec::new().into_iter(),
            has_depth: false,
            calibration: Calibration::default(),
            repeats: options.repeats,
            is_open: false,
            pace: Pace::new(options.rate_hz),
        }
    }

    fn open(&mut self) -> Result<(), Fault> {
        let pictures = pictures(&self.folder).map_err(Fault::Source)?;
        self.calibration = calibration(&self.folder).map_err(Fault::Source)?;
        self.has_depth = depth(&self.folder).is_dir();
        self.pictures = pictures.into_iter();
        self.is_open = true;
        Ok(())
    }

    fn read(&self, path: &Path, frame: &mut Frame) -> Result<(), String> {
        frame.read_colour(path)?;
        frame.depth_mm.clear();
        if self.has_depth {
            let name = path.with_extension("png");
            frame.read_depth(&depth(&self.folder).join(name.file_name().unwrap_or_default()))?;
        }
        frame.geometry = match self.calibration.camera(&[&self.camera, "image"]) {
            Some(camera) => camera.complete(Geometry::default(), frame.size)?,
            None => Geometry::default(),
        };
        Ok(())
    }
}

impl Source for Folder {
    fn next(&mut self, frame: &mut Frame) -> Result<(), Fault> {
        if !self.is_open {
            self.open()?;
        }
        let path = match self.pictures.next() {
            Some(path) => path,
            None if !self.repeats => return Err(Fault::End),
            None => {
                // There is a first picture, or the folder would not have been opened.
                self.is_open = false;
                self.open()?;
                self.pictures.next().ok_or(Fault::End)?
            }
        };
        let read = self.read(&path, frame).map_err(Fault::Frame);
        frame.stamp_ns = self.pace.wait();
        read
    }
}

/// What is wrong with a folder.
pub(super) fn check(folder: &Path) -> Result<(), String> {
    pictures(folder)?;
    calibration(folder).map(drop)
}

fn depth(folder: &Path) -> PathBuf {
    folder.join("depth")
}

/// The pictures in order; there is at least one.
fn pictures(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let below = folder.join("image");
    let place = if below.is_dir() { &below } else { folder };
    let refused = |error: std::io::Error| format!("a folder that can be read ({error})");
    let mut found = Vec::new();
    for entry in fs::read_dir(place).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        let is_picture = path.extension().is_some_and(|ending| {
            ["png", "jpg", "jpeg"]
                .iter()
                .any(|known| ending.eq_ignore_ascii_case(known))
        });
        if is_picture {
            found.push(path);
        }
        if found.len() > MAX_PICTURES {
            return Err(format!("a folder with at most {MAX_PICTURES} pictures"));
        }
    }
    if found.is_empty() {
        return Err(
            "a folder with pictures: PNG or JPEG, in it or in its folder `image`".to_owned(),
        );
    }
    found.sort();
    Ok(found)
}

fn calibration(folder: &Path) -> Result<Calibration, String> {
    let path = folder.join("calibration.toml");
    let text = match read_regular_text(&path, MAX_CALIBRATION_BYTES) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => return Ok(Calibration::default()),
        Err(error) => return Err(format!("a calibration that can be read ({error})")),
    };
    Calibration::parse(&text).map_err(|error| format!("a calibration without mistakes ({error})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    use image::{ImageBuffer, Luma, Rgb};

    fn options(repeats: bool) -> Options {
        Options {
            rate_hz: 100.0,
            size: None,
            repeats,
            ffmpeg: "ffmpeg".into(),
        }
    }

    fn picture(path: &Path, red: u8) {
        let pixels = ImageBuffer::from_pixel(4, 2, Rgb([red, 2, 3]));
        pixels.save(path).unwrap();
    }

    fn recording() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for below in ["image", "depth"] {
            fs::create_dir(folder.path().join(below)).unwrap();
        }
        for (name, red) in [("0002", 20), ("0001", 10), ("0003", 30)] {
            picture(&folder.path().join(format!("image/{name}.png")), red);
            let depth = ImageBuffer::from_pixel(4, 2, Luma([900_u16 + u16::from(red)]));
            depth
                .save(folder.path().join(format!("depth/{name}.png")))
                .unwrap();
        }
        let text = "[static]\nsize = [8, 4]\nfocal = [10, 12]\nprincipal_point = [4, 2]\n";
        fs::write(folder.path().join("calibration.toml"), text).unwrap();
        folder
    }

    #[test]
    fn pictures_come_in_order_with_depth_and_geometry_and_rising_stamps() {
        let recording = recording();
        check(recording.path()).unwrap();
        let mut source = Folder::new("static", recording.path(), &options(false));
        let mut frame = Frame::default();
        let mut last_ns = 0;
        for red in [10, 20, 30] {
            source.next(&mut frame).unwrap();
            assert_eq!(frame.size, [4, 2]);
            assert_eq!(frame.rgb[..3], [red, 2, 3]);
            assert_eq!(frame.depth_mm, [900 + u16::from(red); 8]);
            // The lens is that of pictures twice as large.
            assert_eq!(frame.geometry.focal, Some([5.0, 6.0]));
            assert!(frame.stamp_ns > last_ns);
            last_ns = frame.stamp_ns;
        }
        assert_eq!(source.next(&mut frame), Err(Fault::End));
    }

    #[test]
    fn it_begins_anew_at_its_end() {
        let folder = tempfile::tempdir().unwrap();
        picture(&folder.path().join("a.png"), 1);
        let mut source = Folder::new("static", folder.path(), &options(true));
        let mut frame = Frame::default();
        for _ in 0..4 {
            source.next(&mut frame).unwrap();
            assert!(frame.depth_mm.is_empty());
        }
    }

    #[test]
    fn a_bad_picture_is_named_and_the_next_one_comes() {
        let recording = recording();
        let path = |name: &str| recording.path().join(name);
        fs::write(path("image/0001.png"), b"no picture").unwrap();
        fs::remove_file(path("depth/0002.png")).unwrap();
        let mut source = Folder::new("static", recording.path(), &options(false));
        let mut frame = Frame::default();
        for name in ["image/0001.png", "depth/0002.png"] {
            let Err(Fault::Frame(reason)) = source.next(&mut frame) else {
                panic!("{name} is taken");
            };
            assert!(reason.contains(name), "{reason}");
        }
        source.next(&mut frame).unwrap();
    }

    #[test]
    fn depth_of_another_size_or_kind_is_refused() {
        let recording = recording();
        let path = recording.path().join("depth/0001.png");
        for (width, expected) in [(5, "4 x 2"), (4, "16 bits")] {
            match width {
                5 => ImageBuffer::from_pixel(width, 2, Luma([9_u16])).save(&path),
                _ => ImageBuffer::from_pixel(width, 2, Luma([9_u8])).save(&path),
            }
            .unwrap();
            let mut source = Folder::new("static", recording.path(), &options(false));
            let Err(Fault::Frame(reason)) = source.next(&mut Frame::default()) else {
                panic!("{expected}");
            };
            assert!(reason.contains(expected), "{reason}");
        }
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check(folder.path()).unwrap_err().contains("pictures"));
        assert!(check(Path::new("/nowhere")).unwrap_err().contains("folder"));
        picture(&folder.path().join("a.png"), 1);
        check(folder.path()).unwrap();
        fs::write(
            folder.path().join("calibration.toml"),
            "[static]\nfocal = 3",
        )
        .unwrap();
        assert!(check(folder.path()).unwrap_err().contains("static.focal"));
    }
}
