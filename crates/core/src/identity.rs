//! What a message belongs to.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$meta:meta])* $name:ident, $word:literal) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize,
            Deserialize,
        )]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($word, " {}"), self.0)
            }
        }
    };
}

id!(
    /// An episode: one instruction in one scene. 0 before the first.
    EpisodeId,
    "episode"
);

id!(
    /// A reward program as it was sent. 0 before the first.
    ProgramId,
    "program"
);

/// One visit of one stage of one program: what plans, progress and advice belong to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Visit {
    /// The program.
    pub program: ProgramId,
    /// The stage, counted from 1; 0 when there is none.
    pub stage: u32,
    /// How many times stages of any program have been entered, this one included.
    pub visit: u32,
}

impl Visit {
    /// Whether a stage is being visited at all.
    #[must_use]
    pub fn is_some(&self) -> bool {
        self.stage > 0
    }
}
