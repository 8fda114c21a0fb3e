//! The detectors, each a folder with a function `detector`.

use crate::config::GroundingConfig;
use crate::detector::Detector;
use crate::error::GroundingError;

/// Makes a detector from the settings; a model that cannot be had is an error.
type Make = fn(&GroundingConfig) -> Result<Box<dyn Detector>, GroundingError>;

/// One line a detector: its folder, which is its name in the settings.
macro_rules! detectors {
    ($($name:ident,)+) => {
        $(mod $name;)+
        /// Name and maker of each.
        pub(crate) const ALL: &[(&str, Make)] = &[$((stringify!($name), $name::detector)),+];
    };
}

detectors! {
    labels,
    clusters,
    sam,
    learned,
}

pub use learned::{NETWORK_FILE, find_network};
pub use sam::Prompt;
