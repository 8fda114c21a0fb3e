//! What pictures need to know of a scene: cameras, labels, and what glows.

use mujoco_rs::prelude::MjtObjBase;

use crate::names::Names;
use crate::pack::{Pack, Thing};
use crate::parts::{Place, parts};

/// What bodies of the robot are named after: arm, hand and mount.
const ROBOT_PREFIXES: [&str; 3] = ["robot0_", "gripper0_", "mount0_"];
/// The robot's label.
const ROBOT: &str = "robot";

/// A site that is shown while a joint is beyond some position.
#[derive(Debug, Clone)]
pub(crate) struct Lamp {
    pub(crate) site: usize,
    joints: Vec<usize>,
    from: f64,
    /// Opacities while it is not lit and while it is: the package has one minus the other.
    opacities: [f32; 2],
}

impl Lamp {
    pub(crate) fn opacity(&self, qpos: &[f64]) -> f32 {
        let is_lit = self.joints.iter().any(|place| qpos[*place] >= self.from);
        self.opacities[usize::from(is_lit)]
    }
}

/// Where in the scene that is.
#[derive(Debug, Clone)]
pub(crate) struct Scenery {
    /// By the pack's order.
    pub(crate) cameras: Vec<usize>,
    pub(crate) labels: Vec<(u8, String)>,
    /// By geom.
    pub(crate) geom_labels: Vec<u8>,
    pub(crate) lamps: Vec<Lamp>,
}

impl Scenery {
    /// Finds it and notes what the scene has not.
    pub(crate) fn find(pack: &Pack, names: &mut Names<'_>) -> Self {
        let description = pack.description();
        let cameras = description.cameras.iter().enumerate();
        let cameras = cameras
            .map(|(index, camera)| names.camera(&format!("cameras[{index}]"), camera))
            .collect();
        let mut labels = Vec::new();
        let mut lamps = Vec::new();
        let mut roots = vec![0; names.model.body_parentid().len()];
        for (name, thing) in &description.things {
            let Thing::Object {
                body,
                lit_sites,
                joints,
                articulation,
                ..
            } = thing
            else {
                continue;
            };
            // A pack has fewer things than there are labels.
            let label = labels.len() as u8 + 1;
            labels.push((label, name.clone()));
            let root = names.body(&format!("things.{name}.body"), body);
            if let Some(root) = roots.get_mut(root) {
                *root = label;
            }
            for site in lit_sites {
                let site = names.site(&format!("things.{name}.lit_sites"), site);
                let at = format!("things.{name}.joints");
                let opacity = names
                    .model
                    .site_rgba()
                    .get(site)
                    .map_or(0.0, |rgba| rgba[3]);
                if let Some([a, b]) = articulation.turnon {
                    let joints = joints.iter();
                    lamps.push(Lamp {
                        site,
                        joints: joints
                            .map(|joint| names.scalar_joint(&at, joint)[0])
                            .collect(),
                        from: a.min(b),
                        opacities: if opacity <= 0.0 {
                            [opacity, 1.0 - opacity]
                        } else {
                            [1.0 - opacity, opacity]
                        },
                    });
                }
            }
        }
        let robot = labels.len() as u8 + 1;
        labels.push((robot, ROBOT.to_owned()));
        let mut own = Vec::new();
        for (name, thing) in &description.things {
            for (part, place) in parts(name, thing) {
                // Beyond what 8 bits tell apart, a part has the label of its thing.
                let Ok(label) = u8::try_from(labels.len() + 1) else {
                    break;
                };
                labels.push((label, format!("{name} {part}")));
                match place {
                    Place::Joint(joint) => {
                        let body = names.joint_body(&format!("things.{name}.joints"), joint);
                        if let Some(root) = roots.get_mut(body) {
                            *root = label;
                        }
                    }
                    Place::Geom(geom) => own.push((geom, label)),
                }
            }
        }
        let mut geom_labels = geom_labels(names, roots, robot);
        for (geom, label) in own {
            let found = names.model.name_to_id(MjtObjBase::mjOBJ_GEOM, geom);
            if let Some(of) = found.and_then(|geom| geom_labels.get_mut(geom)) {
                *of = label;
            }
        }
        Self {
            cameras,
            labels,
            geom_labels,
            lamps,
        }
    }
}

/// Labels of geoms from those of root bodies: a body has its parent's, unless it has its own.
fn geom_labels(names: &Names<'_>, mut labels: Vec<u8>, robot: u8) -> Vec<u8> {
    let model = names.model;
    let index = |id: i32| usize::try_from(id).unwrap_or_default();
    // Parents come before their children; the world is its own.
    for (body, parent) in model.body_parentid().iter().enumerate().skip(1) {
        let name = model.id_to_name(MjtObjBase::mjOBJ_BODY, body);
        let name = name.unwrap_or_default();
        if labels[body] == 0 {
            let is_robot = ROBOT_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
            labels[body] = if is_robot {
                robot
            } else {
                labels[index(*parent)]
            };
        }
    }
    let bodies = model.geom_bodyid().iter();
    bodies.map(|body| labels[index(*body)]).collect()
}
