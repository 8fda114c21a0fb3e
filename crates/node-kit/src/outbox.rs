//! What a node sends.

use arrow::array::{ArrayRef, UInt16Array};
use dora_node_api::{DoraNode, MetadataParameters};
use eyre::{Result, WrapErr};
use std::sync::Arc;
use tiller_core::{MAX_STATUS, clip};
use tiller_messages::{ImageHeader, Level, Message, Status};

use crate::image::parameters;

/// A node's outputs.
pub struct Outbox {
    node: DoraNode,
    statuses: u64,
}

impl Outbox {
    /// Wraps a node.
    pub fn new(node: DoraNode) -> Self {
        Self { node, statuses: 0 }
    }

    /// The node's name in the dataflow.
    pub fn node_id(&self) -> &str {
        self.node.id().as_ref()
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When dora cannot take it.
    pub fn send<M: Message>(&mut self, output: &'static str, message: &M) -> Result<()> {
        let array: ArrayRef = Arc::new(message.to_arrow());
        self.node
            .send_output(output.into(), MetadataParameters::default(), array)
            .wrap_err_with(|| format!("cannot send `{output}`"))
    }

    /// Sends a [`Status`] on the output `status`.
    ///
    /// # Errors
    /// When dora cannot take it.
    pub fn tell(&mut self, level: Level, code: &str, text: String) -> Result<()> {
        self.statuses += 1;
        let status = Status {
            seq: self.statuses,
            node: self.node_id().to_owned(),
            level,
            code: code.to_owned(),
            text: clip(&text, MAX_STATUS).into_owned(),
        };
        self.send("status", &status)
    }

    /// Sends 8-bit pixels, written once into the memory that the receivers read.
    ///
    /// # Errors
    /// When the pixels do not fit the header, or dora cannot take them.
    pub fn send_image(
        &mut self,
        output: &'static str,
        header: &ImageHeader,
        pixels: &[u8],
    ) -> Result<()> {
        header.check_len(pixels.len())?;
        self.node
            .send_output_raw(output.into(), parameters(header), pixels.len(), |buffer| {
                buffer.copy_from_slice(pixels);
            })
            .wrap_err_with(|| format!("cannot send `{output}`"))
    }

    /// Sends depth in millimetres as `UInt16`, the type that hub cameras use.
    ///
    /// # Errors
    /// When the pixels do not fit the header, or dora cannot take them.
    pub fn send_depth(
        &mut self,
        output: &'static str,
        header: &ImageHeader,
        depth_mm: &[u16],
    ) -> Result<()> {
        header.check_len(depth_mm.len() * 2)?;
        let array: ArrayRef = Arc::new(UInt16Array::from_iter_values(depth_mm.iter().copied()));
        self.node
            .send_output(output.into(), parameters(header), array)
            .wrap_err_with(|| format!("cannot send `{output}`"))
    }
}
