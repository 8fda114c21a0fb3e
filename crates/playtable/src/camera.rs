//! The two cameras and their geometry.

/// A camera of the play table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Camera {
    /// Fixed, on the far side of the table, looking at the robot from above.
    Static,
    /// On the hand, looking along the fingers.
    Wrist,
}

impl Camera {
    /// Both cameras.
    pub const ALL: [Camera; 2] = [Camera::Static, Camera::Wrist];

    /// Identifier: `static` or `wrist`.
    pub fn name(self) -> &'static str {
        match self {
            Camera::Static => "static",
            Camera::Wrist => "wrist",
        }
    }
}
