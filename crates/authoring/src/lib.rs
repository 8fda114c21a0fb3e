//! Reward programs on their way from an episode's instruction and keypoints to the message that is sent.
//!
//! A [`Desk`] is told what a program is to be written from and what was answered, and says what to ask and what came of
//! it. It has no network, clock or thread: whoever drives it asks. What it was told and what it said makes a
//! journal ([`DeskEvent`], [`DeskEffect`]), from which another desk does the same again, to the last bit.

mod desk;
mod edited;
mod picture;
mod scene;

pub use desk::{Answered, Commission, Desk, DeskEffect, DeskEvent, Finished, Next};
pub use edited::{Edit, edited_source, is_edited};
pub use picture::{EncodeError, encode, picture_of};
pub use scene::scene;
