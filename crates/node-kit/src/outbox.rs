//! What a node sends.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arrow::array::{ArrayRef, StringArray, UInt8Array};
use dora_node_api::metadata::{FRAMING, FRAMING_ARROW_IPC};
use dora_node_api::{DoraArray, DoraNode, IntoArrow, MetadataParameters, Parameter};
use eyre::{Result, WrapErr, bail, eyre};
use tiller_core::{Environment, MAX_STATUS, clip, visible_block};
use tiller_messages::{Encoding, ImageHeader, Level, Message, Status};

use crate::Refused;
use crate::image::{Frames, Unit, parameters};
use crate::inbox::HEARTBEAT;
use crate::run_folder::own_run_folder;

/// How often latched messages are sent again for whoever joins.
const LATCH: Duration = Duration::from_secs(1);

/// How often refusals of one input are told at most.
const REFUSALS: Duration = Duration::from_secs(1);

/// A node's outputs. Messages are numbered here, and carry the node's session.
pub struct Outbox {
    /// None once the outputs are closed.
    node: Option<DoraNode>,
    node_id: String,
    /// The dataflow's number; none where there is none, as in tests.
    dataflow: Option<String>,
    wired: Vec<String>,
    /// Where the inputs come from; none where there is no dataflow, as in tests.
    sources: BTreeMap<String, String>,
    /// The recordings from which nodes are replayed, by node.
    recordings: BTreeMap<String, String>,
    /// What the dataflow declares; none where there is no dataflow, as in tests.
    declared: Option<Vec<String>>,
    session: u64,
    restarts: u32,
    numbers: BTreeMap<String, u64>,
    latched: BTreeMap<String, Latched>,
    refusals: BTreeMap<String, Refusals>,
    frames: Frames,
}

/// The program that dora puts in the place of recorded nodes, and its setting that names the recording.
const REPLAYER: (&str, &str) = ("dora-replay-node", "DORA_REPLAY_FILE");

/// Nodes that are replayed, each with the recording.
fn recordings(node: &DoraNode) -> BTreeMap<String, String> {
    let Ok(descriptor) = node.dataflow_descriptor() else {
        return BTreeMap::new();
    };
    let (program, setting) = REPLAYER;
    let replayed = descriptor.nodes.iter().filter(|node| {
        let path = node.path.as_deref().map(Path::new);
        path.and_then(Path::file_stem)
            .is_some_and(|stem| stem == program)
    });
    let recording = replayed.map(|node| {
        let file = node.env.as_ref().and_then(|env| env.get(setting));
        let file = file.map(ToString::to_string).unwrap_or_default();
        (node.id.to_string(), file)
    });
    recording.collect()
}

struct Latched {
    parameters: MetadataParameters,
    array: ArrayRef,
    sent: Instant,
}

#[derive(Default)]
struct Refusals {
    count: u64,
    told: Option<Instant>,
}

impl Outbox {
    /// Wraps a node.
    pub fn new(node: DoraNode) -> Self {
        let inputs = &node.node_config().inputs;
        let wired = inputs.keys().map(ToString::to_string).collect();
        let source = inputs.iter();
        let sources = source.map(|(id, input)| (id.to_string(), input.mapping.to_string()));
        let sources = sources.collect();
        let outputs = node.node_config().outputs.iter();
        let declared = Some(outputs.map(ToString::to_string).collect());
        Self {
            declared,
            sources,
            recordings: recordings(&node),
            dataflow: Some(node.dataflow_id().to_string()),
            ..Self::with_inputs(node, wired, session_from_clock())
        }
    }

    /// Wraps a node to which the dataflow wires these inputs, in this session.
    pub(crate) fn with_inputs(node: DoraNode, wired: Vec<String>, session: u64) -> Self {
        Self {
            node_id: node.id().to_string(),
            dataflow: None,
            restarts: node.restart_count(),
            node: Some(node),
            wired,
            sources: BTreeMap::new(),
            recordings: BTreeMap::new(),
            declared: None,
            session,
            numbers: BTreeMap::new(),
            latched: BTreeMap::new(),
            refusals: BTreeMap::new(),
            frames: Frames::default(),
        }
    }

    /// The node's name in the dataflow.
    pub fn node_id(&self) -> &str {
        &self.node_id
    }

    /// The node's settings. `RUN_DIR` is made the folder of this run: one that ends in `latest` is this
    /// dataflow's own, beside a link to it of that name; so is the `default` where none is set.
    ///
    /// # Errors
    /// When that folder cannot be made.
    pub fn environment(&self, default: Option<&str>) -> Result<Environment> {
        const NAME: &str = "RUN_DIR";
        let env = Environment::process();
        let set = std::env::var_os(NAME).filter(|set| !set.is_empty());
        let named = set.or(default.map(Into::into)).map(PathBuf::from);
        let (Some(named), Some(dataflow)) = (named, &self.dataflow) else {
            return Ok(env);
        };
        let what = || format!("{NAME}: cannot make a folder for `{}`", named.display());
        let folder = own_run_folder(&named, dataflow).wrap_err_with(what)?;
        Ok(match folder.to_str() {
            Some(folder) => env.replacing(NAME, folder),
            None => env,
        })
    }

    /// The inputs that the dataflow wires to this node.
    pub fn wired_inputs(&self) -> &[String] {
        &self.wired
    }

    /// The output that the dataflow wires to an input, `NODE/OUTPUT`; the input's name where that is not known.
    pub fn source_of<'a>(&'a self, input: &'a str) -> &'a str {
        self.sources.get(input).map_or(input, String::as_str)
    }

    /// The recording from which the node is replayed that an input comes from; none where it is live.
    pub fn recording_of(&self, input: &str) -> Option<&str> {
        let source = self.sources.get(input)?;
        let (node, _) = source.split_once('/')?;
        self.recordings.get(node).map(String::as_str)
    }

    /// Whether the dataflow declares an output of this name; so where there is no dataflow, as in tests.
    pub fn declares(&self, output: &str) -> bool {
        self.declared
            .as_ref()
            .is_none_or(|known| known.iter().any(|known| known == output))
    }

    /// The inputs that the dataflow wires to this node, each with node and output that it comes from; where
    /// there is no dataflow, with its own name.
    pub fn sources(&self) -> Vec<(String, String)> {
        let inputs = self.wired.iter().filter(|input| *input != HEARTBEAT);
        let source = |input: &String| self.sources.get(input).unwrap_or(input).clone();
        inputs.map(|input| (input.clone(), source(input))).collect()
    }

    /// Refuses a dataflow that wires inputs which the node would leave unread. A `known` name that
    /// begins with `*` stands for all that end so.
    ///
    /// # Errors
    /// With the names of those inputs.
    pub fn check_inputs<N: AsRef<str>>(&self, known: &[N]) -> Result<()> {
        let matches = |known: &str, input: &str| match known.strip_prefix('*') {
            Some(end) => input.ends_with(end),
            None => known == input,
        };
        let is_unknown = |input: &&str| {
            *input != HEARTBEAT && !known.iter().any(|known| matches(known.as_ref(), input))
        };
        let unknown: Vec<_> = self
            .wired
            .iter()
            .map(String::as_str)
            .filter(is_unknown)
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        bail!(
            "the dataflow wires inputs that this node does not read: expected none but {}, found {}",
            quoted(known.iter().map(AsRef::as_ref).collect()),
            quoted(unknown)
        )
    }

    /// Refuses a dataflow that does not declare outputs which the node will send: dora would leave
    /// them out.
    ///
    /// # Errors
    /// With the names of those outputs.
    pub fn check_outputs<N: AsRef<str>>(&self, sent: &[N]) -> Result<()> {
        let Some(declared) = &self.declared else {
            return Ok(());
        };
        let is_missing = |output: &&str| !declared.iter().any(|known| known == output);
        let missing: Vec<_> = sent.iter().map(AsRef::as_ref).filter(is_missing).collect();
        if missing.is_empty() {
            return Ok(());
        }
        bail!(
            "the dataflow does not declare outputs that this node sends: expected {} among its \
             `outputs`, found {}",
            quoted(missing),
            quoted(declared.iter().map(String::as_str).collect())
        )
    }

    /// The number that tells this start of the node from those before.
    pub fn session(&self) -> u64 {
        self.session
    }

    /// How often dora has started this node anew.
    pub fn restarts(&self) -> u32 {
        self.restarts
    }

    /// Sends a message; one without a number gets the output's next.
    ///
    /// # Errors
    /// When dora cannot take it.
    pub fn send<M: Message>(&mut self, output: &str, message: M) -> Result<()> {
        let array = self.numbered(output, message);
        self.send_array(output, array)
    }

    /// Sends a bare text, as nodes of others read it: an array of one string, without a number.
    ///
    /// # Errors
    /// When dora cannot take it.
    pub fn send_text(&mut self, output: &str, text: &str) -> Result<()> {
        self.send_array(output, Arc::new(StringArray::from(vec![text])))
    }

    /// Sends a message now, and the same again every second with [`Outbox::repeat_latched`], so that
    /// whoever starts or is started anew later gets it too.
    ///
    /// # Errors
    /// When dora cannot take it.
    pub fn latch<M: Message>(&mut self, output: &str, message: M) -> Result<()> {
        let array = self.numbered(output, message);
        self.latch_beside(output, MetadataParameters::default(), array)
    }

    /// The same with a picture: a file, or 8-bit pixels, that is seldom sent and without which nothing goes on.
    ///
    /// # Errors
    /// When it does not fit the header, or dora cannot take it.
    pub fn latch_image(
        &mut self,
        output: &str,
        header: &ImageHeader,
        pixels: Vec<u8>,
    ) -> Result<()> {
        header.check_len(pixels.len())?;
        let array: ArrayRef = Arc::new(UInt8Array::from(pixels));
        self.latch_beside(output, parameters(header), array)
    }

    fn latch_beside(
        &mut self,
        output: &str,
        parameters: MetadataParameters,
        array: ArrayRef,
    ) -> Result<()> {
        let latched = Latched {
            parameters: parameters.clone(),
            array: Arc::clone(&array),
            sent: Instant::now(),
        };
        self.latched.insert(output.to_owned(), latched);
        self.send_beside(output, parameters, array)
    }

    /// What was latched there holds no longer, and is not sent again.
    pub fn unlatch(&mut self, output: &str) {
        self.latched.remove(output);
    }

    /// Sends latched messages again that were sent a second ago. Call it in the node's loop.
    ///
    /// # Errors
    /// When dora cannot take one.
    pub fn repeat_latched(&mut self) -> Result<()> {
        let now = Instant::now();
        let due: Vec<_> = self
            .latched
            .iter_mut()
            .filter(|(_, latched)| now.duration_since(latched.sent) >= LATCH)
            .map(|(output, latched)| {
                latched.sent = now;
                let array = Arc::clone(&latched.array);
                (output.clone(), latched.parameters.clone(), array)
            })
            .collect();
        due.into_iter()
            .try_for_each(|(output, beside, array)| self.send_beside(&output, beside, array))
    }

    /// Lets go of all who listen: their inputs close as if the node had ended. Nothing is sent any more;
    /// what is told goes to the log alone.
    pub fn close(&mut self) {
        // To close them one by one would overtake what was sent before.
        self.node = None;
    }

    fn numbered<M: Message>(&mut self, output: &str, mut message: M) -> ArrayRef {
        if message.seq() == 0 {
            let number = self.numbers.entry(output.to_owned()).or_default();
            *number += 1;
            message.number(self.session, *number);
        }
        Arc::new(message.to_arrow())
    }

    fn send_array(&mut self, output: &str, array: ArrayRef) -> Result<()> {
        self.send_beside(output, MetadataParameters::default(), array)
    }

    fn send_beside(
        &mut self,
        output: &str,
        parameters: MetadataParameters,
        data: impl IntoArrow,
    ) -> Result<()> {
        let Some(node) = &mut self.node else {
            return Ok(());
        };
        node.send_output(output.to_owned().into(), parameters, data)
            .wrap_err_with(|| format!("cannot send `{output}`"))
    }

    /// Sends what somebody else sent before, as it was; false where the dataflow declares no such output.
    ///
    /// # Errors
    /// When dora cannot take it.
    pub fn send_again(
        &mut self,
        output: &str,
        parameters: MetadataParameters,
        data: DoraArray,
    ) -> Result<bool> {
        let is_declared = |declared: &Vec<String>| declared.iter().any(|known| known == output);
        if !self.declared.as_ref().is_none_or(is_declared) {
            return Ok(false);
        }
        self.send_beside(output, parameters, data)?;
        Ok(true)
    }

    /// Logs a text and sends it as a [`Status`] on the output `status`. Whatever it quotes is visible in
    /// both, and its length is limited.
    ///
    /// # Errors
    /// When dora cannot take it.
    pub fn tell(&mut self, level: Level, code: &str, text: String) -> Result<()> {
        let text = clip(&visible_block(&text), MAX_STATUS).into_owned();
        match level {
            Level::Info => tracing::info!("{text}"),
            Level::Warning => tracing::warn!("{text}"),
            Level::Error => tracing::error!("{text}"),
        }
        let status = Status {
            node: self.node_id().to_owned(),
            level,
            code: code.to_owned(),
            text,
            ..Default::default()
        };
        self.send("status", status)
    }

    /// The message of an input; a refusal is told and forgotten.
    ///
    /// # Errors
    /// When dora cannot take the status.
    pub fn accept<T>(&mut self, read: Result<Option<T>, Refused>) -> Result<Option<T>> {
        match read {
            Ok(message) => Ok(message),
            Err(refused) => self.refuse(&refused).map(|()| None),
        }
    }

    /// Tells that a message was refused: at once, then at most once a second for each input.
    ///
    /// # Errors
    /// When dora cannot take the status.
    pub fn refuse(&mut self, refused: &Refused) -> Result<()> {
        let Some(count) = self.refusal_to_tell(&refused.input) else {
            return Ok(());
        };
        let text = format!("{refused} ({count} refused so far)");
        self.tell(Level::Warning, "message_refused", text)
    }

    /// As [`Outbox::tell`]; warnings whose code ends in `_refused` are told at once, then at most once a
    /// second each: what is refused tends to come again.
    ///
    /// # Errors
    /// When dora cannot take it.
    pub fn tell_seldom(&mut self, level: Level, code: &str, text: String) -> Result<()> {
        if level != Level::Warning || !code.ends_with("_refused") {
            return self.tell(level, code, text);
        }
        match self.refusal_to_tell(code) {
            Some(count) => self.tell(level, code, format!("{text} ({count} refused so far)")),
            None => Ok(()),
        }
    }

    /// Counts a refusal of an input; the count, if it is time to tell it.
    pub fn refusal_to_tell(&mut self, input: &str) -> Option<u64> {
        let refusals = self.refusals.entry(input.to_owned()).or_default();
        refusals.count += 1;
        let now = Instant::now();
        let is_due = refusals
            .told
            .is_none_or(|told| now.duration_since(told) >= REFUSALS);
        if is_due {
            refusals.told = Some(now);
        }
        is_due.then_some(refusals.count)
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
        let Some(node) = &mut self.node else {
            return Ok(());
        };
        let memory = node.sample_allocator();
        let sample = self.frames.fill(&memory, size, write)?;
        let mut parameters = parameters(header);
        let framing = Parameter::String(FRAMING_ARROW_IPC.to_owned());
        parameters.insert(FRAMING.to_owned(), framing);
        node.send_output_sample(output.to_owned().into(), parameters, Some(sample))
            .wrap_err_with(|| format!("cannot send `{output}`"))
    }
}

fn quoted(names: Vec<&str>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Larger after every restart; nobody restarts a node twice in a microsecond.
fn session_from_clock() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.map_or(1, |time| time.as_micros() as u64)
}

#[cfg(test)]
mod tests;
