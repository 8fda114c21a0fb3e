//! How the stages have gone: a point now and then, kept for pages that are opened later.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};
use tiller_messages::Progress;

/// Shortest time between two points of one stage.
const BETWEEN: Duration = Duration::from_millis(250);

/// Points that are kept: two minutes and more.
const MOST: usize = 480;

/// Progress, strength and reward over time.
#[derive(Debug, Default)]
pub(crate) struct Curve {
    points: VecDeque<Point>,
}

#[derive(Debug)]
struct Point {
    at: Duration,
    stage: u32,
    visit: u32,
    values: [f64; 4],
}

impl Curve {
    /// Another episode begins.
    pub(crate) fn clear(&mut self) {
        self.points.clear();
    }

    pub(crate) fn push(&mut self, progress: &Progress, now: Duration) {
        let is_soon = self.points.back().is_some_and(|last| {
            last.visit == progress.visit && now.saturating_sub(last.at) < BETWEEN
        });
        if is_soon {
            return;
        }
        if self.points.len() >= MOST {
            self.points.pop_front();
        }
        self.points.push_back(Point {
            at: now,
            stage: progress.stage,
            visit: progress.visit,
            values: [
                progress.achieved,
                progress.planned,
                progress.guidance_strength,
                progress.reward,
            ],
        });
    }

    /// `[[t_s, stage, visit, achieved, planned, strength, reward], ..]`.
    pub(crate) fn json(&self) -> Value {
        let rounded = |value: f64| (value * 1e4).round() / 1e4;
        let row = |point: &Point| {
            let [achieved, planned, strength, reward] = point.values.map(rounded);
            let t_s = rounded(point.at.as_secs_f64());
            json!([
                t_s,
                point.stage,
                point.visit,
                achieved,
                planned,
                strength,
                reward
            ])
        };
        self.points.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_few_points_and_every_visit() {
        let mut curve = Curve::default();
        for ms in 0..200_000 {
            let progress = Progress {
                stage: 1,
                visit: 1 + u32::from(ms >= 100_010),
                achieved: 0.5,
                ..Default::default()
            };
            curve.push(&progress, Duration::from_millis(ms));
        }
        let json = curve.json();
        let rows = json.as_array().unwrap();
        assert_eq!(rows.len(), MOST);
        let turn = rows.iter().find(|row| row[2] == 2).unwrap();
        assert_eq!(turn[0], 100.01, "a visit's first point is never left out");
    }
}
