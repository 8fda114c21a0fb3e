//! Programs, written again by those who wrote them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tiller_authoring::{
    Answered, Commission, Desk, DeskEffect, DeskEvent, Edit, Next, is_edited, picture_of,
};
use tiller_closed_loop::SamplerEvent;
use tiller_closed_loop::journal::{AuthorHeader, Entry, Machine, effect_bytes, read_effects};
use tiller_core::{EpisodeId, ProgramId, visible_line};
use tiller_messages::RewardProgram;
use tiller_vlm::Author;
use tiller_vlm::prompt::PromptSet;
use tiller_vlm::provider::{
    EmbeddedProvider, FilesProvider, Matching, Outcome, Picture, ProviderError, Query, Reply,
};
use tiller_vlm::repair::{AuthoringPolicy, Fallback};

use crate::check::{Comparison, word};
use crate::frames::Frames;
use crate::report::{ProgramReport, Report, Verdict};
use crate::{ReplayError, Stories, Story};

/// Who is asked where no model is.
const EMBEDDED: &str = "embedded";

/// Characters of a program's line that are shown.
const SHOWN: usize = 80;

/// What a replay needs beside the recording.
#[derive(Debug, Clone, Copy)]
pub struct Means<'a> {
    /// Where policies are looked for whose folder is no more where it was.
    pub here: &'a Path,
    /// Authors that need no network, by the names of their worlds.
    pub authors: &'a [(&'a str, Arc<dyn Author>)],
    /// A folder of exchanges to take models' answers from, in the place of those that the recording holds.
    pub exchanges: Option<&'a Path>,
}

/// A program as its author sent it, and what came of writing it again.
struct Rewritten {
    sent: RewardProgram,
    verdict: Verdict,
    why: Option<String>,
}

/// Has every program written again that is in a journal, and says of those that samplers heard which were not.
pub(crate) fn check(
    stories: &Stories,
    means: &Means<'_>,
    frames: &Frames,
    report: &mut Report,
) -> Result<(), ReplayError> {
    compare(stories, &heard(stories), means, frames, report)
}

/// Programs that samplers heard, each once.
fn heard(stories: &Stories) -> Vec<RewardProgram> {
    let mut heard: Vec<RewardProgram> = Vec::new();
    for story in &stories.stories {
        let Machine::Sampler(_) = &story.header.machine else {
            continue;
        };
        for entry in story.entries::<SamplerEvent>().unwrap_or_default() {
            if let SamplerEvent::Program(mut program) = entry.event {
                // Of the message, not of the program.
                (program.session, program.seq) = (0, 0);
                if !heard.contains(&program) {
                    heard.push(program);
                }
            }
        }
    }
    heard
}

/// The same of those that were `heard`.
fn compare(
    stories: &Stories,
    heard: &[RewardProgram],
    means: &Means<'_>,
    frames: &Frames,
    report: &mut Report,
) -> Result<(), ReplayError> {
    // What cannot be read is refused, though nobody may need it.
    let exchanges = means
        .exchanges
        .map(|folder| FilesProvider::open(folder, Matching::Exact));
    exchanges.transpose()?;
    let mut rewritten = BTreeMap::new();
    for story in &stories.stories {
        if let Machine::Author(header) = &story.header.machine {
            author(story, header, means, frames, report, &mut rewritten)?;
        }
    }
    let commissions = commissions(stories);
    let mut programs: BTreeMap<ProgramId, ProgramReport> = BTreeMap::new();
    for (id, one) in &rewritten {
        programs.insert(*id, described(&one.sent, one.verdict, one.why.clone()));
    }
    for program in heard {
        match rewritten.get(&program.id) {
            Some(one) if one.sent == *program => {}
            Some(one) => {
                let why = format!(
                    "another was heard than was sent: {}",
                    difference(&one.sent, Some(program))
                );
                programs.insert(program.id, described(program, Verdict::Differs, Some(why)));
            }
            None if is_edited(&program.source) => {
                let (verdict, why) = edited_again(program, &commissions);
                programs.insert(program.id, described(program, verdict, why));
            }
            None => {
                let why = "what its author was told and answered (output `journal` of the node that wrote it)";
                let why = Some(why.to_owned());
                programs.insert(program.id, described(program, Verdict::NotCompared, why));
            }
        }
    }
    for program in programs.into_values() {
        report.count("programs", program.verdict);
        if program.verdict == Verdict::NotCompared {
            let why = program.why.as_deref().unwrap_or_default();
            let missing = format!(
                "for program {} by `{}`: {why}",
                program.program, program.source
            );
            report.missing.push(missing);
        }
        report.programs.push(program);
    }
    Ok(())
}

/// What authors were given, by episode and keypoint generation.
fn commissions(stories: &Stories) -> BTreeMap<(EpisodeId, u32), Commission> {
    let mut found = BTreeMap::new();
    for story in &stories.stories {
        if !matches!(story.header.machine, Machine::Author(_)) {
            continue;
        }
        for entry in story.entries::<DeskEvent>().unwrap_or_default() {
            if let DeskEvent::Begin(commission) = entry.event {
                let grounding = (commission.episode.id, commission.keypoints.generation);
                found.insert(grounding, *commission);
            }
        }
    }
    found
}

/// A program whose text an operator wrote is compiled again, for what its author wrote for.
fn edited_again(
    heard: &RewardProgram,
    commissions: &BTreeMap<(EpisodeId, u32), Commission>,
) -> (Verdict, Option<String>) {
    let Some(commission) = commissions.get(&(heard.episode, heard.generation)) else {
        let why = "what the program that was edited was written for (output `journal` of the node that wrote it)";
        return (Verdict::NotCompared, Some(why.to_owned()));
    };
    let edit = Edit {
        id: heard.id,
        episode: &commission.episode,
        generation: heard.generation,
        source: &heard.source,
        options: commission.options(),
    };
    let now = edit.compile(&heard.text).ok().map(|(_, message)| message);
    match now {
        Some(now) if now == *heard => (Verdict::Same, None),
        now => (Verdict::Differs, Some(difference(heard, now.as_ref()))),
    }
}

fn described(program: &RewardProgram, verdict: Verdict, why: Option<String>) -> ProgramReport {
    ProgramReport {
        program: program.id.0,
        source: program.source.clone(),
        instruction: program.instruction.clone(),
        verdict,
        why,
    }
}

/// One start of a node that writes.
fn author(
    story: &Story,
    header: &AuthorHeader,
    means: &Means<'_>,
    frames: &Frames,
    report: &mut Report,
    rewritten: &mut BTreeMap<ProgramId, Rewritten>,
) -> Result<(), ReplayError> {
    let entries = match story.entries::<DeskEvent>() {
        Ok(entries) => entries,
        Err(error) => {
            let node = &story.node;
            report.missing.push(format!("journal of `{node}`: {error}"));
            return Ok(());
        }
    };
    let exchanges = means.exchanges.filter(|_| header.source != EMBEDDED);
    let exchanges = exchanges.map(|folder| FilesProvider::open(folder, Matching::Exact));
    let mut again = match Again::open(header, means, frames, exchanges.transpose()?) {
        Ok(again) => again,
        Err(why) => {
            for entry in entries {
                for effect in read_effects(&entry.effects).unwrap_or_default() {
                    if let DeskEffect::Program(sent) = effect {
                        let one = Rewritten {
                            sent: *sent,
                            verdict: Verdict::NotCompared,
                            why: Some(why.clone()),
                        };
                        rewritten.insert(one.sent.id, one);
                    }
                }
            }
            return Ok(());
        }
    };
    let mut comparison = Comparison::new(story, report);
    for entry in entries {
        again.tell(entry, &mut comparison, rewritten);
    }
    comparison.finish();
    Ok(())
}

/// A desk that is told what another was.
struct Again<'a> {
    header: &'a AuthorHeader,
    frames: &'a Frames,
    desk: Desk,
    embedded: EmbeddedProvider,
    exchanges: Option<FilesProvider>,
    /// Why questions cannot be put in the same words, or with the same picture.
    other_prompts: Option<String>,
    no_picture: Option<String>,
    /// The question under way.
    asked: Option<Query>,
    /// Why the program under way cannot be compared.
    excuse: Option<String>,
}

impl<'a> Again<'a> {
    fn open(
        header: &'a AuthorHeader,
        means: &Means<'_>,
        frames: &'a Frames,
        exchanges: Option<FilesProvider>,
    ) -> Result<Self, String> {
        let world = &header.world;
        let known = means.authors.iter().find(|(name, _)| name == world);
        let Some((_, embedded)) = known else {
            return Err(format!("the author of `{world}`, which is not known here"));
        };
        let fallbacks = [Fallback::Embedded, Fallback::Unsteered, Fallback::Hold];
        let fallback = fallbacks
            .into_iter()
            .find(|known| known.name() == header.fallback)
            .ok_or_else(|| format!("a fallback that is known, found `{}`", header.fallback))?;
        let policy = AuthoringPolicy {
            max_repairs: header.max_repairs,
            fallback,
        };
        let folder = header.prompt_dir.as_deref().map(Path::new);
        let prompts = PromptSet::load(folder).ok();
        let prompts = prompts.filter(|prompts| prompts.sha256() == header.prompts_sha256);
        let other_prompts = prompts.is_none().then(|| {
            let sha256 = &header.prompts_sha256;
            match &header.prompt_dir {
                Some(folder) => format!("the prompts in `{folder}` with SHA-256 {sha256}"),
                None => format!("the built-in prompts with SHA-256 {sha256}"),
            }
        });
        let prompts = prompts
            .unwrap_or_else(PromptSet::built_in)
            .with_scene_notes(&header.scene_notes);
        Ok(Self {
            header,
            frames,
            desk: Desk::new(
                Arc::new(prompts),
                policy,
                header.source.clone(),
                embedded.clone(),
            ),
            embedded: EmbeddedProvider::new(embedded.clone()),
            exchanges,
            other_prompts,
            no_picture: None,
            asked: None,
            excuse: None,
        })
    }

    fn is_embedded(&self) -> bool {
        self.header.source == EMBEDDED
    }

    /// Why the question cannot be put as it was.
    fn other_question(&self) -> Option<&String> {
        self.other_prompts.as_ref().or(self.no_picture.as_ref())
    }

    /// What was told then, and what came of it.
    fn tell(
        &mut self,
        entry: Entry<DeskEvent>,
        comparison: &mut Comparison<'_>,
        rewritten: &mut BTreeMap<ProgramId, Rewritten>,
    ) {
        let word = word(&entry.event);
        let next = match entry.event {
            DeskEvent::Begin(commission) => Some(self.begin(*commission)),
            DeskEvent::Answer(told) => {
                let result = self.answer(told);
                self.desk.answer(result)
            }
            DeskEvent::GivenUp => {
                self.desk.give_up();
                None
            }
        };
        let made = next.as_ref().map(Next::effect);
        self.asked = match next {
            Some(Next::Ask(query)) => Some(query),
            _ => None,
        };
        let bytes = effect_bytes(made.as_slice());
        let mut is_same = bytes.is_ok_and(|bytes| bytes == entry.effects);
        let recorded: Vec<DeskEffect> = read_effects(&entry.effects).unwrap_or_default();
        match (recorded.into_iter().next(), made) {
            (Some(DeskEffect::Ask { .. }), Some(DeskEffect::Ask { .. })) => {
                is_same |= self.count_question(is_same, comparison);
            }
            (Some(DeskEffect::Program(sent)), made) => {
                let now = match &made {
                    Some(DeskEffect::Program(program)) => Some(&**program),
                    _ => None,
                };
                let (verdict, why) = match (self.excuse.take(), is_same) {
                    (Some(excuse), _) => (Verdict::NotCompared, Some(excuse)),
                    (None, true) => (Verdict::Same, None),
                    (None, false) => (Verdict::Differs, Some(difference(&sent, now))),
                };
                is_same |= verdict == Verdict::NotCompared;
                let one = Rewritten {
                    sent: *sent,
                    verdict,
                    why,
                };
                rewritten.insert(one.sent.id, one);
            }
            // That there is no program is compared as well, where it can be.
            _ => is_same |= self.excuse.is_some(),
        }
        comparison.event(entry.now_ns, is_same, || format!("what came of `{word}`"));
    }

    fn begin(&mut self, commission: Commission) -> Next {
        (self.excuse, self.no_picture) = (None, None);
        let picture = match commission.picture_ns.map(|stamp_ns| self.picture(stamp_ns)) {
            None => None,
            Some(Ok(picture)) => Some(picture),
            Some(Err(why)) => {
                self.no_picture = Some(why);
                None
            }
        };
        self.desk.begin(commission, picture)
    }

    fn picture(&self, stamp_ns: u64) -> Result<Picture, String> {
        let topic = &self.header.pictures;
        let found = self.frames.get(topic, stamp_ns);
        let frame =
            found.ok_or_else(|| format!("the picture of `{topic}` with stamp {stamp_ns} ns"))?;
        picture_of(frame.width, frame.height, &frame.rgb).map_err(|error| error.to_string())
    }

    /// What came of the question under way.
    fn answer(&mut self, told: Answered) -> Result<Reply, ProviderError> {
        let Some(asked) = &self.asked else {
            return told.result();
        };
        if self.is_embedded() {
            // It writes in no time, so whatever else there was is not its own.
            let is_its_own = match &told {
                Answered::Reply(_) => true,
                Answered::Failed { outcome, .. } => *outcome == Outcome::InstructionRefused.name(),
            };
            return match is_its_own {
                true => self.embedded.answer(asked),
                false => told.result(),
            };
        }
        let Some(exchanges) = &self.exchanges else {
            return told.result();
        };
        let other_question = self.other_question().cloned();
        match (exchanges.answer(asked), other_question) {
            (_, Some(why)) => self.excuse = Some(why),
            (Err(error), None) if error.outcome == Outcome::NoRecording => {
                self.excuse = Some(format!("an answer among the exchanges: {}", error.detail));
            }
            (result, None) => return result,
        }
        told.result()
    }

    /// Counts a question to a model; whether it counts as the same though it cannot be put as it was.
    fn count_question(&self, is_same: bool, comparison: &mut Comparison<'_>) -> bool {
        if self.is_embedded() {
            // It reads no prompts.
            return true;
        }
        let why = self.other_question().filter(|_| !is_same);
        let verdict = match (why, is_same) {
            (Some(_), _) => Verdict::NotCompared,
            (None, true) => Verdict::Same,
            (None, false) => Verdict::Differs,
        };
        comparison.report.count("questions", verdict);
        if let Some(why) = why {
            let source = &self.header.source;
            let missing = format!("for a question to `{source}`: {why}");
            comparison.report.missing.push(missing);
        }
        verdict == Verdict::NotCompared
    }
}

/// In what two programs differ.
fn difference(then: &RewardProgram, now: Option<&RewardProgram>) -> String {
    let Some(now) = now else {
        return "no program comes of it".to_owned();
    };
    let mut found = Vec::new();
    if then.text != now.text {
        let (mut a, mut b) = (then.text.lines(), now.text.lines());
        let pairs = std::iter::from_fn(|| match (a.next(), b.next()) {
            (None, None) => None,
            pair => Some(pair),
        });
        let pair = (1_u32..).zip(pairs).find(|(_, (a, b))| a != b);
        let line = |text: Option<&str>| match text {
            Some(text) => format!("`{}`", visible_line(text, SHOWN)),
            None => "nothing".to_owned(),
        };
        found.push(match pair {
            Some((number, (a, b))) => {
                format!("text, line {number}: {} then, {} now", line(a), line(b))
            }
            None => "text, in the ends of its lines".to_owned(),
        });
    }
    let fields = [
        ("id", then.id == now.id),
        ("episode", then.episode == now.episode),
        ("generation", then.generation == now.generation),
        ("points", then.points == now.points),
        ("instruction", then.instruction == now.instruction),
        ("num_stages", then.num_stages == now.num_stages),
        ("source", then.source == now.source),
        ("descriptions", then.descriptions == now.descriptions),
        ("has_done", then.has_done == now.has_done),
        ("unguided", then.unguided == now.unguided),
    ];
    let others = fields.iter().filter(|(_, is_same)| !is_same);
    found.extend(others.map(|(name, _)| (*name).to_owned()));
    found.join("; ")
}

#[cfg(test)]
mod tests;
