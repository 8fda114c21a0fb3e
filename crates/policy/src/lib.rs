//! Policy bundles: a checked manifest, normalisation, and the ONNX graphs behind it.
//!
//! A bundle is a directory with `policy.toml`, `encoder.onnx` (observations to conditions) and
//! `denoiser.onnx` (sample, timestep, conditions to prediction). [`Bundle::load`] checks the
//! manifest and the SHA-256 of both graphs and reports everything that is wrong at once;
//! [`Policy::open`] loads the graphs into ONNX Runtime and checks their inputs and outputs against
//! the manifest. A [`Policy`] encodes an observation once a chunk and is a
//! [`tiller_steering::Denoiser`] for all particles of that chunk.
//!
//! ```no_run
//! use std::path::Path;
//! use tiller_policy::{Bundle, ImageView, Observation, Policy, RuntimeOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (static_rgb, wrist_rgb) = (vec![0u8; 3 * 256 * 256], vec![0u8; 3 * 256 * 256]);
//! let bundle = Bundle::load(Path::new("models/policies/flow"))?;
//! let mut policy = Policy::open(&bundle, &RuntimeOptions::default())?;
//! policy.encode(&Observation {
//!     images: &[
//!         ImageView { name: "static", width: 256, height: 256, rgb: &static_rgb },
//!         ImageView { name: "wrist", width: 256, height: 256, rgb: &wrist_rgb },
//!     ],
//!     state: &[0.4, 0.0, 0.3, 0.08],
//!     environment: &[],
//!     instruction: "",
//! })?;
//! let space = policy.action_space();
//! # let _ = space;
//! # Ok(())
//! # }
//! ```

mod bundle;
mod condition;
mod denoiser;
mod encoder;
mod error;
mod find;
mod fit;
mod graph;
mod manifest;
mod network;
mod observation;
mod observer;
mod policy;
mod provider;
mod runtime;
mod tensor;
mod text;
mod weights;

pub use bundle::{Bundle, MANIFEST_FILE};
pub use condition::Condition;
pub use encoder::History;
pub use error::{BundleError, PolicyError};
pub use find::find_bundle;
pub use fit::{Fit, Fitted, Fitter};
pub use manifest::{
    Action, BundleFile, Files, GraphFile, Gripper, Manifest, ObservationInput, ObservationKind,
    Rotation, Scheduler, Spelling, Thresholding, WrittenState,
};
pub use network::{Network, NetworkInput, NetworkOutput};
pub use observation::{ImageView, Observation, Supply};
pub use observer::Observer;
pub use policy::{Policy, Runs};
pub use provider::Provider;
pub use runtime::{LIBRARY_FILE, RuntimeOptions, find_runtime};
