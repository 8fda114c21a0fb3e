//! The cameras' images as messages.

use eyre::Result;
use tiller_messages::{Encoding, ImageHeader, Label};
use tiller_node_kit::Outbox;
use tiller_world::{Channels, Frame, Shot, World, WorldInfo};

use crate::drawing::{Drawing, Sheet};

/// Time between two images of a camera, simulated ns.
pub(crate) const PERIOD_NS: u64 = 100_000_000;

/// Takes pictures through every camera and sends them when they are drawn.
pub(crate) struct Images {
    cameras: Vec<Camera>,
    labels: Vec<Label>,
    seq: u64,
    /// Started with the first picture of a world that leaves the drawing to others.
    drawing: Option<Drawing>,
}

/// A camera and where its images go.
struct Camera {
    name: &'static str,
    size: [usize; 2],
    channels: Channels,
    /// Port of its colour image.
    colour: String,
    /// Memory of pictures that were sent.
    frame: Frame,
    shot: Option<Box<dyn Shot>>,
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
                shot: None,
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
            drawing: None,
        }
    }

    /// Takes pictures of all cameras as of now; `origin_ns` is when the world's time began. They are sent at once
    /// where the world has to draw them itself. The world never gets ahead of its pictures by more than one: those
    /// before are waited for.
    pub(crate) fn take(
        &mut self,
        world: &mut dyn World,
        origin_ns: u64,
        outbox: &mut Outbox,
    ) -> Result<()> {
        self.finish(outbox)?;
        self.seq += 1;
        for index in 0..self.cameras.len() {
            let camera = &mut self.cameras[index];
            let (size, channels) = (camera.size, camera.channels);
            let mut frame = std::mem::take(&mut camera.frame);
            match world.shoot(camera.name, size, channels, camera.shot.take()) {
                Some(shot) => {
                    let sheet = Sheet {
                        camera: index,
                        seq: self.seq,
                        origin_ns,
                        shot: shot?,
                        frame,
                    };
                    let drawing = match &mut self.drawing {
                        Some(drawing) => drawing,
                        empty => empty.insert(Drawing::start()?),
                    };
                    drawing.order(sheet)?;
                }
                None => {
                    world.look(camera.name, size, channels, &mut frame)?;
                    self.send(index, self.seq, origin_ns, &frame, outbox)?;
                    self.cameras[index].frame = frame;
                    if self.seq == 1
                        && index == 0
                        && let Some(renderer) = world.renderer()
                    {
                        tracing::info!("rendering on {renderer}");
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether pictures are being drawn.
    pub(crate) fn are_being_drawn(&self) -> bool {
        self.drawing.as_ref().is_some_and(Drawing::is_busy)
    }

    /// Sends the pictures that are ready.
    pub(crate) fn send_ready(&mut self, outbox: &mut Outbox) -> Result<()> {
        self.send_drawn(false, outbox)
    }

    /// Waits for pictures that are being drawn, and sends them.
    pub(crate) fn finish(&mut self, outbox: &mut Outbox) -> Result<()> {
        self.send_drawn(true, outbox)
    }

    fn send_drawn(&mut self, wait: bool, outbox: &mut Outbox) -> Result<()> {
        while let Some(drawing) = &mut self.drawing
            && let Some(sheet) = drawing.next(wait)?
        {
            self.send(
                sheet.camera,
                sheet.seq,
                sheet.origin_ns,
                &sheet.frame,
                outbox,
            )?;
            let camera = &mut self.cameras[sheet.camera];
            camera.frame = sheet.frame;
            camera.shot = Some(sheet.shot);
        }
        Ok(())
    }

    fn send(
        &self,
        camera: usize,
        seq: u64,
        origin_ns: u64,
        frame: &Frame,
        outbox: &mut Outbox,
    ) -> Result<()> {
        let camera = &self.cameras[camera];
        let colour = ImageHeader {
            seq,
            stamp_ns: frame.stamp_ns + origin_ns,
            frame_id: camera.name.to_owned(),
            width: frame.width,
            height: frame.height,
            encoding: Encoding::Rgb8,
            focal: Some(frame.geometry.focal),
            principal_point: Some(frame.geometry.principal_point),
            world_from_camera: Some(frame.geometry.world_from_camera),
            labels: Vec::new(),
        };
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
        Ok(())
    }
}
