//! The newest of everything that is sensed.

use eyre::{Result, WrapErr};
use tiller_messages::{ImageHeader, Keypoints, RobotState};
use tiller_node_kit::{Freshness, ImageInput, Input, Stream};
use tiller_policy::ImageView;

/// The cameras under the names that policies know them by: of `image` and of `wrist_image`.
pub(crate) const CAMERAS: [&str; 2] = ["static", "wrist"];

/// What was sensed last.
pub(crate) struct Senses {
    image: Option<ImageInput>,
    wrist_image: Option<ImageInput>,
    state: Option<RobotState>,
    keypoints: Option<Keypoints>,
    states: Stream<RobotState>,
    keypoint_stream: Stream<Keypoints>,
    images: Freshness,
}

/// Images of one moment, and the robot and the keypoints as they are now.
pub(crate) struct Moment<'a> {
    /// Stamp of the images, ns.
    pub(crate) stamp_ns: u64,
    /// The images of [`CAMERAS`].
    pub(crate) images: [ImageView<'a>; 2],
    /// The robot.
    pub(crate) state: &'a RobotState,
    /// The keypoints, `[K]`, m; empty before the first.
    pub(crate) points: Vec<[f64; 3]>,
}

impl Senses {
    /// Nothing sensed yet; images may be `max_image_age_ns` old.
    pub(crate) fn new(max_image_age_ns: u64) -> Self {
        Self {
            image: None,
            wrist_image: None,
            state: None,
            keypoints: None,
            states: Stream::new("robot_state"),
            keypoint_stream: Stream::new("keypoints"),
            images: Freshness::new("image", max_image_age_ns),
        }
    }

    /// Takes an input if it is one of the senses'; says whether it was.
    pub(crate) fn take(&mut self, input: &Input) -> Result<bool> {
        match input.id.as_str() {
            "image" => self.image = Some(read_image(input)?),
            "wrist_image" => self.wrist_image = Some(read_image(input)?),
            "robot_state" => {
                if let Some(state) = self.states.read(&input.data)? {
                    self.state = Some(state);
                }
            }
            "keypoints" => {
                if let Some(keypoints) = self.keypoint_stream.read(&input.data)? {
                    self.keypoints = Some(keypoints);
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The robot's newest state.
    pub(crate) fn state(&self) -> Option<&RobotState> {
        self.state.as_ref()
    }

    /// The newest keypoints.
    pub(crate) fn keypoints(&self) -> Option<&Keypoints> {
        self.keypoints.as_ref()
    }

    /// The newest keypoints' positions.
    pub(crate) fn points(&self) -> Vec<[f64; 3]> {
        self.keypoints
            .as_ref()
            .map(|keypoints| keypoints.points().collect())
            .unwrap_or_default()
    }

    /// What to plan from, if both cameras (and, on request, the keypoints) have seen the same
    /// moment at or after `since_ns` and it is not too old.
    pub(crate) fn moment(
        &mut self,
        since_ns: u64,
        with_keypoints: bool,
    ) -> Result<Option<Moment<'_>>> {
        let (Some(image), Some(state)) = (&self.image, &self.state) else {
            return Ok(None);
        };
        let stamp_ns = image.header().stamp_ns;
        if stamp_ns < since_ns {
            return Ok(None);
        }
        if !self.images.is_fresh(stamp_ns, state.stamp_ns) {
            // Counted once: the next look is at another image.
            self.image = None;
            return Ok(None);
        }
        let (Some(image), Some(wrist), Some(state)) = (&self.image, &self.wrist_image, &self.state)
        else {
            return Ok(None);
        };
        if wrist.header().stamp_ns != stamp_ns {
            return Ok(None);
        }
        if with_keypoints
            && self
                .keypoints
                .as_ref()
                .is_none_or(|k| k.stamp_ns < stamp_ns)
        {
            return Ok(None);
        }
        let points = self
            .keypoints
            .as_ref()
            .map(|k| k.points().collect())
            .unwrap_or_default();
        let images = [view(CAMERAS[0], image)?, view(CAMERAS[1], wrist)?];
        Ok(Some(Moment {
            stamp_ns,
            images,
            state,
            points,
        }))
    }

    /// Images that were too old to plan from.
    pub(crate) fn dropped_images(&self) -> u64 {
        self.images.dropped()
    }
}

fn read_image(input: &Input) -> Result<ImageInput> {
    ImageInput::read(&input.metadata, input.data.clone())
        .wrap_err_with(|| format!("cannot read input `{}`", input.id))
}

fn view<'a>(name: &'a str, image: &'a ImageInput) -> Result<ImageView<'a>> {
    let ImageHeader { width, height, .. } = *image.header();
    Ok(ImageView {
        name,
        width,
        height,
        rgb: image.rgb()?,
    })
}
