//! What is seen, as Rerun has it.

use std::collections::BTreeMap;

use rerun::components::{ImageBuffer, MediaType, ViewCoordinates};
use rerun::{
    AnnotationContext, Boxes2D, ChannelDatatype, ClassDescription, Clear, DepthImage, EncodedImage,
    ImageFormat, LineStrips3D, Pinhole, Points2D, Points3D, Quaternion, RecordingStream,
    RecordingStreamResult, Scalars, SegmentationImage, TextDocument, TextLog, TextLogLevel,
    TimeCell, Transform3D, TransformAxes3D,
};
use tiller_core::Pose;
use tiller_scene::{Camera, Colour, Gravity, Shown, What};

use crate::picture::jpeg;

/// The timeline of the robot's clock.
pub(crate) const ROBOT_TIME: &str = "robot_time";

/// Length of a pose's axes, m.
const AXES_M: f32 = 0.06;

/// How much of a picture labels hide.
const LABELS: f32 = 0.2;

/// How large a camera's picture is drawn in space, m before its lens.
const CAMERA_M: f32 = 0.12;

/// Writes things to a recording.
pub(crate) struct Sink {
    recording: RecordingStream,
    /// What labels stand for, by path, as it was told.
    names: BTreeMap<String, Vec<(u8, String)>>,
}

impl Sink {
    pub(crate) fn new(recording: RecordingStream) -> Self {
        Self {
            recording,
            names: BTreeMap::new(),
        }
    }

    /// Writes one thing.
    pub(crate) fn put(&mut self, shown: Shown) -> RecordingStreamResult<()> {
        let Shown {
            path,
            stamp_ns,
            what,
        } = shown;
        let rec = &self.recording;
        match stamp_ns.and_then(|ns| i64::try_from(ns).ok()) {
            Some(ns) => rec.set_time(ROBOT_TIME, TimeCell::from_duration_nanos(ns)),
            None => rec.disable_timeline(ROBOT_TIME),
        }
        match what {
            What::Picture { width, height, rgb } => match jpeg(width, height, &rgb) {
                Some(file) => rec.log(
                    path,
                    &EncodedImage::new(file).with_media_type(MediaType::jpeg()),
                ),
                None => Ok(()),
            },
            What::Depth {
                width,
                height,
                metres,
            } => {
                let bytes: Vec<u8> = metres.iter().flat_map(|m| m.to_le_bytes()).collect();
                let format = ImageFormat::depth([width, height], ChannelDatatype::F32);
                let depth = DepthImage::new(ImageBuffer::from(bytes), format);
                rec.log(path, &depth.with_meter(1.0))
            }
            What::Labels {
                width,
                height,
                ids,
                names,
            } => self.labels(path, [width, height], ids, names),
            What::Camera(camera) => self.camera(path, &camera),
            What::Points2 { at, colours, names } => rec.log(
                path,
                &Points2D::new(at)
                    .with_colors(colours.into_iter().map(colour))
                    .with_labels(names)
                    .with_radii([rerun::Radius::new_ui_points(4.0)]),
            ),
            What::Boxes2 { at, names } => {
                let corners = at.iter().map(|[x, y, ..]| [*x, *y]);
                let sizes = at.iter().map(|[.., w, h]| [*w, *h]);
                let boxes = Boxes2D::from_mins_and_sizes(corners, sizes);
                rec.log(path, &boxes.with_labels(names))
            }
            What::Points3 {
                at,
                colours,
                radius_m,
                names,
            } => rec.log(
                path,
                &Points3D::new(at)
                    .with_colors(colours.into_iter().map(colour))
                    .with_labels(names)
                    .with_radii([radius_m]),
            ),
            What::Lines3 {
                strips,
                colours,
                radius_m,
            } => rec.log(
                path,
                &LineStrips3D::new(strips)
                    .with_colors(colours.into_iter().map(colour))
                    .with_radii([radius_m]),
            ),
            What::Axes(pose) => {
                rec.log(path.as_str(), &transform(&pose))?;
                rec.log(path, &TransformAxes3D::new(AXES_M))
            }
            What::Series(values) => rec.log(path, &Scalars::new(values)),
            What::Line { gravity, text } => {
                let level = match gravity {
                    Gravity::Info => TextLogLevel::INFO,
                    Gravity::Warning => TextLogLevel::WARN,
                    Gravity::Error => TextLogLevel::ERROR,
                };
                rec.log(path, &TextLog::new(text).with_level(level))
            }
            What::Page(text) => rec.log(
                path,
                &TextDocument::new(text).with_media_type(MediaType::markdown()),
            ),
            What::Gone => rec.log(path, &Clear::flat()),
        }
    }

    fn camera(&self, path: String, camera: &Camera) -> RecordingStreamResult<()> {
        let rec = &self.recording;
        rec.log(path.as_str(), &transform(&camera.world_from_camera))?;
        let focal = camera.focal.map(|x| x as f32);
        let size = camera.size.map(|x| x as f32);
        let pinhole = Pinhole::from_focal_length_and_resolution(focal, size)
            .with_principal_point(camera.principal.map(|x| x as f32))
            .with_camera_xyz(ViewCoordinates::RDF)
            .with_image_plane_distance(CAMERA_M);
        rec.log(path, &pinhole)
    }

    fn labels(
        &mut self,
        path: String,
        size: [u32; 2],
        ids: Vec<u8>,
        names: Vec<(u8, String)>,
    ) -> RecordingStreamResult<()> {
        if !names.is_empty() && self.names.get(&path) != Some(&names) {
            let class =
                |(id, name): &(u8, String)| ClassDescription::from((u16::from(*id), name.as_str()));
            let context = AnnotationContext::new(names.iter().map(class));
            self.recording.log_static(path.as_str(), &context)?;
            self.names.insert(path.clone(), names);
        }
        let format = ImageFormat::segmentation(size, ChannelDatatype::U8);
        let labels = SegmentationImage::new(ImageBuffer::from(ids), format);
        self.recording.log(path, &labels.with_opacity(LABELS))
    }

    /// Everything is out.
    pub(crate) fn finish(&self) {
        if let Err(error) = self.recording.flush_blocking() {
            tracing::warn!("the view is not whole: {error}");
        }
    }
}

fn colour([r, g, b, opacity]: Colour) -> rerun::Color {
    rerun::Color::from_unmultiplied_rgba(r, g, b, opacity)
}

fn transform(pose: &Pose) -> Transform3D {
    let [w, x, y, z] = pose.quaternion_wxyz.map(|x| x as f32);
    let position = pose.position_m.map(|x| x as f32);
    Transform3D::from_translation_rotation(position, Quaternion::from_xyzw([x, y, z, w]))
}

#[cfg(test)]
mod tests;
