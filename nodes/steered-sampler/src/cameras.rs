//! The policy's cameras: which input shows which, and the newest moment that all of them have seen.

use std::sync::Arc;

use eyre::{Result, bail};
use tiller_node_kit::{
    FrameMatcher, FrameStamp, ImageInput, ImageReader, Input, Matched, Offered, Outbox, Refused,
};
use tiller_policy::{Bundle, ImageView, ObservationKind};

/// Name of the input that shows the only camera without an input of its own.
const FIRST: &str = "image";

/// One moment that all cameras have seen; cloning shares the pixels.
pub(crate) type Moment = Arc<Matched<ImageInput>>;

/// Reads the cameras' inputs and brings their frames together.
pub(crate) struct Cameras {
    /// Names by which the policy knows them.
    names: Vec<String>,
    /// The input of each.
    inputs: Vec<String>,
    readers: Vec<ImageReader>,
    matcher: FrameMatcher<ImageInput>,
    /// Stamp of the arm's last state, ns.
    arm_ns: Option<u64>,
    /// Stamp of the last moment, ns.
    taken_ns: u64,
}

/// How far a frame's stamp may lie from the arm's clock, ns.
const CLOCK_NS: u64 = 1_000_000_000;

/// The cameras that a bundle wants to see, in its order.
pub(crate) fn wanted(bundle: &Bundle) -> Vec<String> {
    let cameras = bundle.manifest().observations.iter();
    cameras
        .filter(|input| input.kind == ObservationKind::Image)
        .map(|input| input.source.clone())
        .collect()
}

impl Cameras {
    /// Cameras by the policy's names. Camera `c` is shown by the input that `mapping` names, else by
    /// `c_image`, `c` or, for one of them, `image`, as far as the dataflow wires them.
    ///
    /// # Errors
    /// When a camera has no input.
    pub(crate) fn new(
        names: Vec<String>,
        mapping: &[(String, String)],
        wired: &[String],
        tolerance_ns: u64,
    ) -> Result<Self> {
        let is_wired = |input: &str| wired.iter().any(|known| known == input);
        let mut inputs = Vec::new();
        for name in &names {
            let named = mapping.iter().find(|(camera, _)| camera == name);
            let own = [format!("{name}_image"), name.clone()];
            let input = match named {
                Some((_, input)) => Some(input.clone()).filter(|input| is_wired(input)),
                None => own.into_iter().find(|input| is_wired(input)),
            };
            inputs.push(input);
        }
        let taken = |input: &str| inputs.iter().flatten().any(|other| other == input);
        let spare = (is_wired(FIRST) && !taken(FIRST)).then(|| FIRST.to_owned());
        if let Some(first) = inputs.iter_mut().find(|input| input.is_none())
            && mapping.is_empty()
        {
            *first = spare;
        }
        let missing: Vec<_> = names
            .iter()
            .zip(&inputs)
            .filter(|(_, input)| input.is_none())
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        if !missing.is_empty() {
            bail!(
                "the policy wants to see {}: expected an input for each (`NAME_image`, `NAME`, \
                 `image`, or named by CAMERAS=NAME=INPUT), found inputs {}",
                missing.join(", "),
                wired.join(", ")
            );
        }
        let readers = names.iter().map(|_| ImageReader::new()).collect();
        let matcher = FrameMatcher::new(names.clone(), tolerance_ns);
        Ok(Self {
            names,
            inputs: inputs.into_iter().flatten().collect(),
            readers,
            matcher,
            arm_ns: None,
            taken_ns: 0,
        })
    }

    /// Whether the input shows a camera.
    pub(crate) fn has(&self, input: &str) -> bool {
        self.inputs.iter().any(|known| known == input)
    }

    /// Takes a frame; the moment that it completes, if it does.
    pub(crate) fn take(&mut self, input: &Input, now_ns: u64) -> Result<Option<Moment>, Refused> {
        let Some(index) = self.inputs.iter().position(|known| *known == input.id) else {
            return Ok(None);
        };
        let frame = self.readers[index]
            .read(&input.metadata, &input.data)
            .map_err(|error| Refused::new(&input.id, error))?;
        frame
            .rgb()
            .map_err(|error| Refused::new(&input.id, error))?;
        let stamp = FrameStamp {
            stamp_ns: frame.header().stamp_ns,
            arrival_ns: now_ns,
            fingerprint: frame.fingerprint(),
        };
        let stamp_ns = stamp.stamp_ns;
        let refuse = |expected: String| {
            let reason =
                format!("image metadata `stamp_ns`: expected {expected}, found {stamp_ns} ns");
            Err(Refused::new(&input.id, reason))
        };
        if self.matcher.offer(index, stamp, frame) == Offered::Late {
            return refuse(format!("a stamp after {} ns", self.taken_ns));
        }
        if let Some(arm_ns) = self.arm_ns.filter(|arm| arm.abs_diff(stamp_ns) > CLOCK_NS) {
            return refuse(format!("a stamp within 1 s of the arm's, {arm_ns} ns"));
        }
        let moment = self.matcher.take(0);
        if let Some(moment) = &moment {
            self.taken_ns = moment.stamp_ns;
        }
        Ok(moment.map(Arc::new))
    }

    /// The inputs that show cameras.
    pub(crate) fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// Notes the arm's clock, which the cameras should share, and whether the arm moves, so that
    /// pictures that stay the same are suspicious.
    pub(crate) fn reference(&mut self, stamp_ns: u64, moves: bool, now_ns: u64) {
        self.arm_ns = Some(stamp_ns);
        self.matcher.reference("arm_state", stamp_ns);
        self.matcher.scene_moves(moves, now_ns);
    }

    /// Learns of the robot's clock from what came with a state of the arm.
    pub(crate) fn learn_clock(&mut self, stamp_ns: u64, input: &Input) {
        for reader in &mut self.readers {
            reader.learn_clock(stamp_ns, &input.metadata);
        }
    }

    /// Forgets all frames: another episode begins.
    pub(crate) fn clear(&mut self) {
        self.matcher.clear();
    }

    /// Tells which camera has stopped, lags behind or is well again.
    pub(crate) fn tell(&mut self, now_ns: u64, outbox: &mut Outbox) -> Result<()> {
        for complaint in self.matcher.complaints(now_ns) {
            outbox.tell(
                complaint.kind.level(),
                complaint.kind.code(),
                complaint.text,
            )?;
        }
        Ok(())
    }

    /// The names by which the policy knows them.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }
}

/// The images of a moment as the policy takes them.
pub(crate) fn views<'a>(names: &'a [String], moment: &'a Moment) -> Vec<ImageView<'a>> {
    names
        .iter()
        .zip(&moment.frames)
        .filter_map(|(name, frame)| {
            let header = frame.header();
            Some(ImageView {
                name,
                width: header.width,
                height: header.height,
                // `take` has refused frames without colour.
                rgb: frame.rgb().ok()?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(names: &[&str], mapping: &[(&str, &str)], wired: &[&str]) -> Result<Vec<String>> {
        let own = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let mapping: Vec<_> = mapping
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        Ok(Cameras::new(own(names), &mapping, &own(wired), 1)?.inputs)
    }

    #[test]
    fn cameras_are_found_by_the_bundles_names() {
        let wired = ["image", "wrist_image", "third"];
        let found = inputs(&["static", "wrist", "third"], &[], &wired).unwrap();
        assert_eq!(found, wired);
        let mapping = [("a", "wrist_image"), ("b", "third")];
        let found = inputs(&["b", "a"], &mapping, &wired).unwrap();
        assert_eq!(found, ["third", "wrist_image"]);
    }

    #[test]
    fn a_camera_without_an_input_is_named() {
        let error = inputs(&["static", "wrist"], &[], &["image"]).unwrap_err();
        assert!(error.to_string().contains("`wrist`"), "{error}");
        let error = inputs(&["a"], &[("a", "nothing")], &["image"]).unwrap_err();
        assert!(error.to_string().contains("found inputs image"), "{error}");
    }
}
