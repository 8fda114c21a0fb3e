//! Which moments of a recording become frames of a data set.

use super::survey::{Camera, Hand, Span, Survey};

/// Least frames of an episode: one shows nothing that moves.
const LEAST_FRAMES: usize = 2;

/// An episode of the data set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub(crate) span: Span,
    pub(crate) frames: Vec<Planned>,
}

/// A frame.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Planned {
    pub(crate) measured: Hand,
    /// Opening that was measured, m.
    pub(crate) opening_m: f64,
    pub(crate) commanded: Hand,
    /// Opening that was commanded, m.
    pub(crate) commanded_opening_m: f64,
    /// The picture of each camera, by its number.
    pub(crate) pictures: Vec<usize>,
}

/// Lays out one episode at `fps` frames a second.
///
/// Frame k is of the moment `t_k = t_0 + k / fps`, where all cameras and the arm have been seen in the
/// episode at `t_0`. Its pictures and its state are the newest that are not later than a quarter of a
/// period after `t_k`, so that a camera whose clock trembles shows no picture twice; its action is what was commanded
/// by `t_(k+1)`. It ends where the episode does, or where a camera or the commands do.
///
/// # Errors
/// Why it is no episode of a data set.
pub(crate) fn plan(
    survey: &Survey,
    cameras: &[&Camera],
    span: Span,
    end_ns: u64,
    fps: u32,
) -> Result<Plan, String> {
    let measured = survey.measured().ok_or("no arm state")?;
    let (mut begin_ns, mut last_ns) = (span.start_ns, u64::MAX);
    let within = [
        ("arm state", measured.ends(span.start_ns, end_ns)),
        (
            "execution state",
            survey.commanded.ends(span.start_ns, end_ns),
        ),
    ];
    let seen = cameras.iter().map(|camera| {
        (
            camera.topic.as_str(),
            camera.frames.ends(span.start_ns, end_ns),
        )
    });
    for (what, ends) in within.into_iter().chain(seen) {
        let [first, last] = ends.ok_or_else(|| format!("no {what} in it"))?;
        begin_ns = begin_ns.max(first);
        last_ns = last_ns.min(last);
    }
    let period_ns = 1e9 / f64::from(fps);
    let slack_ns = (period_ns / 4.0) as u64;
    let mut frames = Vec::new();
    let moment = |k: usize| begin_ns + (k as f64 * period_ns).round() as u64;
    while moment(frames.len()) <= last_ns.saturating_add(slack_ns) {
        let at_ns = moment(frames.len());
        let until_ns = (at_ns + slack_ns).min(end_ns);
        let next_ns = moment(frames.len() + 1).min(end_ns);
        let newest = || {
            let (hand, opening_m) = measured.newest(until_ns)?;
            let pictures = cameras.iter().map(|camera| camera.frames.newest(until_ns));
            Some(Planned {
                measured: *hand,
                opening_m: *opening_m,
                commanded: *survey.commanded.newest(next_ns)?,
                commanded_opening_m: match survey.commanded_opening_m(next_ns) {
                    Some(opening_m) => opening_m,
                    None => measured.newest(next_ns)?.1,
                },
                pictures: pictures
                    .map(Option::<&usize>::copied)
                    .collect::<Option<_>>()?,
            })
        };
        let Some(frame) = newest() else { break };
        frames.push(frame);
    }
    if frames.len() < LEAST_FRAMES {
        let found = frames.len();
        return Err(format!("{found} frames, fewer than {LEAST_FRAMES}"));
    }
    Ok(Plan { span, frames })
}
