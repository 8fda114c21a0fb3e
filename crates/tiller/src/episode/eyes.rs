//! The cameras as policy and grounding want them.

use tiller_grounding::FrameView;
use tiller_playtable::{Camera, Channels, Frame, PlayTable, RenderError, Renderer, labels};
use tiller_policy::ImageView;

/// Columns and rows of every image, pixels.
pub(super) const IMAGE_SIZE: usize = 256;

/// The cameras under the names that policies know them by.
pub(super) const CAMERAS: [&str; 2] = ["static", "wrist"];

/// The two cameras and what they saw last.
pub(super) struct Eyes {
    renderer: Renderer,
    fixed: Frame,
    wrist: Frame,
    labels: Vec<(u8, String)>,
}

impl Eyes {
    pub(super) fn new(table: &PlayTable) -> Result<Self, RenderError> {
        Ok(Self {
            renderer: Renderer::new(table, IMAGE_SIZE, IMAGE_SIZE)?,
            fixed: Frame::default(),
            wrist: Frame::default(),
            labels: labels()
                .iter()
                .map(|(id, name)| (*id, (*name).to_owned()))
                .collect(),
        })
    }

    /// Looks through the static camera.
    pub(super) fn look(
        &mut self,
        table: &mut PlayTable,
        channels: Channels,
    ) -> Result<(), RenderError> {
        self.renderer
            .render(table, Camera::Static, channels, &mut self.fixed)
    }

    /// Looks through the wrist camera, in colour.
    pub(super) fn look_at_hand(&mut self, table: &mut PlayTable) -> Result<(), RenderError> {
        self.renderer
            .render(table, Camera::Wrist, Channels::COLOUR, &mut self.wrist)
    }

    /// What the policy sees.
    pub(super) fn policy_images(&self) -> [ImageView<'_>; 2] {
        let view = |name, frame: &'_ Frame| (name, frame.width, frame.height);
        let [a, b] = [view(CAMERAS[0], &self.fixed), view(CAMERAS[1], &self.wrist)];
        [
            ImageView {
                name: a.0,
                width: a.1,
                height: a.2,
                rgb: &self.fixed.rgb,
            },
            ImageView {
                name: b.0,
                width: b.1,
                height: b.2,
                rgb: &self.wrist.rgb,
            },
        ]
    }

    /// What grounding sees; the static camera must have looked with all channels.
    pub(super) fn scene(&self, table: &PlayTable) -> FrameView<'_> {
        let geometry = table.camera_geometry(Camera::Static, self.fixed.width, self.fixed.height);
        FrameView {
            width: self.fixed.width,
            height: self.fixed.height,
            rgb: &self.fixed.rgb,
            depth_mm: Some(&self.fixed.depth_mm),
            segmentation: Some(&self.fixed.segmentation),
            labels: &self.labels,
            focal: geometry.focal,
            principal_point: geometry.principal_point,
            world_from_camera: geometry.world_from_camera,
            stamp_ns: table.time_ns(),
        }
    }

    /// The static camera's last colour image.
    pub(super) fn rgb(&self) -> &[u8] {
        &self.fixed.rgb
    }
}
