//! The node's loop: everything that comes is turned into what is seen, and never waited for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use dora_node_api::{Metadata, Parameter};
use eyre::{Result, WrapErr, eyre};
use rerun::RecordingStream;
use tiller_messages::{
    ArmState, Candidates, Episode, ExecutionState, HeaderValue, Keypoints, Level, ProgramContract,
    Progress, RewardProgram, SafetyEvent, StageCommand, Status, TaskStatus,
};
use tiller_node_kit::{
    HEARTBEAT, ImageInput, ImageReader, Inbox, Input, Next, Outbox, Refused, Stream,
};
use tiller_scene::{Run, Shown, ViewQueue, What, hub};

use crate::blueprint;
use crate::config::Settings;
use crate::destination::{Opened, open};
use crate::field::FieldThread;
use crate::sink::Sink;

/// The run is over when the world has said its last word; without one, when all inputs are.
pub(crate) const ESSENTIAL: &[&str] = &["task_status"];

/// Pictures and other things that may wait to be written.
const MOST_HEAVY: usize = 16;
const MOST_LIGHT: usize = 4_096;

/// How often it is looked whether there is a field to be drawn.
const LOOK: Duration = Duration::from_millis(250);

/// How long writing goes on after the run.
const LAST: Duration = Duration::from_secs(5);

/// Shows a run until it ends.
pub(crate) fn run(settings: &Settings, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    let Opened {
        recording,
        problem,
        mut awaited,
    } = open(&settings.destination)?;
    if let Some(text) = problem {
        outbox.tell(Level::Warning, "no_viewer", text)?;
    }
    let cameras: Vec<_> = outbox
        .wired_inputs()
        .iter()
        .filter(|id| is_camera(id))
        .cloned()
        .collect();
    blueprint::send(&recording, &cameras).wrap_err("cannot lay out the view")?;
    let queue = Arc::new(ViewQueue::new(MOST_HEAVY, MOST_LIGHT));
    let writer = write(recording, Arc::clone(&queue))?;
    let field = match settings.field {
        true => Some(FieldThread::start(
            Arc::clone(&queue),
            settings.between_heavy,
        )?),
        false => None,
    };
    let mut view = View::new(settings);
    let mut looked = Instant::now();
    loop {
        match inbox.wait_at_most(LOOK) {
            Next::Input(input) => {
                if let Err(refused) = view.take(&input) {
                    outbox.refuse(&refused)?;
                }
            }
            Next::Idle | Next::Ended(_) => {}
            Next::End(end) => {
                tracing::debug!("{end}");
                break;
            }
        }
        view.run.drain().for_each(|shown| queue.put(shown));
        if looked.elapsed() >= LOOK {
            looked = Instant::now();
            match awaited.as_ref().and_then(|one| one.settled(looked)) {
                None => {}
                Some(settled) => {
                    awaited = None;
                    if let Err(text) = settled {
                        outbox.tell(Level::Warning, "no_viewer", text)?;
                    }
                }
            }
            if let (Some(field), Some(request)) = (&field, view.run.field_request()) {
                field.ask(request);
            }
        }
    }
    drop(field);
    queue.close();
    let begin = Instant::now();
    while !writer.is_finished() && begin.elapsed() < LAST {
        thread::sleep(Duration::from_millis(20));
    }
    let kept = queue.kept();
    tracing::info!(
        "{} things shown; {} pictures and {} other things given up for newer ones",
        kept.taken,
        kept.dropped_heavy,
        kept.dropped_light
    );
    Ok(())
}

/// A thread that writes what comes out of the queue.
fn write(recording: RecordingStream, queue: Arc<ViewQueue>) -> Result<thread::JoinHandle<()>> {
    let run = move || {
        let mut sink = Sink::new(recording);
        let mut is_told = false;
        while let Ok(shown) = queue.take(Duration::from_secs(1)) {
            let put = shown.map_or(Ok(()), |shown| sink.put(shown));
            if let Err(error) = put
                && !std::mem::replace(&mut is_told, true)
            {
                tracing::warn!("not everything is shown: {error}");
            }
        }
        sink.finish();
    };
    thread::Builder::new()
        .name("view".to_owned())
        .spawn(run)
        .map_err(|error| eyre!("no thread to write the view: {error}"))
}

/// Whether an input is a camera's pictures: named as the sampler's are.
fn is_camera(input: &str) -> bool {
    input != "annotated_image" && (input == "image" || input.ends_with("_image"))
}

/// What is seen of the inputs.
struct View<'s> {
    settings: &'s Settings,
    run: Run,
    reader: ImageReader,
    streams: Streams,
    /// When a picture of an input was last taken.
    taken: BTreeMap<String, Instant>,
    /// Of the newest picture of a hub's node.
    picture_size: Option<[u32; 2]>,
}

#[derive(Default)]
struct Streams {
    arms: Stream<ArmState>,
    candidates: Stream<Candidates>,
    contracts: Stream<ProgramContract>,
    episodes: Stream<Episode>,
    executions: Stream<ExecutionState>,
    keypoints: Stream<Keypoints>,
    programs: Stream<RewardProgram>,
    progress: Stream<Progress>,
    safety: Stream<SafetyEvent>,
    stages: Stream<StageCommand>,
    statuses: BTreeMap<String, Stream<Status>>,
    tasks: Stream<TaskStatus>,
}

impl<'s> View<'s> {
    fn new(settings: &'s Settings) -> Self {
        Self {
            settings,
            run: Run::default(),
            reader: ImageReader::new(),
            streams: Streams::default(),
            taken: BTreeMap::new(),
            picture_size: None,
        }
    }

    fn take(&mut self, input: &Input) -> Result<(), Refused> {
        let (run, streams) = (&mut self.run, &mut self.streams);
        match input.id.as_str() {
            HEARTBEAT => {}
            // Metadata that says what it is goes before names.
            _ if input.metadata.parameters.contains_key("primitive") => self.hub(input)?,
            "arm_state" => streams
                .arms
                .read(input)?
                .into_iter()
                .for_each(|m| run.on_arm(m)),
            "candidates" => {
                let read = streams.candidates.read(input)?;
                read.iter().for_each(|m| run.on_candidates(m));
            }
            "program_contract" => {
                let read = streams.contracts.read(input)?;
                read.into_iter().for_each(|m| run.on_contract(m));
            }
            "episode" => streams
                .episodes
                .read(input)?
                .into_iter()
                .for_each(|m| run.on_episode(m)),
            "execution_state" => {
                let read = streams.executions.read(input)?;
                read.iter().for_each(|m| run.on_execution(m));
            }
            "keypoints" => {
                let read = streams.keypoints.read(input)?;
                read.into_iter().for_each(|m| run.on_keypoints(m));
            }
            "reward_program" => {
                let read = streams.programs.read(input)?;
                read.into_iter().for_each(|m| run.on_program(m));
            }
            "progress" => streams
                .progress
                .read(input)?
                .iter()
                .for_each(|m| run.on_progress(m)),
            "safety_event" => streams
                .safety
                .read(input)?
                .iter()
                .for_each(|m| run.on_safety(m)),
            "stage" => streams
                .stages
                .read(input)?
                .into_iter()
                .for_each(|m| run.on_stage(m)),
            "task_status" => streams
                .tasks
                .read(input)?
                .iter()
                .for_each(|m| run.on_task(m)),
            id if id.ends_with("status") => {
                let stream = streams.statuses.entry(id.to_owned()).or_default();
                stream.read(input)?.iter().for_each(|m| run.on_status(m));
            }
            "depth" | "segmentation" => {
                if self.is_due(&input.id, self.settings.between_heavy) {
                    self.depth_or_labels(input)?;
                }
            }
            id if is_camera(id) || id == "annotated_image" => {
                if self.is_due(&input.id, self.settings.between_pictures) {
                    let image = self.image(input)?;
                    let refused = |error| Refused::new(&input.id, error);
                    let rgb = image.rgb().map_err(refused)?;
                    match is_camera(id) {
                        true => self.run.on_picture(id, image.header(), rgb),
                        false => self.run.on_drawing(id, image.header(), rgb),
                    }
                }
            }
            _ => self.hub(input)?,
        }
        Ok(())
    }

    /// Whether an input's picture is to be taken now: not so soon after the last.
    fn is_due(&mut self, input: &str, between: Duration) -> bool {
        let now = Instant::now();
        // A picture that comes a moment early belongs to its beat.
        let between = between.mul_f64(0.9);
        match self.taken.get_mut(input) {
            Some(last) if now.duration_since(*last) < between => false,
            Some(last) => {
                *last = now;
                true
            }
            None => {
                self.taken.insert(input.to_owned(), now);
                true
            }
        }
    }

    fn image(&mut self, input: &Input) -> Result<ImageInput, Refused> {
        let read = self.reader.read(&input.metadata, &input.data);
        read.map_err(|error| Refused::new(&input.id, error))
    }

    fn depth_or_labels(&mut self, input: &Input) -> Result<(), Refused> {
        let image = self.image(input)?;
        let refused = |error| Refused::new(&input.id, error);
        match input.id.as_str() {
            "depth" => {
                let depth = image.depth_mm().map_err(refused)?;
                self.run.on_depth(image.header(), depth);
            }
            _ => {
                let ids = image.labels().map_err(refused)?;
                self.run.on_labels("image", image.header(), ids);
            }
        }
        Ok(())
    }

    /// What a node of dora's hub sends.
    fn hub(&mut self, input: &Input) -> Result<(), Refused> {
        let refused = |error: &dyn std::fmt::Display| Refused::new(&input.id, error);
        let lookup = |key: &str| value(&input.metadata, key);
        let primitive = hub::primitive(&input.id, &lookup).map_err(|error| refused(&error))?;
        let is_large = ["image", "depth", "masks"].contains(&primitive);
        if is_large && !self.is_due(&input.id, self.settings.between_pictures) {
            return Ok(());
        }
        if primitive == "image" {
            let image = self.image(input)?;
            let header = image.header();
            self.picture_size = Some([header.width as u32, header.height as u32]);
            let rgb = image.rgb().map_err(|error| refused(&error))?;
            self.run.on_picture(&input.id, header, rgb);
            return Ok(());
        }
        let array = input.data.as_array();
        let things = hub::read(primitive, array.as_ref(), &lookup, self.picture_size)
            .map_err(|error| refused(&error))?;
        for (below, what) in things {
            let path = format!("{}{below}", path_of(&input.id, &what));
            self.run.push(Shown {
                path,
                stamp_ns: self.run.now_ns(),
                what,
            });
        }
        Ok(())
    }
}

/// Where the layout looks for things of this kind.
fn path_of(input: &str, what: &What) -> String {
    let group = match what {
        What::Series(_) => "plots",
        What::Line { .. } | What::Page(_) => "texts/log",
        What::Labels { .. } | What::Points2 { .. } | What::Boxes2 { .. } => "world/cameras",
        _ => "world/hub",
    };
    format!("{group}/{input}")
}

/// A value of the metadata, in the words of headers.
fn value(metadata: &Metadata, key: &str) -> Option<HeaderValue> {
    Some(match metadata.parameters.get(key)? {
        Parameter::Integer(n) => HeaderValue::Integer(*n),
        Parameter::Float(n) => HeaderValue::Number(*n),
        Parameter::String(text) => HeaderValue::Text(text.clone()),
        Parameter::ListFloat(numbers) => HeaderValue::Numbers(numbers.clone()),
        Parameter::ListInt(numbers) => {
            HeaderValue::Numbers(numbers.iter().map(|n| *n as f64).collect())
        }
        Parameter::ListString(texts) => HeaderValue::Texts(texts.clone()),
        Parameter::Bool(flag) => HeaderValue::Flag(*flag),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
