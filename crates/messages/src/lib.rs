//! Typed messages of the Tiller dataflow and their Arrow form.
//!
//! Every message but an image is one Arrow struct of length 1 whose first column is
//! `schema_version`; [`Message::to_arrow`] writes it, [`Message::from_arrow`] reads it and names
//! what is wrong with one that does not fit. Images are flat arrays of pixels whose [`ImageHeader`]
//! travels in the metadata.
//!
//! Positions are in metres in the robot base frame, angles in radians, time in nanoseconds of the
//! clock of the machine that stamped it (simulated time in simulation). Sequence numbers count
//! from 1 on each stream and carry their sender's session, so a receiver sees what was lost and who
//! was started anew ([`SequenceCheck`]).
//!
//! ```
//! use tiller_messages::{Message, MessageError, StageCommand, Status};
//!
//! let command = StageCommand { seq: 1, stage: 2, visit: 1, guidance: true, ..Default::default() };
//! let array = command.to_arrow();
//! assert_eq!(StageCommand::from_arrow(&array)?, command);
//! assert!(Status::from_arrow(&array).is_err()); // another message: refused, not misread
//! # Ok::<(), MessageError>(())
//! ```

mod action;
mod any;
mod column;
mod error;
mod image;
mod liberal;
mod message;
mod part;
mod perception;
mod program;
mod robot;
mod run;
mod sequence;
mod stage;

pub use action::{ActionChunk, Candidates, DryPlan, ProgramContract};
pub use any::{AnyMessage, schemas};
pub use error::MessageError;
pub use image::{Encoding, HeaderError, HeaderValue, ImageHeader, Label, MAX_PIXELS, SentAt};
pub use message::{Message, SCHEMA_VERSION};
pub use perception::Keypoints;
pub use program::{
    Approval, ApprovalDecision, Level, Proposal, ProposalState, RewardProgram, Status,
};
pub use robot::{ArmCommand, ArmState, ExecutionMode, ExecutionState, Order};
pub use run::{BenchReport, BenchWork, Episode, Journal, SafetyEvent, TaskStatus};
pub use sequence::{Arrival, SequenceCheck};
pub use stage::{Progress, StageAdvice, StageCommand, StageQuery};
