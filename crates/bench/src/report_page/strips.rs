//! Pictures of a success and of a failure of each task.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use tiller_core::file::read_regular;
use tiller_report::contact_sheet_tiles;

use super::input::Episode;
use super::model::{FULL, UNSTEERED};

/// Moments in a strip.
const MOMENTS: usize = 6;
/// Edge of a moment, pixels: sharp at the width that a strip has on the page.
const EDGE: u32 = 192;
const QUALITY: u8 = 72;
/// Bytes of a contact sheet.
const MAX_SHEET_BYTES: u64 = 64 << 20;
/// Episodes whose pictures are tried before a strip is left empty.
const TRIES: usize = 8;

/// A task's pictures.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Strip {
    pub(super) task: String,
    pub(super) success: Option<Run>,
    pub(super) failure: Option<Run>,
}

/// An episode in pictures.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    pub(super) policy: String,
    pub(super) method: String,
    pub(super) seed: u64,
    pub(super) instruction: Option<String>,
    /// Cause and end of a failure, end of a success.
    pub(super) words: String,
    /// JPEG files in the order of time.
    pub(super) pictures: Vec<Vec<u8>>,
}

/// Strips of the tasks that there are pictures of. Prefers the full method; a failure may be the
/// unsteered policy's. Says which pictures are missing.
pub(super) fn strips(episodes: &[Episode], notes: &mut Vec<String>) -> Vec<Strip> {
    let mut tasks = Vec::new();
    for episode in episodes.iter().filter(|episode| episode.is_plain()) {
        if !tasks.contains(&episode.task) {
            tasks.push(episode.task.clone());
        }
    }
    let mut missing = BTreeSet::new();
    let strips = tasks.into_iter().map(|task| Strip {
        success: find(episodes, &task, true, &mut missing),
        failure: find(episodes, &task, false, &mut missing),
        task,
    });
    let strips = strips
        .filter(|strip| strip.success.is_some() || strip.failure.is_some())
        .collect();
    for path in missing.iter().take(3) {
        notes.push(format!("no picture: {path} is missing or no contact sheet"));
    }
    if missing.len() > 3 {
        notes.push(format!("{} more pictures are missing", missing.len() - 3));
    }
    strips
}

fn find(
    episodes: &[Episode],
    task: &str,
    success: bool,
    missing: &mut BTreeSet<String>,
) -> Option<Run> {
    let methods: &[&str] = if success { &[FULL] } else { &[FULL, UNSTEERED] };
    methods.iter().find_map(|method| {
        let mut candidates: Vec<&Episode> = episodes
            .iter()
            .filter(|episode| episode.is_plain() && episode.task == task)
            .filter(|episode| episode.success == success && episode.method == *method)
            .filter(|episode| episode.pictures.is_some())
            .collect();
        candidates.sort_by_key(|episode| episode.seed);
        candidates.into_iter().take(TRIES).find_map(|episode| {
            let folder = episode.pictures.as_ref()?;
            let path = folder.join("contact_sheet.png");
            let pictures = load(&path);
            if pictures.is_none() {
                missing.insert(path.display().to_string());
            }
            pictures.map(|pictures| Run {
                policy: episode.policy.clone(),
                method: episode.method.clone(),
                seed: episode.seed,
                instruction: episode.instruction.clone(),
                words: words(episode),
                pictures,
            })
        })
    })
}

fn words(episode: &Episode) -> String {
    match &episode.failure {
        Some(cause) if episode.reason.is_empty() => cause.clone(),
        Some(cause) => format!("{cause}: {}", episode.reason),
        None => episode.reason.clone(),
    }
}

fn load(path: &Path) -> Option<Vec<Vec<u8>>> {
    let bytes = read_regular(path, MAX_SHEET_BYTES).ok()?;
    let sheet = image::load_from_memory(&bytes).ok()?.to_rgb8();
    let tiles = contact_sheet_tiles(&sheet);
    let last = tiles.len().checked_sub(1)?;
    let shown = MOMENTS.min(tiles.len());
    (0..shown)
        .map(|i| jpeg(&tiles[i * last / (shown - 1).max(1)]))
        .collect()
}

fn jpeg(tile: &RgbImage) -> Option<Vec<u8>> {
    let small = imageops::resize(tile, EDGE, EDGE, FilterType::Triangle);
    let mut bytes = Cursor::new(Vec::new());
    let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    small.write_with_encoder(encoder).ok()?;
    Some(bytes.into_inner())
}
