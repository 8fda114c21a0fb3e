//! An observation that every policy can take: grey pictures, the mean state, and an instruction.

use tiller_policy::{ImageView, Manifest, Observation, ObservationInput, ObservationKind};

/// What the robot is told, unless somebody says otherwise.
pub(super) const INSTRUCTION: &str = "pick it up";

/// Room for what a policy is shown.
pub(super) struct Typical<'a> {
    images: Vec<(&'a ObservationInput, Vec<u8>)>,
    state: Vec<f32>,
    environment: Vec<f32>,
    instruction: &'a str,
}

impl<'a> Typical<'a> {
    pub(super) fn of(manifest: &'a Manifest, instruction: &'a str) -> Self {
        let of_kind = |kind| {
            let inputs = manifest.observations.iter();
            inputs.filter(move |input| input.kind == kind)
        };
        let mean = |source: &str| -> Vec<f32> {
            of_kind(ObservationKind::State)
                .filter(|input| input.source == source)
                .flat_map(|input| input.mean.iter().copied())
                .collect()
        };
        let written = manifest.text().and_then(|text| text.state.as_ref());
        Self {
            images: of_kind(ObservationKind::Image)
                .map(|input| (input, vec![128; input.shape.iter().product()]))
                .collect(),
            state: written.map_or_else(|| mean("robot_state"), |state| state.mean.clone()),
            environment: mean("environment_state"),
            instruction,
        }
    }

    /// Hands it to `show`.
    pub(super) fn show<R>(&self, show: impl FnOnce(&Observation<'_>) -> R) -> R {
        let views = self.images.iter().map(|(input, rgb)| ImageView {
            name: &input.source,
            width: input.shape[2],
            height: input.shape[1],
            rgb,
        });
        let images: Vec<ImageView<'_>> = views.collect();
        show(&Observation {
            images: &images,
            state: &self.state,
            environment: &self.environment,
            instruction: self.instruction,
        })
    }
}
