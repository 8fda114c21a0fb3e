//! One RGB-D frame, borrowed from wherever it lies.

use crate::camera::Pinhole;
use crate::error::GroundingError;

/// An RGB-D frame with its camera, borrowed: pixels are read where they arrived.
#[derive(Debug, Clone, Copy)]
pub struct FrameView<'a> {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Colour, `[height x width x 3]`.
    pub rgb: &'a [u8],
    /// Depth along the optical axis, mm, `[height x width]`; 0 where unknown.
    pub depth_mm: &'a [u16],
    /// Label ids, `[height x width]`, if someone has segmented the image already.
    pub segmentation: Option<&'a [u8]>,
    /// What the label ids stand for; ids that are missing are background.
    pub labels: &'a [(u8, String)],
    /// Focal lengths, pixels.
    pub focal: [f64; 2],
    /// Principal point, pixels.
    pub principal_point: [f64; 2],
    /// Homogeneous transform from the camera (OpenCV axes) to the world, row-major.
    pub world_from_camera: [f64; 16],
    /// When it was taken, ns.
    pub stamp_ns: u64,
}

impl FrameView<'_> {
    /// Checks lengths and camera.
    ///
    /// # Errors
    /// [`GroundingError::WrongLength`] or [`GroundingError::BadCamera`].
    pub fn check(&self) -> Result<Pinhole, GroundingError> {
        let (width, height) = (self.width, self.height);
        let pixels = width * height;
        let lengths = [
            ("colour", pixels * 3, self.rgb.len()),
            ("depth", pixels, self.depth_mm.len()),
            (
                "segmentation",
                pixels,
                self.segmentation.map_or(pixels, <[u8]>::len),
            ),
        ];
        for (name, expected, found) in lengths {
            if expected != found || pixels == 0 {
                return Err(GroundingError::WrongLength {
                    name,
                    width,
                    height,
                    expected,
                    found,
                });
            }
        }
        Pinhole::new(self.focal, self.principal_point, self.world_from_camera)
    }
}
