//! The detectors, each a folder with a function `detector`.

use crate::config::GroundingConfig;
use crate::detector::Detector;

/// One line a detector: its folder, which is its name in the settings.
macro_rules! detectors {
    ($($name:ident,)+) => {
        $(mod $name;)+
        /// Name and maker of each.
        pub(crate) const ALL: &[(&str, fn(&GroundingConfig) -> Box<dyn Detector>)] =
            &[$((stringify!($name), $name::detector)),+];
    };
}

detectors! {
    labels,
    clusters,
}
