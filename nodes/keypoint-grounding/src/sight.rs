//! The images of one camera: colour, and depth and labels where they are needed.

use tiller_core::SECOND_NS;
use tiller_grounding::{Calibration, FrameView, Geometry, GroundingError, Hands, Needs};
use tiller_messages::ImageHeader;
use tiller_node_kit::{
    Complaint, FrameMatcher, FrameStamp, ImageError, ImageInput, ImageReader, Input, Matched,
    Offered,
};

use crate::config::Settings;

/// Name of the colour image's input, and of the camera where it gives itself none.
pub(crate) const COLOUR: &str = "image";
const DEPTH: &str = "depth";
const LABELS: &str = "segmentation";

/// Name of the input that brings the arm's clock.
pub(crate) const ARM: &str = "arm_state";

/// How far an image's stamp may lie from the arm's clock, ns.
const CLOCK_NS: u64 = SECOND_NS;

/// Inputs that show something, whether it is needed or not.
pub(crate) const IMAGES: &[&str] = &[COLOUR, DEPTH, LABELS];

/// Reads the images and brings those of one moment together.
pub(crate) struct Sight {
    inputs: Vec<&'static str>,
    readers: Vec<ImageReader>,
    matcher: FrameMatcher<ImageInput>,
    calibration: Calibration,
    camera: Option<String>,
    /// What is older belongs to another scene, ns.
    not_before_ns: u64,
    /// The newest stamp of the arm's clock, ns; none where no arm is heard.
    arm_ns: Option<u64>,
}

/// The images of one moment; cloning shares the pixels.
pub(crate) struct Moment {
    colour: ImageInput,
    depth: Option<ImageInput>,
    labels: Option<ImageInput>,
    names: Vec<(u8, String)>,
    geometry: Geometry,
}

impl Sight {
    /// Waits for the images that are needed.
    pub(crate) fn new(settings: &Settings, needs: Needs) -> Self {
        let wanted = [
            (COLOUR, true),
            (DEPTH, needs.depth),
            (LABELS, needs.segmentation),
        ];
        let inputs: Vec<_> = wanted
            .into_iter()
            .filter(|(_, needed)| *needed)
            .map(|(input, _)| input)
            .collect();
        Self {
            readers: inputs.iter().map(|_| ImageReader::new()).collect(),
            matcher: FrameMatcher::new(inputs.iter().copied(), settings.tolerance_ns),
            inputs,
            calibration: settings.calibration.clone(),
            camera: settings.camera.clone(),
            not_before_ns: 0,
            arm_ns: None,
        }
    }

    /// Takes an image that arrived at `now_ns` of this machine's clock; gives the moment that it
    /// completes. A camera on the hand is where the hand was.
    ///
    /// # Errors
    /// Why it, or the moment, cannot be used.
    pub(crate) fn take(
        &mut self,
        input: &Input,
        now_ns: u64,
        hands: &Hands,
    ) -> Result<Option<Moment>, String> {
        let Some(index) = self.inputs.iter().position(|known| *known == input.id) else {
            return Ok(None);
        };
        let image = self.read(index, input).map_err(|error| error.to_string())?;
        let stamp_ns = image.header().stamp_ns;
        if stamp_ns < self.not_before_ns {
            return Ok(None);
        }
        let stamp = FrameStamp {
            stamp_ns,
            arrival_ns: now_ns,
            // Labels may stay as they are while the arm moves, and so may quantised depth.
            fingerprint: if index == 0 { image.fingerprint() } else { 0 },
        };
        match self.matcher.offer(index, stamp, image) {
            Offered::Kept => {}
            Offered::Repeated => {
                return Err(format!("expected a new stamp, found {stamp_ns} ns again"));
            }
            Offered::Late => {
                return Err(format!(
                    "expected a later stamp than that of the last frame, found {stamp_ns} ns"
                ));
            }
        }
        if let Some(arm_ns) = self.arm_ns.filter(|arm| arm.abs_diff(stamp_ns) > CLOCK_NS) {
            return Err(format!(
                "stamp_ns: expected within 1 s of the arm's, {arm_ns} ns, found {stamp_ns} ns"
            ));
        }
        let matched = self.matcher.take(0);
        matched
            .map(|matched| self.moment(matched, hands))
            .transpose()
    }

    /// Notes the arm's clock, which cameras should share, and whether the arm moves, so that a picture
    /// that stays the same is suspicious.
    pub(crate) fn reference(&mut self, stamp_ns: u64, moves: bool, now_ns: u64) {
        self.arm_ns = Some(stamp_ns);
        self.matcher.reference(ARM, stamp_ns);
        self.matcher.scene_moves(moves, now_ns);
    }

    /// Learns of the robot's clock from what came with a state of the arm.
    pub(crate) fn learn_clock(&mut self, stamp_ns: u64, input: &Input) {
        for reader in &mut self.readers {
            reader.learn_clock(stamp_ns, &input.metadata);
        }
    }

    /// What there is to say of the streams.
    pub(crate) fn complaints(&mut self, now_ns: u64) -> Vec<Complaint> {
        self.matcher.complaints(now_ns)
    }

    /// Forgets what was seen before `not_before_ns`.
    pub(crate) fn begin(&mut self, not_before_ns: u64) {
        self.not_before_ns = not_before_ns;
        self.matcher.clear();
    }

    /// Images whose counterparts never came.
    pub(crate) fn unmatched(&self) -> u64 {
        self.matcher.unmatched()
    }

    /// The names of the tables in the calibration that may be this camera's.
    fn names<'a>(&'a self, header: &'a ImageHeader) -> [&'a str; 3] {
        [
            self.camera.as_deref().unwrap_or(""),
            &header.frame_id,
            COLOUR,
        ]
    }

    /// Where a calibration would speak of this camera, and what there is instead.
    pub(crate) fn where_to_say(&self, header: &ImageHeader) -> String {
        let mut tables: Vec<_> = self
            .names(header)
            .into_iter()
            .filter(|n| !n.is_empty())
            .collect();
        tables.dedup();
        let tables = tables.join("]` or `[");
        let found = match self.calibration.names().collect::<Vec<_>>() {
            found if found.is_empty() => "no table".to_owned(),
            found => format!("`[{}]`", found.join("]`, `[")),
        };
        format!(
            "a table `[{tables}]` in the file that CALIBRATION names can say it; found {found} there"
        )
    }

    fn read(&mut self, index: usize, input: &Input) -> Result<ImageInput, ImageError> {
        let mut image = self.readers[index].read(&input.metadata, &input.data)?;
        match self.inputs[index] {
            COLOUR => image.rgb().map(|_| ())?,
            DEPTH => image.depth_mm().map(|_| ())?,
            _ => image.labels().map(|_| ())?,
        }
        let calibration = self.calibration.camera(&self.names(image.header()));
        if let Some(camera) = calibration.copied() {
            image.complete(|header| header.stamp_ns = camera.robot_ns(header.stamp_ns));
        }
        Ok(image)
    }

    fn moment(&self, matched: Matched<ImageInput>, hands: &Hands) -> Result<Moment, String> {
        let mut frames = matched.frames.into_iter().zip(&self.inputs);
        let (colour, _) = frames.next().ok_or("no image")?;
        let (mut depth, mut labels) = (None, None);
        for (frame, input) in frames {
            let [ours, theirs] = [&colour, &frame].map(|i| (i.header().width, i.header().height));
            if ours != theirs {
                return Err(format!(
                    "expected `{input}` of the size of `{COLOUR}`, {} x {}, found {} x {}",
                    ours.0, ours.1, theirs.0, theirs.1
                ));
            }
            *(if *input == DEPTH {
                &mut depth
            } else {
                &mut labels
            }) = Some(frame);
        }
        let header = colour.header();
        let mut geometry = Geometry {
            focal: header.focal,
            principal_point: header.principal_point,
            world_from_camera: header.world_from_camera,
        };
        if let Some(camera) = self.calibration.camera(&self.names(header)) {
            geometry = camera.complete(geometry, [header.width, header.height])?;
            geometry = camera.carried(geometry, hands.at(header.stamp_ns).as_ref())?;
        }
        let names = labels
            .iter()
            .flat_map(|image: &ImageInput| &image.header().labels);
        let names = names.map(|label| (label.id, label.name.clone())).collect();
        Ok(Moment {
            colour,
            depth,
            labels,
            names,
            geometry,
        })
    }
}

impl Moment {
    /// When it was, ns.
    pub(crate) fn stamp_ns(&self) -> u64 {
        self.colour.header().stamp_ns
    }

    /// What is known of the colour image, the calibration's knowledge included.
    pub(crate) fn header(&self) -> ImageHeader {
        ImageHeader {
            focal: self.geometry.focal,
            principal_point: self.geometry.principal_point,
            world_from_camera: self.geometry.world_from_camera,
            ..self.colour.header().clone()
        }
    }

    /// The frame; its pixels are those that arrived, in place where they could be.
    pub(crate) fn view(&self) -> Result<FrameView<'_>, GroundingError> {
        let [focal, principal_point] = [self.geometry.focal, self.geometry.principal_point];
        let pose = self.geometry.world_from_camera;
        let (Some(focal), Some(principal_point), Some(world_from_camera)) =
            (focal, principal_point, pose)
        else {
            return Err(self.geometry.unknown());
        };
        let header = self.colour.header();
        Ok(FrameView {
            width: header.width,
            height: header.height,
            // Their kinds were checked when they came.
            rgb: self.colour.rgb().unwrap_or_default(),
            depth_mm: self.depth.as_ref().and_then(|image| image.depth_mm().ok()),
            segmentation: self.labels.as_ref().and_then(|image| image.labels().ok()),
            labels: &self.names,
            focal,
            principal_point,
            world_from_camera,
            stamp_ns: header.stamp_ns,
        })
    }

    /// Why nothing at all may be seen in it.
    pub(crate) fn blindness(&self) -> &'static str {
        let empty_depth =
            |image: &ImageInput| image.depth_mm().is_ok_and(|d| d.iter().all(|mm| *mm == 0));
        let empty_labels = |image: &ImageInput| {
            let named = |id: &u8| self.names.iter().any(|(known, _)| known == id);
            image.labels().is_ok_and(|ids| !ids.iter().any(named))
        };
        if self.depth.as_ref().is_some_and(empty_depth) {
            "the depth image is empty"
        } else if self.labels.as_ref().is_some_and(empty_labels) {
            "the labels name nothing"
        } else {
            "all objects are hidden or out of view"
        }
    }
}
