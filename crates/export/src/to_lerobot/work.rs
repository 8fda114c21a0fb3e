//! Pictures on their way into episodes.

use std::collections::BTreeMap;

use tiller_lerobot::{DatasetSummary, DatasetWriter, Episode, Frame, ImageStats, VideoWriter};
use tiller_recording::{Clock, Entry};

use super::LerobotOptions;
use super::plan::Plan;
use super::survey::Camera;
use crate::error::ExportError;
use tiller_recording::pixels as picture;

/// Frames that show a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Use {
    plan: usize,
    times: usize,
}

/// An episode whose pictures are coming.
struct Work {
    videos: Vec<VideoWriter>,
    /// Of each camera, its frames so far.
    pngs: Vec<Vec<Vec<u8>>>,
    stats: Vec<ImageStats>,
    /// Of each camera, how many frames have their picture.
    done: Vec<usize>,
}

/// All episodes.
pub(crate) struct Works<'a> {
    writer: DatasetWriter,
    plans: &'a [Plan],
    options: &'a LerobotOptions,
    /// Cameras by topic.
    cameras: BTreeMap<&'a str, (usize, [u32; 2])>,
    /// Of each camera, what each of its pictures is used for.
    uses: Vec<BTreeMap<usize, Vec<Use>>>,
    /// Of each camera, pictures so far.
    counts: Vec<usize>,
    works: BTreeMap<usize, Work>,
    pushed: usize,
}

impl<'a> Works<'a> {
    pub(crate) fn new(
        writer: DatasetWriter,
        cameras: &[&'a Camera],
        plans: &'a [Plan],
        options: &'a LerobotOptions,
    ) -> Self {
        let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        let mut uses = vec![BTreeMap::<usize, Vec<Use>>::new(); cameras.len()];
        for (plan, frames) in plans.iter().map(|plan| &plan.frames).enumerate() {
            for (camera, uses) in uses.iter_mut().enumerate() {
                for frame in frames {
                    let known = uses.entry(frame.pictures[camera]).or_default();
                    match known.last_mut() {
                        Some(last) if last.plan == plan => last.times += 1,
                        _ => known.push(Use { plan, times: 1 }),
                    }
                }
            }
        }
        let topics = cameras.iter().enumerate().map(|(index, camera)| {
            let size = camera.size.map(side);
            (camera.topic.as_str(), (index, size))
        });
        Self {
            writer,
            plans,
            options,
            cameras: topics.collect(),
            uses,
            counts: vec![0; cameras.len()],
            works: BTreeMap::new(),
            pushed: 0,
        }
    }

    /// Takes a picture, if it is one that a frame shows.
    pub(crate) fn add(&mut self, entry: &Entry, clock: &Clock) -> Result<(), ExportError> {
        let topic = entry.topic();
        let Some(&(camera, size)) = self.cameras.get(topic.as_str()) else {
            return Ok(());
        };
        let Ok(sent) = entry.open() else {
            return Ok(());
        };
        let Ok(Some(header)) = sent.image_header(clock) else {
            return Ok(());
        };
        if !picture::is_colour(header.encoding) {
            return Ok(());
        }
        let number = self.counts[camera];
        self.counts[camera] += 1;
        let Some(uses) = self.uses[camera].remove(&number) else {
            return Ok(());
        };
        let broken = |found| ExportError::Picture {
            topic: topic.clone(),
            found,
        };
        let rgb = picture::rgb(&header, sent.data.as_ref()).map_err(broken)?;
        for Use { plan, times } in uses {
            let cameras = self.counts.len();
            if !self.works.contains_key(&plan) {
                let work = Work {
                    videos: self.videos(plan)?,
                    pngs: vec![Vec::new(); cameras],
                    stats: vec![ImageStats::default(); cameras],
                    done: vec![0; cameras],
                };
                self.works.insert(plan, work);
            }
            let Some(work) = self.works.get_mut(&plan) else {
                continue;
            };
            let png = match work.videos.is_empty() {
                true => Some(picture::png(&rgb, size).map_err(broken)?),
                false => None,
            };
            for _ in 0..times {
                work.stats[camera].push(&rgb, header.width);
                match &png {
                    Some(png) => work.pngs[camera].push(png.clone()),
                    None => work.videos[camera].push(&rgb)?,
                }
            }
            work.done[camera] += times;
        }
        self.push_whole()
    }

    fn videos(&self, plan: usize) -> Result<Vec<VideoWriter>, ExportError> {
        match &self.options.ffmpeg {
            Some(ffmpeg) => Ok(self.writer.start_videos(ffmpeg, plan as u64)?),
            None => Ok(Vec::new()),
        }
    }

    /// Hands on episodes that have all their pictures, in their order.
    fn push_whole(&mut self) -> Result<(), ExportError> {
        while let Some(work) = self.works.get(&self.pushed) {
            let plan = &self.plans[self.pushed];
            if work.done.iter().any(|done| *done < plan.frames.len()) {
                return Ok(());
            }
            let Some(mut work) = self.works.remove(&self.pushed) else {
                return Ok(());
            };
            for video in work.videos.drain(..) {
                video.finish()?;
            }
            let rows = self.options.columns.rows(&plan.frames);
            let mut frames = Vec::with_capacity(rows.len());
            for (index, [state, action]) in rows.into_iter().enumerate() {
                let pngs = work.pngs.iter_mut();
                let pngs = pngs.filter_map(|pngs| pngs.get_mut(index));
                frames.push(Frame {
                    state,
                    action,
                    pngs: pngs.map(std::mem::take).collect(),
                });
            }
            self.writer.push(&Episode {
                task: plan.span.instruction.clone(),
                seed: plan.span.seed,
                frames,
                image_stats: work.stats,
                success: plan.span.success,
            })?;
            self.pushed += 1;
        }
        Ok(())
    }

    /// Ends the data set.
    pub(crate) fn finish(self) -> Result<DatasetSummary, ExportError> {
        // The first reading found all pictures: only a file that has changed since can lack them.
        if self.pushed < self.plans.len() {
            return Err(ExportError::Lacks {
                expected: "the same pictures when it is read again",
                found: format!("{} of {} episodes", self.pushed, self.plans.len()),
            });
        }
        Ok(self.writer.finish()?)
    }
}
