//! Objects by a network that gives each pixel a name, trained on pictures of the things themselves.
//!
//! Pixels of one name that hang together, or nearly, are one thing; where there may be several of a kind, those that lie apart
//! are, `cup 1` being the leftmost from the robot. The network looks at every frame, so that nothing drifts, and what was hidden
//! is found as soon as it shows.

mod bundle;
mod groups;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tiller_core::file::find_folder;

use crate::config::GroundingConfig;
use crate::detector::{Detector, Mask, Needs};
use crate::error::GroundingError;
use crate::frame::Scene;
use crate::tracker::Tracker;

use bundle::{Model, Named};

pub use bundle::NETWORK_FILE;
use groups::{Group, distance, groups};

/// Where networks are found by name, here and in every folder above.
const SHELF: &str = "models/detectors";

/// The folder of a network for the detector `learned`, which is asked for by path or by name below `models/detectors`, in `from`
/// or in a folder above it.
///
/// # Errors
/// [`GroundingError::BadSetting`], with the names that there are.
pub fn find_network(name: &str, from: &Path) -> Result<PathBuf, GroundingError> {
    find_folder(SHELF, NETWORK_FILE, name, from).map_err(|missing| {
        let known = match missing.known.join(", ") {
            names if names.is_empty() => "there are none".to_owned(),
            names => format!("there are: {names}"),
        };
        GroundingError::BadSetting {
            name: "model",
            expected: format!(
                "to be the folder of a network, as `models/train/detector.py` writes it, or a name below {SHELF} ({known})"
            ),
            found: format!("`{name}`"),
        }
    })
}

pub(super) fn detector(config: &GroundingConfig) -> Result<Box<dyn Detector>, GroundingError> {
    let name = config.model.as_ref().map(|path| path.to_string_lossy());
    let folder = find_network(&name.unwrap_or_default(), Path::new("."))?;
    let eye = Eye {
        model: Model::open(&folder)?,
        named: Named::default(),
    };
    Ok(Box::new(Learned {
        eye: Arc::new(Mutex::new(eye)),
    }))
}

/// The network and room for what it says.
struct Eye {
    model: Model,
    named: Named,
}

impl Eye {
    fn look(&mut self, scene: &Scene<'_>) -> Result<Vec<Group>, GroundingError> {
        self.model.name(&scene.frame, &mut self.named)?;
        Ok(self.seen(scene))
    }

    /// What it has just looked at.
    fn seen(&self, scene: &Scene<'_>) -> Vec<Group> {
        let enlarged = self.model.enlarged(scene.frame.height);
        groups(scene, &self.named, self.model.classes(), enlarged)
    }
}

/// Detects by the network, and follows by it.
struct Learned {
    eye: Arc<Mutex<Eye>>,
}

impl Detector for Learned {
    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn detect(&mut self, scene: &Scene<'_>, masks: &mut Vec<Mask>) -> Result<(), GroundingError> {
        let mut eye = self.eye.lock().unwrap_or_else(PoisonError::into_inner);
        let found = eye.look(scene)?;
        masks.clear();
        for (index, class) in eye.model.classes().iter().enumerate() {
            let mut these: Vec<&Group> = found.iter().filter(|it| it.class == index).collect();
            // The robot's left is along y.
            these.sort_by(|a, b| b.middle_m[1].total_cmp(&a.middle_m[1]));
            let several = these.len() > 1;
            for (number, group) in (1..).zip(these) {
                let object = if several {
                    format!("{} {number}", class.name)
                } else {
                    class.name.clone()
                };
                let pixels = group.pixels.clone();
                masks.push(Mask { object, pixels });
            }
        }
        Ok(())
    }

    fn tracker(&self) -> Box<dyn Tracker> {
        Box::new(Follower {
            eye: Arc::clone(&self.eye),
            objects: Vec::new(),
        })
    }
}

/// Follows by what the network names in every frame.
struct Follower {
    eye: Arc<Mutex<Eye>>,
    /// Class and place, m, of each object, as last seen.
    objects: Vec<Option<(usize, [f64; 3])>>,
}

impl Tracker for Follower {
    fn start(&mut self, scene: &Scene<'_>, masks: &[Mask]) {
        let eye = self.eye.lock().unwrap_or_else(PoisonError::into_inner);
        let found = eye.seen(scene);
        let of = |mask: &Mask| {
            let group = found.iter().find(|group| group.pixels == mask.pixels)?;
            Some((group.class, group.middle_m))
        };
        self.objects.clear();
        self.objects.extend(masks.iter().map(of));
    }

    fn follow(&mut self, scene: &Scene<'_>, masks: &mut Vec<Mask>) -> Result<(), GroundingError> {
        let mut eye = self.eye.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = eye.look(scene)?;
        masks.iter_mut().for_each(|mask| mask.pixels.clear());
        // Those of one kind keep who they are: the closest pair first.
        loop {
            let pairs = self.objects.iter().enumerate().flat_map(|(at, object)| {
                let open = object.filter(|_| masks[at].pixels.is_empty());
                let candidates = found.iter().enumerate();
                candidates.filter_map(move |(index, group)| {
                    let (class, middle_m) = open?;
                    let apart_m = distance(middle_m, group.middle_m);
                    (group.class == class).then_some((apart_m, at, index))
                })
            });
            let Some((_, at, index)) = pairs.min_by(|a, b| a.0.total_cmp(&b.0)) else {
                break;
            };
            let group = found.swap_remove(index);
            self.objects[at] = Some((group.class, group.middle_m));
            masks[at].pixels = group.pixels;
        }
        Ok(())
    }
}
