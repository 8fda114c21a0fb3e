//! The cameras' images as messages.

use eyre::Result;
use tiller_messages::{Encoding, ImageHeader, Label};
use tiller_node_kit::Outbox;
use tiller_world::{Channels, Frame, World, WorldInfo};

/// Time between two images of a camera, simulated ns.
pub(crate) const PERIOD_NS: u64 = 100_000_000;

/// Looks through every camera and sends what is seen.
pub(crate) struct Images {
    cameras: Vec<Camera>,
    labels: Vec<Label>,
    seq: u64,
}

/// A camera and where its images go.
struct Camera {
    name: &'static str,
    size: [usize; 2],
    channels: Channels,
    /// Port of its colour image.
    colour: String,
    frame: Frame,
}

impl Images {
    /// The world's cameras: the first one on `image`, `depth` and `segmentation`, as far as it has these
    /// channels, each further one on `<name>_image`. `side` makes all images square.
    pub(crate) fn new(info: &WorldInfo, side: Option<usize>) -> Self {
        let cameras = info.cameras.iter().enumerate().map(|(index, camera)| {
            let is_first = index == 0;
            Camera {
                name: camera.name,
                size: side.map_or(camera.size, |side| [side; 2]),
                channels: if is_first {
                    camera.channels
                } else {
                    Channels::COLOUR
                },
                colour: if is_first {
                    "image".to_owned()
                } else {
                    format!("{}_image", camera.name)
                },
                frame: Frame::default(),
            }
        });
        let label = |(id, name): &(u8, String)| Label {
            id: *id,
            name: name.clone(),
        };
        Self {
            cameras: cameras.collect(),
            labels: info.labels.iter().map(label).collect(),
            seq: 0,
        }
    }

    /// Sends the images of all cameras as of now; `origin_ns` is when the world's time began.
    pub(crate) fn send(
        &mut self,
        world: &mut dyn World,
        origin_ns: u64,
        outbox: &mut Outbox,
    ) -> Result<()> {
        self.seq += 1;
        for camera in &mut self.cameras {
            let frame = &mut camera.frame;
            world.look(camera.name, camera.size, camera.channels, frame)?;
            frame.stamp_ns += origin_ns;
            let colour = header(camera.name, frame, self.seq);
            outbox.send_image(&camera.colour, &colour, &frame.rgb)?;
            if camera.channels.depth {
                let depth = ImageHeader {
                    encoding: Encoding::Mono16,
                    ..colour.clone()
                };
                outbox.send_depth("depth", &depth, &frame.depth_mm)?;
            }
            if camera.channels.segmentation {
                let segmentation = ImageHeader {
                    encoding: Encoding::Mono8,
                    labels: self.labels.clone(),
                    ..colour
                };
                outbox.send_image("segmentation", &segmentation, &frame.segmentation)?;
            }
        }
        if self.seq == 1
            && let Some(renderer) = world.renderer()
        {
            tracing::info!("rendering on {renderer}");
        }
        Ok(())
    }
}

fn header(camera: &str, frame: &Frame, seq: u64) -> ImageHeader {
    ImageHeader {
        seq,
        stamp_ns: frame.stamp_ns,
        frame_id: camera.to_owned(),
        width: frame.width,
        height: frame.height,
        encoding: Encoding::Rgb8,
        focal: Some(frame.geometry.focal),
        principal_point: Some(frame.geometry.principal_point),
        world_from_camera: Some(frame.geometry.world_from_camera),
        labels: Vec::new(),
    }
}
