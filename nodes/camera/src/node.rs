//! The node's loop: frames from the cameras, episodes from whoever says what is to be done.

use std::time::Duration;

use eyre::{Result, bail};
use tiller_core::EpisodeId;
use tiller_messages::{Encoding, Episode, ImageHeader, Level};
use tiller_node_kit::{Inbox, Next, Outbox, Stream as Messages, fingerprint, robot_clock_ns};

use crate::config::Settings;
use crate::frame::Frame;
use crate::health::{Health, Look, brightness};
use crate::sources::{Stream, Word};

/// Without an arm nobody looks. Nothing has to come by it: its end is what matters.
pub(crate) const ESSENTIAL: &[&str] = &["arm_command"];

const INPUTS: &[&str] = &["arm_command", "episode"];

/// How often frames are looked for: so much later than it came one is sent at most.
const POLL: Duration = Duration::from_millis(5);

/// Runs until the arm's node ends, or until a recording that is not repeated has ended.
pub(crate) fn run(settings: &Settings, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    outbox.check_inputs(INPUTS)?;
    let cameras = cameras(settings, robot_clock_ns())?;
    let outputs: Vec<_> = cameras.iter().map(|camera| camera.port.as_str()).collect();
    outbox.check_outputs(&outputs)?;
    let mut node = Node {
        cameras,
        episodes: Messages::default(),
        last: EpisodeId(0),
        is_ready: false,
    };
    loop {
        match inbox.wait_at_most(POLL) {
            Next::Input(input) if input.id == "episode" => {
                let read = node.episodes.read(&input);
                if let Some(episode) = outbox.accept(read)? {
                    node.begin(episode, robot_clock_ns(), outbox)?;
                }
            }
            Next::Input(_) | Next::Idle | Next::Ended(_) => {}
            Next::End(end) => {
                tracing::info!("{end}");
                return Ok(());
            }
        }
        node.look(robot_clock_ns(), outbox)?;
        if !node.cameras.is_empty() && node.cameras.iter().all(|camera| camera.has_ended) {
            tracing::info!("the recordings have ended");
            return Ok(());
        }
        outbox.repeat_latched()?;
    }
}

struct Node {
    cameras: Vec<Camera>,
    episodes: Messages<Episode>,
    last: EpisodeId,
    /// Whether every camera has sent a frame, and that was told.
    is_ready: bool,
}

struct Camera {
    name: String,
    /// Where its colour goes.
    port: String,
    /// Whether its depth goes out too.
    is_main: bool,
    stream: Stream,
    health: Health,
    seq: u64,
    has_ended: bool,
    /// What its source failed of, as last told.
    failure: Option<String>,
}

fn cameras(settings: &Settings, now_ns: u64) -> Result<Vec<Camera>> {
    let of = |camera: &crate::config::Camera| {
        let name = camera.name.clone();
        let stream = Stream::start(&name, &camera.kind, &settings.options)?;
        Ok(Camera {
            port: match camera.is_main {
                true => "image".to_owned(),
                false => format!("{name}_image"),
            },
            health: Health::new(&name, settings.limits, now_ns),
            name,
            is_main: camera.is_main,
            stream,
            seq: 0,
            has_ended: false,
            failure: None,
        })
    };
    settings.cameras.iter().map(of).collect()
}

impl Node {
    /// An episode begins: it is told to everybody, as of now.
    fn begin(&mut self, said: Episode, now_ns: u64, outbox: &mut Outbox) -> Result<()> {
        let id = EpisodeId(said.id.0.max(self.last.0 + 1));
        self.last = id;
        let episode = Episode {
            id,
            stamp_ns: now_ns,
            instruction: said.instruction,
            seed: said.seed,
            tasks: said.tasks,
            ..Default::default()
        };
        outbox.latch("episode", episode)
    }

    /// Sends what has come, and tells how the cameras are.
    fn look(&mut self, now_ns: u64, outbox: &mut Outbox) -> Result<()> {
        for camera in &mut self.cameras {
            camera.look(now_ns, outbox)?;
        }
        if !self.is_ready && self.cameras.iter().all(|camera| camera.health.has_seen()) {
            self.is_ready = true;
            let text = "every camera has sent a picture; `tiller say` gives the first instruction";
            outbox.tell(Level::Info, "ready", text.to_owned())?;
        }
        Ok(())
    }
}

impl Camera {
    fn look(&mut self, now_ns: u64, outbox: &mut Outbox) -> Result<()> {
        let name = &self.name;
        let mut newest: Option<Box<Frame>> = None;
        while let Some(word) = self.stream.next() {
            match word {
                Word::Frame(frame) => {
                    if let Some(older) = newest.replace(frame) {
                        self.stream.give_back(older);
                    }
                }
                Word::Bad(reason) => {
                    let text = format!("camera `{name}`: a frame is left out: {reason}");
                    outbox.tell_seldom(Level::Warning, "frame_refused", text)?;
                }
                Word::Failed(reason) => {
                    // Every second the same again.
                    if self.failure.as_ref() != Some(&reason) {
                        let text = format!("camera `{name}`: {reason}; it is tried again");
                        outbox.tell(Level::Warning, "camera_failed", text)?;
                        self.failure = Some(reason);
                    }
                }
                Word::Died => bail!("camera `{name}`: its thread has died"),
                Word::Ended => {
                    self.has_ended = true;
                    let text = format!("camera `{name}`: its recording has ended");
                    outbox.tell(Level::Info, "camera_ended", text)?;
                }
            }
        }
        if let Some(frame) = newest {
            self.failure = None;
            let look = Look {
                stamp_ns: frame.stamp_ns,
                fingerprint: fingerprint(&frame.rgb),
                brightness: brightness(&frame.rgb),
            };
            self.health.see(look, now_ns);
            self.send(&frame, outbox)?;
            self.stream.give_back(frame);
        }
        // What has ended is late for good, and that was told.
        if !self.has_ended {
            for notice in self.health.notices(now_ns) {
                outbox.tell(notice.level, notice.code, notice.text)?;
            }
        }
        Ok(())
    }

    fn send(&mut self, frame: &Frame, outbox: &mut Outbox) -> Result<()> {
        self.seq += 1;
        let [width, height] = frame.size;
        let colour = ImageHeader {
            seq: self.seq,
            stamp_ns: frame.stamp_ns,
            frame_id: self.name.clone(),
            width,
            height,
            encoding: Encoding::Rgb8,
            focal: frame.geometry.focal,
            principal_point: frame.geometry.principal_point,
            world_from_camera: frame.geometry.world_from_camera,
            labels: Vec::new(),
        };
        outbox.send_image(&self.port, &colour, &frame.rgb)?;
        if self.is_main && !frame.depth_mm.is_empty() {
            let depth = ImageHeader {
                encoding: Encoding::Mono16,
                ..colour
            };
            outbox.send_depth("depth", &depth, &frame.depth_mm)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
