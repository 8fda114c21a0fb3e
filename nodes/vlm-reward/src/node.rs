//! The node's loop.

use eyre::{Result, WrapErr, bail};
use tiller_messages::{Keypoints, Level, StageQuery, Status};
use tiller_node_kit::{ImageInput, Inbox, Input, Next, Outbox, Stream};
use tiller_vlm::{Author, EmbeddedAuthor};

use crate::config::{AuthorKind, Settings};
use crate::write::write;

/// Without keypoints there is nothing to write about.
pub(crate) const ESSENTIAL: &[&str] = &["keypoints"];

/// Writes a program for every grounding, until the keypoints end.
///
/// An instruction that the author refuses ends the node with an error, and with it the dataflow:
/// nothing could steer the robot.
pub(crate) fn run(settings: &Settings, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    let author: Box<dyn Author> = match settings.author {
        AuthorKind::Embedded => Box::new(EmbeddedAuthor),
    };
    let mut node = Node {
        settings,
        author,
        keypoints: Stream::new("keypoints"),
        queries: Stream::new("stage_query"),
        picture_stamp_ns: None,
        latest: None,
        written: 0,
        programs_sent: 0,
        statuses_sent: 0,
    };
    loop {
        match inbox.wait() {
            Next::Input(input) => node.take(input, outbox)?,
            Next::Idle | Next::Ended(_) => {}
            Next::End(end) => {
                tracing::info!("{end}");
                return Ok(());
            }
        }
    }
}

struct Node<'a> {
    settings: &'a Settings,
    author: Box<dyn Author>,
    keypoints: Stream<Keypoints>,
    queries: Stream<StageQuery>,
    /// Stamp of the newest annotated image.
    picture_stamp_ns: Option<u64>,
    latest: Option<Keypoints>,
    /// The keypoint generation that the last program was written for.
    written: u32,
    programs_sent: u64,
    statuses_sent: u64,
}

impl Node<'_> {
    fn take(&mut self, input: Input, outbox: &mut Outbox) -> Result<()> {
        match input.id.as_str() {
            "annotated_image" => {
                let image = ImageInput::read(&input.metadata, input.data)
                    .wrap_err("cannot read input `annotated_image`")?;
                self.picture_stamp_ns = Some(image.header().stamp_ns);
            }
            "keypoints" => {
                if let Some(keypoints) = self.keypoints.read(&input.data)? {
                    self.latest = Some(keypoints);
                }
            }
            "stage_query" => {
                // The embedded author has no eyes: it leaves the decision to the switcher.
                if let Some(query) = self.queries.read(&input.data)? {
                    tracing::debug!("no advice on stage {}: {}", query.stage, query.reason);
                }
                return Ok(());
            }
            other => tracing::warn!("input `{other}` is unknown"),
        }
        self.write_if_due(outbox)
    }

    /// Writes when the picture and the keypoints of a new grounding are both there.
    fn write_if_due(&mut self, outbox: &mut Outbox) -> Result<()> {
        let (Some(picture_ns), Some(keypoints)) = (self.picture_stamp_ns, &self.latest) else {
            return Ok(());
        };
        if keypoints.generation <= self.written || keypoints.stamp_ns < picture_ns {
            return Ok(());
        }
        let seq = self.programs_sent + 1;
        match write(self.author.as_ref(), self.settings, keypoints, seq) {
            Ok(program) => {
                self.written = keypoints.generation;
                self.programs_sent = seq;
                outbox.send("reward_program", &program)?;
                let text = format!(
                    "`{}`: {} stages by author `{}`",
                    program.instruction, program.num_stages, program.source
                );
                tracing::info!("{text}");
                self.tell(Level::Info, "program", text, outbox)
            }
            Err(none) => {
                self.tell(Level::Error, none.code, none.text.clone(), outbox)?;
                bail!(none.text)
            }
        }
    }

    fn tell(&mut self, level: Level, code: &str, text: String, outbox: &mut Outbox) -> Result<()> {
        self.statuses_sent += 1;
        let node = outbox.node_id().to_owned();
        let status = Status {
            seq: self.statuses_sent,
            node,
            level,
            code: code.to_owned(),
            text,
        };
        outbox.send("status", &status)
    }
}

#[cfg(test)]
mod tests;
