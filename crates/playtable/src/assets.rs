//! The scene's files, embedded so that a binary works from any folder.

use mujoco_rs::prelude::{MjModel, MjModelError, MjVfsError};
use mujoco_rs::wrappers::mj_auxiliary::MjVfs;

/// The embedded scene could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum AssetError {
    /// MuJoCo did not take an embedded file.
    #[error("embedded file {name} was not accepted: {source}")]
    File {
        /// Name inside the scene.
        name: &'static str,
        /// MuJoCo's reason.
        source: MjVfsError,
    },
    /// MuJoCo did not compile the scene.
    #[error("the play table's scene does not compile: {0}")]
    Scene(#[from] MjModelError),
}

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!("../assets/", $name)) as &[u8])),*]
    };
}

const SCENE: &str = "playtable.xml";

const FILES: [(&str, &[u8]); 14] = embedded![
    "playtable.xml",
    "panda.xml",
    "link0.stl",
    "link1.stl",
    "link2.stl",
    "link3.stl",
    "link4.stl",
    "link5_collision_0.obj",
    "link5_collision_1.obj",
    "link5_collision_2.obj",
    "link6.stl",
    "link7.stl",
    "hand.stl",
    "finger_0.obj",
];

const ADDED: &str = "added.xml";

/// Compiles the embedded scene, or a scene that includes it.
pub(crate) fn load_model(added: Option<&str>) -> Result<MjModel, AssetError> {
    let mut files = MjVfs::new();
    for (name, bytes) in FILES {
        files
            .add_from_buffer(name, bytes)
            .map_err(|source| AssetError::File { name, source })?;
    }
    let Some(added) = added else {
        return Ok(MjModel::from_xml_vfs(SCENE, &files)?);
    };
    files
        .add_from_buffer(ADDED, added.as_bytes())
        .map_err(|source| AssetError::File {
            name: ADDED,
            source,
        })?;
    Ok(MjModel::from_xml_vfs(ADDED, &files)?)
}
