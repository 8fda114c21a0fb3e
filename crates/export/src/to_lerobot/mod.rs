//! A recording as a LeRobot data set, format v3.0: one episode of the data set for each of the recording.
//!
//! The recording is read twice: for everything but pixels, from which frames are laid out ([`plan`]), and
//! for the pixels, which go to the encoders as they come.

mod columns;
mod plan;
mod series;
mod survey;
mod work;

use std::path::Path;

use serde::Serialize;
use tiller_lerobot::{CameraSpec, DatasetSpec, DatasetWriter, Ffmpeg, ImageStorage};
use tiller_recording::{Broken, Recording};

use crate::Watch;
use crate::error::ExportError;
pub use columns::Columns;
use plan::Plan;
use survey::{Camera, Survey};
use work::Works;

/// Highest rate, frames a second.
const MAX_FPS: u32 = 1000;

/// What a data set is to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LerobotOptions {
    /// Frames a second; without it the rate of the camera that is slowest.
    pub fps: Option<u32>,
    /// Columns of state and action.
    pub columns: Columns,
    /// Makes videos; without it images go into the Parquet files as PNG.
    pub ffmpeg: Option<Ffmpeg>,
    /// Name of the robot.
    pub robot: String,
}

/// What came of an export.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct LerobotSummary {
    /// Episodes of the data set.
    pub episodes: u64,
    /// Frames of the data set.
    pub frames: u64,
    /// Frames a second.
    pub fps: u32,
    /// Instructions.
    pub tasks: Vec<String>,
    /// Outputs whose pictures it holds, by the camera's name in the data set.
    pub cameras: Vec<(String, String)>,
    /// `h264` or `av1`, or `png` for images inside the Parquet files.
    pub images: &'static str,
    /// Episodes of the recording that are not in it.
    pub skipped: Vec<SkippedEpisode>,
    /// Entries that hold no message which can be read.
    pub unreadable: u64,
    /// Why the recording ends before its end.
    pub broken: Option<String>,
}

/// An episode that is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SkippedEpisode {
    /// Its number in the recording.
    pub episode: u64,
    /// Why.
    pub reason: String,
}

/// Writes a recording as a data set into the folder `target`, which must not exist.
///
/// # Errors
/// [`ExportError::Lacks`] when the recording has no pictures, no arm or no episode; others when something
/// cannot be read or written, or `watch` ends it.
pub fn to_lerobot(
    recording: &Path,
    target: &Path,
    options: &LerobotOptions,
    watch: &mut Watch<'_>,
) -> Result<LerobotSummary, ExportError> {
    let mut survey = Survey::default();
    let mut first = Recording::open(recording)?;
    let len = first.byte_len();
    while let Some(entry) = first.next_entry() {
        watch(first.position() / 2, len)?;
        survey.add(&entry);
    }
    let cameras = survey.cameras();
    let fps = rate(&survey, &cameras, options.fps)?;
    let (plans, skipped) = plans(&survey, &cameras, fps);
    if plans.is_empty() {
        let reasons = skipped.iter().map(|skipped| skipped.reason.as_str());
        let reasons: Vec<&str> = reasons.collect();
        return Err(ExportError::Lacks {
            expected: "an episode with pictures, arm states and execution states",
            found: match reasons.as_slice() {
                [] => "no episode".to_owned(),
                reasons => format!("episodes with {}", reasons.join("; ")),
            },
        });
    }
    let codec = options.ffmpeg.as_ref().map(Ffmpeg::codec);
    let names = names(&cameras);
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    let spec = DatasetSpec {
        fps,
        robot_type: options.robot.clone(),
        state_names: options.columns.names(),
        action_names: options.columns.names(),
        cameras: cameras
            .iter()
            .zip(&names)
            .map(|(camera, name)| CameraSpec {
                name: name.clone(),
                size: camera.size.map(side),
            })
            .collect(),
        images: codec.map_or(ImageStorage::Png, ImageStorage::Video),
    };
    let writer = DatasetWriter::create(target, spec)?;
    let mut works = Works::new(writer, &cameras, &plans, options);
    let mut second = Recording::open(recording)?;
    while let Some(entry) = second.next_entry() {
        watch(len / 2 + second.position() / 2, len)?;
        works.add(&entry, &survey.clock)?;
    }
    let dataset = works.finish()?;
    let topics = cameras.iter().map(|camera| camera.topic.clone());
    Ok(LerobotSummary {
        episodes: dataset.episodes,
        frames: dataset.frames,
        fps,
        tasks: dataset.tasks,
        cameras: names.into_iter().zip(topics).collect(),
        images: codec.map_or("png", |codec| codec.name()),
        skipped,
        unreadable: survey.unreadable,
        broken: first.broken().map(Broken::to_string),
    })
}

/// The rate that is asked for, else that of the slowest camera.
fn rate(survey: &Survey, cameras: &[&Camera], asked: Option<u32>) -> Result<u32, ExportError> {
    let periods = cameras
        .iter()
        .filter_map(|camera| camera.frames.period_ns());
    let Some(period_ns) = periods.max() else {
        let pictures: usize = cameras.iter().map(|camera| camera.frames.len()).sum();
        return Err(ExportError::Lacks {
            expected: "two colour pictures or more of a camera",
            found: format!("{pictures}"),
        });
    };
    if survey.measured().is_none() {
        return Err(ExportError::Lacks {
            expected: "arm states",
            found: "none".to_owned(),
        });
    }
    let own = (1e9 / period_ns as f64).round() as u32;
    Ok(asked.unwrap_or(own).clamp(1, MAX_FPS))
}

/// Episodes that can be laid out, and the others.
fn plans(survey: &Survey, cameras: &[&Camera], fps: u32) -> (Vec<Plan>, Vec<SkippedEpisode>) {
    let spans = survey.spans();
    let starts: Vec<u64> = spans.iter().map(|span| span.start_ns).collect();
    let (mut plans, mut skipped) = (Vec::new(), Vec::new());
    for (index, span) in spans.into_iter().enumerate() {
        let next_ns = starts.get(index + 1).copied().unwrap_or(u64::MAX);
        // The picture of the moment at which it is over is a part of it.
        let over_ns = span.over_ns.map_or(u64::MAX, |over| over.saturating_add(1));
        let episode = span.id.0;
        match plan::plan(survey, cameras, span, next_ns.min(over_ns), fps) {
            Ok(plan) => plans.push(plan),
            Err(reason) => skipped.push(SkippedEpisode { episode, reason }),
        }
    }
    (plans, skipped)
}

/// Names of cameras: `wrist` for `world/wrist_image`, the node's for `world/image`, the whole output's where
/// two would have the same.
fn names(cameras: &[&Camera]) -> Vec<String> {
    let short = |camera: &Camera| {
        let (node, output) = camera.topic.split_once('/').unwrap_or_default();
        match output.strip_suffix("_image") {
            Some(name) => name.to_owned(),
            None if output == "image" => node.to_owned(),
            None => output.to_owned(),
        }
    };
    let all: Vec<String> = cameras.iter().map(|camera| short(camera)).collect();
    let named = cameras.iter().zip(&all);
    let is_once = |name: &String| all.iter().filter(|other| *other == name).count() == 1;
    named
        .map(|(camera, name)| match is_once(name) {
            true => name.clone(),
            false => camera.topic.replace('/', "_"),
        })
        .collect()
}

#[cfg(test)]
mod tests;
