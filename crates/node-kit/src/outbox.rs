//! What a node sends.

use std::sync::Arc;

use arrow::array::ArrayRef;
use dora_node_api::metadata::{FRAMING, FRAMING_ARROW_IPC};
use dora_node_api::{DoraNode, MetadataParameters, Parameter};
use eyre::{Result, WrapErr, bail, eyre};
use tiller_messages::{Encoding, ImageHeader, Level, Message, Status};

use crate::image::{Frames, Unit, parameters};

/// A node's outputs.
pub struct Outbox {
    node: DoraNode,
    statuses: u64,
    frames: Frames,
}

impl Outbox {
    /// Wraps a node.
    pub fn new(node: DoraNode) -> Self {
        Self {
            node,
            statuses: 0,
            frames: Frames::default(),
        }
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
            text,
        };
        self.send("status", &status)
    }

    /// Sends 8-bit pixels, or a file that holds them.
    ///
    /// # Errors
    /// When the pixels do not fit the header, or dora cannot take them.
    pub fn send_image(&mut self, output: &str, header: &ImageHeader, pixels: &[u8]) -> Result<()> {
        header.check_len(pixels.len())?;
        self.send_pixels(output, header, (Unit::Byte, pixels.len()), |buffer| {
            buffer.copy_from_slice(pixels);
            Ok(())
        })
    }

    /// Sends 8-bit pixels that `write` writes into the memory that the receivers read, which may
    /// hold anything before.
    ///
    /// # Errors
    /// When `write` fails, the encoding has no fixed size, or dora cannot take them.
    pub fn send_image_with(
        &mut self,
        output: &str,
        header: &ImageHeader,
        write: impl FnOnce(&mut [u8]) -> Result<()>,
    ) -> Result<()> {
        let word = header.encoding.as_str();
        let bytes = header
            .byte_len()
            .ok_or_else(|| eyre!("`{output}`: a {word} image cannot be written in place"))?;
        self.send_pixels(output, header, (Unit::Byte, bytes), write)
    }

    /// Sends depth in millimetres as `UInt16`, the type that hub cameras use.
    ///
    /// # Errors
    /// When the pixels do not fit the header, or dora cannot take them.
    pub fn send_depth(
        &mut self,
        output: &str,
        header: &ImageHeader,
        depth_mm: &[u16],
    ) -> Result<()> {
        header.check_len(depth_mm.len() * 2)?;
        self.send_depth_with(output, header, |buffer| {
            buffer.copy_from_slice(depth_mm);
            Ok(())
        })
    }

    /// As [`Outbox::send_image_with`], for depth in millimetres.
    ///
    /// # Errors
    /// When `write` fails, the encoding is not `mono16`, or dora cannot take them.
    pub fn send_depth_with(
        &mut self,
        output: &str,
        header: &ImageHeader,
        write: impl FnOnce(&mut [u16]) -> Result<()>,
    ) -> Result<()> {
        if header.encoding != Encoding::Mono16 {
            let word = header.encoding.as_str();
            bail!("`{output}`: expected depth as mono16, found {word}");
        }
        self.send_pixels(output, header, (Unit::Word, header.pixels()), |buffer| {
            let words = bytemuck::try_cast_slice_mut(buffer);
            write(words.map_err(|error| eyre!("memory for depth: {error}"))?)
        })
    }

    fn send_pixels(
        &mut self,
        output: &str,
        header: &ImageHeader,
        size: (Unit, usize),
        write: impl FnOnce(&mut [u8]) -> Result<()>,
    ) -> Result<()> {
        let memory = self.node.sample_allocator();
        let sample = self.frames.fill(&memory, size, write)?;
        let mut parameters = parameters(header);
        let framing = Parameter::String(FRAMING_ARROW_IPC.to_owned());
        parameters.insert(FRAMING.to_owned(), framing);
        self.node
            .send_output_sample(output.into(), parameters, Some(sample))
            .wrap_err_with(|| format!("cannot send `{output}`"))
    }
}
