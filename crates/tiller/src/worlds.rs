//! The worlds that the command line knows, a line each, with the author that steers in them; the first one
//! is the default.

use tiller_bench::Subjects;
use tiller_grounding::GroundingConfig;

pub(crate) fn worlds() -> Subjects {
    Subjects::new().with(
        tiller_playtable::kind(),
        tiller_playtable_author::EmbeddedAuthor,
        GroundingConfig {
            ignored: tiller_playtable::WITHOUT_KEYPOINTS.map(str::to_owned).to_vec(),
            counts: tiller_playtable::KEYPOINT_COUNTS
                .map(|(name, count)| (name.to_owned(), count))
                .to_vec(),
            ..GroundingConfig::default()
        },
    )
}
