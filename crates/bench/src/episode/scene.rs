//! The scene of a seed as grounding and policy see it.

use eyre::{OptionExt, Result, WrapErr};
use tiller_grounding::{Grounder, Keypoint};
use tiller_world::{CameraGeometry, CameraInfo, Channels, EpisodeSpec, Frame, WorldKind};

use super::eyes::Eyes;
use crate::rig::Rig;
use crate::sight::Sight;

/// Columns of the picture for people, pixels, where a camera can show so many.
const PICTURE_SIZE: usize = 768;

/// The keypoints of a scene, and where the hand begins.
#[derive(Clone, Debug, PartialEq)]
pub struct SeededScene {
    /// Keypoints as the first camera shows them, in the order that reward programs count them.
    pub keypoints: Vec<Keypoint>,
    /// Position of the tool centre point in the robot base frame, m.
    pub end_effector_m: [f64; 3],
}

/// What a policy is shown of a scene, and what people need to look at it; no object poses.
#[derive(Clone, Debug, PartialEq)]
pub struct SeededObservation {
    /// Keypoints and hand.
    pub scene: SeededScene,
    /// Where the first chunk's displacements start, m.
    pub anchor_m: [f64; 3],
    /// Distance between the fingers, m.
    pub gripper_width_m: f64,
    /// What each camera shows, in colour; the first one is that of the keypoints.
    pub images: Vec<SeenImage>,
    /// Geometry of the first camera's image.
    pub camera: CameraGeometry,
    /// The first camera's view in more pixels, for people.
    pub picture: SeenImage,
}

/// An image of a camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenImage {
    /// The camera's name.
    pub camera: String,
    /// Columns and rows, pixels.
    pub size: [usize; 2],
    /// RGB, rows from the top.
    pub rgb: Vec<u8>,
}

impl SeededScene {
    /// Sets up the scene of `seed`, with a task one in which it is feasible, and looks at it.
    ///
    /// # Errors
    /// When the world or its renderer does not start, has no such task, or no keypoint is found.
    pub fn look(kind: &dyn WorldKind, seed: u64, task: Option<&str>) -> Result<Self> {
        Ok(look(kind, seed, task)?.0)
    }
}

impl SeededObservation {
    /// Sets up the scene of `seed`, with a task one in which it is feasible, and looks at it through
    /// all cameras.
    ///
    /// # Errors
    /// As [`SeededScene::look`].
    pub fn look(kind: &dyn WorldKind, seed: u64, task: Option<&str>) -> Result<Self> {
        let (scene, mut rig, mut eyes) = look(kind, seed, task)?;
        eyes.look_elsewhere(rig.world.as_mut())?;
        eyes.draw()?;
        let images: Vec<SeenImage> = eyes
            .policy_images()
            .into_iter()
            .map(|image| SeenImage {
                camera: image.name.to_owned(),
                size: [image.width, image.height],
                rgb: image.rgb.to_vec(),
            })
            .collect();
        let first = eyes.first().ok_or_eyre("the world has no camera")?;
        let camera = first.geometry;
        let CameraInfo { name, max_size, .. } = kind.info().cameras[0];
        let size = large([first.width, first.height], max_size);
        let mut picture = Frame::default();
        rig.world.look(name, size, Channels::COLOUR, &mut picture)?;
        Ok(Self {
            scene,
            anchor_m: rig.anchor_m(),
            gripper_width_m: rig.reading().gripper_width_m,
            images,
            camera,
            picture: SeenImage {
                camera: name.to_owned(),
                size,
                rgb: picture.rgb,
            },
        })
    }
}

/// Columns and rows of a picture of that shape that is large, but not larger than a camera can show.
fn large([width, height]: [usize; 2], [most_width, most_height]: [usize; 2]) -> [usize; 2] {
    let (width, height) = (width.max(1), height.max(1));
    let columns = PICTURE_SIZE
        .min(most_width)
        .min(most_height * width / height);
    [columns, columns * height / width]
}

fn look(kind: &dyn WorldKind, seed: u64, task: Option<&str>) -> Result<(SeededScene, Rig, Eyes)> {
    let mut rig = Rig::new(kind).wrap_err("cannot make the world")?;
    rig.reset(&EpisodeSpec {
        tasks: task.map(ToOwned::to_owned).into_iter().collect(),
        seed,
        ..EpisodeSpec::default()
    })?;
    let mut eyes = Eyes::new(kind.info());
    eyes.look(rig.world.as_mut(), Channels::ALL)?;
    let mut grounder = Grounder::new(super::grounding(kind.info(), &Sight::default()))?;
    let frame = eyes.scene().ok_or_eyre("the world has no camera")?;
    let keypoints = grounder.ground(&frame)?.to_vec();
    let scene = SeededScene {
        keypoints,
        end_effector_m: rig.tool_m(),
    };
    Ok((scene, rig, eyes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_as_large_as_cameras_can_show() {
        assert_eq!(large([256, 256], [1024, 1024]), [768, 768]);
        assert_eq!(large([256, 256], [640, 480]), [480, 480]);
        assert_eq!(large([320, 240], [640, 480]), [640, 480]);
        assert_eq!(large([200, 100], [4000, 4000]), [768, 384]);
        assert_eq!(large([4, 4], [4, 4]), [4, 4]);
    }
}
