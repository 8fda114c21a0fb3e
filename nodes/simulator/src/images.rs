//! The cameras' images as messages.

use eyre::{Result, WrapErr};
use tiller_messages::{Encoding, ImageHeader, Label};
use tiller_node_kit::Outbox;
use tiller_playtable::{Camera, Channels, Frame, PlayTable, Renderer, labels};

/// Time between two images of a camera, simulated ns.
pub(crate) const PERIOD_NS: u64 = 100_000_000;

/// Renders and sends.
pub(crate) struct Images {
    renderer: Renderer,
    side: usize,
    frame: Frame,
    labels: Vec<Label>,
    seq: u64,
}

impl Images {
    /// Cameras with square images of `side` pixels.
    pub(crate) fn new(table: &PlayTable, side: usize) -> Result<Self> {
        let renderer = Renderer::new(table, side, side).wrap_err("cannot render the cameras")?;
        tracing::info!("rendering on {}", renderer.device());
        let labels = labels()
            .iter()
            .map(|(id, name)| Label {
                id: *id,
                name: (*name).to_owned(),
            })
            .collect();
        Ok(Self {
            renderer,
            side,
            frame: Frame::default(),
            labels,
            seq: 0,
        })
    }

    /// Sends the images of both cameras as of now.
    pub(crate) fn send(&mut self, table: &mut PlayTable, outbox: &mut Outbox) -> Result<()> {
        self.seq += 1;
        self.renderer
            .render(table, Camera::Static, Channels::ALL, &mut self.frame)?;
        let colour = self.header(table, Camera::Static);
        let depth = ImageHeader {
            encoding: Encoding::Mono16,
            ..colour.clone()
        };
        let segmentation = ImageHeader {
            encoding: Encoding::Mono8,
            labels: self.labels.clone(),
            ..colour.clone()
        };
        outbox.send_image("image", &colour, &self.frame.rgb)?;
        outbox.send_depth("depth", &depth, &self.frame.depth_mm)?;
        outbox.send_image("segmentation", &segmentation, &self.frame.segmentation)?;

        self.renderer
            .render(table, Camera::Wrist, Channels::COLOUR, &mut self.frame)?;
        let wrist = self.header(table, Camera::Wrist);
        outbox.send_image("wrist_image", &wrist, &self.frame.rgb)
    }

    fn header(&self, table: &PlayTable, camera: Camera) -> ImageHeader {
        let geometry = table.camera_geometry(camera, self.side, self.side);
        ImageHeader {
            seq: self.seq,
            stamp_ns: table.time_ns(),
            frame_id: camera.name().to_owned(),
            width: self.side,
            height: self.side,
            encoding: Encoding::Rgb8,
            focal: Some(geometry.focal),
            principal_point: Some(geometry.principal_point),
            world_from_camera: Some(geometry.world_from_camera),
            labels: Vec::new(),
        }
    }
}
