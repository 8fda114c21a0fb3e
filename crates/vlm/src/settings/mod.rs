//! Settings of whoever asks a model: one table, and the one reader of it.
//!
//! A setting has three spellings: the node's own variable (`MODEL`), the variable that fills it in
//! through `dataflow.yml` (`TILLER_VLM_MODEL`), and the option of `tiller vlm` (`--model`).

mod read;
mod table;

pub use read::{Ready, read};
pub use table::{Kind, SETTINGS, Setting, markdown};
