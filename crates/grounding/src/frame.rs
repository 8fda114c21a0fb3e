//! One frame, borrowed from wherever it lies.

use crate::camera::Pinhole;
use crate::error::GroundingError;
use crate::hand::Hand;

/// A frame with its camera, borrowed: pixels are read where they arrived.
#[derive(Debug, Clone, Copy)]
pub struct FrameView<'a> {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Colour, `[height x width x 3]`.
    pub rgb: &'a [u8],
    /// Depth along the optical axis, mm, `[height x width]`; 0 where unknown. None where nobody
    /// measures it.
    pub depth_mm: Option<&'a [u16]>,
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

/// A frame that has been checked, with its camera and the depth to go by.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The frame.
    pub frame: FrameView<'a>,
    /// Its camera.
    pub camera: Pinhole,
    /// Depth, measured or of a plane, mm, `[height x width]`; 0 where unknown.
    pub depth_mm: &'a [u16],
    /// The hand when the frame was taken, if somebody says.
    pub hand: Option<Hand>,
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
            ("depth", pixels, self.depth_mm.map_or(pixels, <[u16]>::len)),
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

impl Scene<'_> {
    /// World point, m, that a pixel shows; none where the depth is unknown.
    pub fn point_m(&self, pixel: u32) -> Option<[f64; 3]> {
        let depth_mm = self.depth_mm[pixel as usize];
        let column = (pixel as usize % self.frame.width) as f64 + 0.5;
        let row = (pixel as usize / self.frame.width) as f64 + 0.5;
        (depth_mm > 0).then(|| {
            self.camera
                .back_project(column, row, f64::from(depth_mm) * 1e-3)
        })
    }
}
