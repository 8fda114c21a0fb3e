//! The sampling steps: four plots over one axis.

use std::ops::Range;

use image::{Rgb, RgbImage};

use super::CandidatesPicture;
use crate::scale::{Scale, number, ticks};
use crate::sheet::{FAINT_INK, INK, ZOOM, put};
use crate::stroke::stroke;
use crate::text::{fill, width};

/// Left edge and width of all plots, pixels.
const LEFT: i32 = 950;
const WIDE: i32 = 570;
/// Upper edges and heights: reward, effective sample size, push, ancestry.
const REWARD: [i32; 2] = [132, 212];
const ESS: [i32; 2] = [388, 90];
const PUSH: [i32; 2] = [522, 106];
const ANCESTRY: [i32; 2] = [672, 168];

const BLUE: Rgb<u8> = Rgb([0, 90, 160]);
const VERMILION: Rgb<u8> = Rgb([213, 94, 0]);
const EXTINCT: Rgb<u8> = Rgb([176, 176, 184]);
const GRID: Rgb<u8> = Rgb([228, 228, 232]);
/// Behind steps in which particles repel each other.
const DIVERSITY: Rgb<u8> = Rgb([236, 243, 250]);

/// A plot: its place and its values from the lower edge to the upper one.
struct Plot {
    top: i32,
    high: i32,
    columns: usize,
    values: Range<f64>,
}

impl Plot {
    /// Enlarged pixel of a value in a column.
    fn at(&self, column: usize, value: f64) -> [f64; 2] {
        let zoom = f64::from(ZOOM);
        let x =
            f64::from(LEFT) + f64::from(WIDE) * (column as f64 + 0.5) / self.columns.max(1) as f64;
        let share = (value - self.values.start) / (self.values.end - self.values.start);
        [
            x * zoom,
            zoom * (f64::from(self.top) + f64::from(self.high) * (1.0 - share)),
        ]
    }

    fn line(&self, picture: &mut RgbImage, values: &[f64], wide: f64, colour: Rgb<u8>) {
        let points = values.iter().enumerate();
        let points: Vec<_> = points
            .map(|(column, value)| self.at(column, *value))
            .collect();
        stroke(picture, &points, wide * f64::from(ZOOM), colour, 1.0);
        for point in points {
            stroke(
                picture,
                &[point, point],
                (wide + 3.0) * f64::from(ZOOM),
                colour,
                1.0,
            );
        }
    }
}

/// Draws all plots.
pub(super) fn draw(picture: &mut RgbImage, all: &CandidatesPicture<'_>, scale: &Scale) {
    let (count, columns) = (all.rewards.len(), all.steps.len() + 1);
    let family = Family::of(all);
    let of_steps = |value: fn(&super::CandidateStep) -> f64| -> Vec<f64> {
        all.steps.iter().map(value).collect()
    };

    let rewards: Vec<Vec<f64>> = all
        .steps
        .iter()
        .map(|step| &step.rewards)
        .chain([&all.rewards])
        .map(|row| {
            (0..count)
                .map(|b| row.get(b).copied().unwrap_or(f64::NAN))
                .collect()
        })
        .collect();
    let plot = frame(
        picture,
        all,
        REWARD,
        extent(rewards.iter().flatten(), 0.06),
        5,
    );
    let names = [("max", VERMILION), ("mean", INK)];
    title(
        picture,
        REWARD,
        "Reward of each particle's clean estimate",
        &names,
    );
    family.draw(picture, all, scale, |column, particle| {
        plot.at(column, rewards[column][particle])
    });
    let fold = |of: fn(&[f64]) -> f64| -> Vec<f64> {
        let known = |row: &Vec<f64>| row.iter().copied().filter(|r| r.is_finite()).collect();
        rewards
            .iter()
            .map(|row| of(&Vec::from_iter::<Vec<f64>>(known(row))))
            .collect()
    };
    plot.line(picture, &fold(mean), 2.2, INK);
    plot.line(picture, &fold(most), 1.2, VERMILION);

    let plot = frame(picture, all, ESS, 0.0..1.08 * count.max(1) as f64, 3);
    title(
        picture,
        ESS,
        "Effective sample size",
        &[("resampled", VERMILION)],
    );
    if let Some(threshold) = all.ess_threshold {
        let y = plot.at(0, threshold)[1] as i32;
        for x in (LEFT * ZOOM..(LEFT + WIDE) * ZOOM).step_by(24) {
            fill(picture, [x, y - 1], [14, 3], FAINT_INK);
        }
    }
    plot.line(picture, &of_steps(|step| step.ess), 2.2, BLUE);
    for (column, step) in all.steps.iter().enumerate() {
        if step.ancestors.is_some() {
            let at = plot.at(column, step.ess);
            stroke(picture, &[at, at], 12.0 * f64::from(ZOOM), VERMILION, 1.0);
        }
    }

    let norms = || all.steps.iter().flat_map(|step| &step.gradient_norms);
    let high = highest(norms().copied());
    let plot = frame(picture, all, PUSH, 0.0..1.08 * high, 4);
    let names = [
        ("gradient, per particle and mean", BLUE),
        ("strength (right)", VERMILION),
    ];
    title(picture, PUSH, "Push", &names);
    for particle in 0..count {
        let row = all
            .steps
            .iter()
            .map(|step| step.gradient_norms.get(particle));
        let points: Vec<_> = row
            .enumerate()
            .map(|(column, norm)| plot.at(column, norm.copied().unwrap_or(f64::NAN)))
            .collect();
        stroke(picture, &points, f64::from(ZOOM), BLUE, 0.25);
    }
    plot.line(
        picture,
        &of_steps(|step| mean_of_known(&step.gradient_norms)),
        2.2,
        BLUE,
    );
    let strengths = of_steps(|step| step.strength);
    let high = highest(strengths.iter().copied());
    let right = Plot {
        values: 0.0..1.08 * high,
        ..plot
    };
    right.line(picture, &strengths, 2.2, VERMILION);
    scale_right(picture, &right);

    let plot = frame(picture, all, ANCESTRY, count as f64 - 0.3..-0.7, 0);
    title(
        picture,
        ANCESTRY,
        "Ancestry: whose copies survive",
        &[("no descendants", EXTINCT)],
    );
    family.draw(picture, all, scale, |column, particle| {
        plot.at(column, particle as f64)
    });
    let below = ANCESTRY[0] + ANCESTRY[1];
    for column in 0..columns {
        let x = plot.at(column, 0.0)[0] as i32 / ZOOM;
        let text = if column + 1 == columns {
            "chunk".to_owned()
        } else {
            (column + 1).to_string()
        };
        let half = width(&text, 15.0) as i32 / 2;
        // Long schedules have room for some numbers only.
        if columns <= 24
            || column + 1 == columns
            || (column + 1) % (columns / 12) == 0 && column + 3 < columns
        {
            put(picture, [x - half, below + 6], 15.0, 80, INK, &text);
        }
    }
    let text = "sampling step, from noise to chunk";
    let middle = LEFT + (WIDE - width(text, 16.0) as i32) / 2;
    put(picture, [middle, below + 26], 16.0, 500, FAINT_INK, text);
    put(
        picture,
        [LEFT - 62, ANCESTRY[0] + ANCESTRY[1] / 2 - 10],
        15.0,
        60,
        FAINT_INK,
        "particle",
    );
}

/// Draws the frame of a plot: phases, faint lines, ticks at the left.
fn frame(
    picture: &mut RgbImage,
    all: &CandidatesPicture<'_>,
    [top, high]: [i32; 2],
    values: Range<f64>,
    lines: usize,
) -> Plot {
    let plot = Plot {
        top,
        high,
        columns: all.steps.len() + 1,
        values,
    };
    let half = 0.5 * f64::from(WIDE * ZOOM) / plot.columns as f64;
    for (column, step) in all.steps.iter().enumerate() {
        if step.phase == "diversity" {
            let x = plot.at(column, plot.values.start)[0];
            let (from, to) = ((x - half).round() as i32, (x + half).round() as i32);
            let size = [(to - from) as u32, (high * ZOOM) as u32];
            fill(picture, [from, top * ZOOM], size, DIVERSITY);
        }
    }
    let at = if lines > 0 {
        ticks(plot.values.start, plot.values.end, lines)
    } else {
        Vec::new()
    };
    for &value in &at {
        let y = plot.at(0, value)[1] as i32;
        fill(
            picture,
            [LEFT * ZOOM, y - 1],
            [(WIDE * ZOOM) as u32, 2],
            GRID,
        );
        let text = number(value, &at);
        let x = LEFT - 8 - width(&text, 14.0) as i32;
        put(picture, [x, y / ZOOM - 8], 14.0, 80, INK, &text);
    }
    let [left, wide] = [LEFT * ZOOM, WIDE * ZOOM];
    fill(picture, [left, (top + high) * ZOOM], [wide as u32, 2], INK);
    fill(picture, [left, top * ZOOM], [2, (high * ZOOM) as u32], INK);
    let tinted = all.steps.iter().any(|step| step.phase == "diversity");
    if tinted && top == REWARD[0] {
        put(
            picture,
            [LEFT + 8, top + high - 22],
            14.0,
            200,
            FAINT_INK,
            "diversity",
        );
    }
    plot
}

/// Ticks of a second scale.
fn scale_right(picture: &mut RgbImage, plot: &Plot) {
    let at = ticks(plot.values.start, plot.values.end, 4);
    for &value in &at {
        let y = plot.at(0, value)[1] as i32 / ZOOM;
        put(
            picture,
            [LEFT + WIDE + 8, y - 8],
            14.0,
            70,
            VERMILION,
            &number(value, &at),
        );
    }
}

/// What a plot shows, and the names of its lines.
fn title(picture: &mut RgbImage, [top, _]: [i32; 2], text: &str, names: &[(&str, Rgb<u8>)]) {
    put(picture, [LEFT, top - 25], 17.0, 560, INK, text);
    let mut x = LEFT + WIDE;
    for &(name, colour) in names {
        x -= width(name, 14.0) as i32;
        put(picture, [x, top - 22], 14.0, 300, FAINT_INK, name);
        x -= 24;
        fill(
            picture,
            [x * ZOOM, (top - 14) * ZOOM],
            [(16 * ZOOM) as u32, 5],
            colour,
        );
        x -= 14;
    }
}

/// Who descends from whom: columns are the steps and then the chunks.
struct Family {
    /// `[S][B]`: the particle of a column that each particle of the next one descends from.
    parents: Vec<Vec<usize>>,
    /// `[S + 1][B]`: the candidate that is the best descendant; none if there is none.
    heirs: Vec<Vec<Option<usize>>>,
}

impl Family {
    fn of(all: &CandidatesPicture<'_>) -> Self {
        let count = all.rewards.len();
        let parents: Vec<Vec<usize>> = all
            .steps
            .iter()
            .map(|step| match &step.ancestors {
                Some(ancestors) => ancestors.iter().map(|&from| from.min(count - 1)).collect(),
                None => (0..count).collect(),
            })
            .collect();
        let rank: Vec<usize> = {
            let mut rank = vec![0; count];
            for (place, particle) in all.order().into_iter().enumerate() {
                rank[particle] = place;
            }
            rank
        };
        let drawn = |particle: usize| {
            let paths = all.views.iter().map(|view| view.paths.get(particle));
            paths.flatten().all(|path| !path.is_empty())
        };
        let mut heirs = vec![
            (0..count)
                .map(|b| drawn(b).then_some(b))
                .collect::<Vec<_>>(),
        ];
        for row in parents.iter().rev() {
            let mut before = vec![None; count];
            let below = heirs.last().cloned().unwrap_or_default();
            for (heir, &parent) in below.into_iter().zip(row) {
                let better = |a: usize, b: usize| rank[a] > rank[b];
                before[parent] = match (before[parent], heir) {
                    (Some(a), Some(b)) if better(b, a) => Some(b),
                    (None, heir) => heir,
                    (kept, _) => kept,
                };
            }
            heirs.push(before);
        }
        heirs.reverse();
        Self { parents, heirs }
    }

    /// Draws a line from every particle to its parent: those without descendants grey, the others
    /// in the colour of their best descendant, the way to the executed chunk thick.
    fn draw(
        &self,
        picture: &mut RgbImage,
        all: &CandidatesPicture<'_>,
        scale: &Scale,
        at: impl Fn(usize, usize) -> [f64; 2],
    ) {
        let zoom = f64::from(ZOOM);
        let mut order: Vec<Option<usize>> = vec![None];
        order.extend(all.order().into_iter().map(Some));
        for heir in order {
            let (wide, colour) = match heir {
                None => (1.1, EXTINCT),
                Some(heir) if heir == all.selected => (3.6, all.colour(heir, scale)),
                Some(heir) => (1.5, all.colour(heir, scale)),
            };
            let is_executed = heir == Some(all.selected);
            for casing in [true, false] {
                if casing && !is_executed {
                    continue;
                }
                let (wide, colour) = if casing {
                    (wide + 1.6, INK)
                } else {
                    (wide, colour)
                };
                for (column, row) in self.parents.iter().enumerate() {
                    for (particle, &parent) in row.iter().enumerate() {
                        if self.heirs[column + 1][particle] == heir {
                            let ends = [at(column, parent), at(column + 1, particle)];
                            stroke(picture, &ends, wide * zoom, colour, 1.0);
                        }
                    }
                }
            }
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn mean_of_known(values: &[f64]) -> f64 {
    let known: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    mean(&known)
}

/// The upper end of a scale from 0 that holds all finite values.
fn highest(values: impl Iterator<Item = f64>) -> f64 {
    let known = values.filter(|value| value.is_finite());
    match known.fold(0.0, f64::max) {
        0.0 => 1.0,
        high => high,
    }
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::max)
}

/// The range of the finite values with some air; never empty.
fn extent<'a>(values: impl Iterator<Item = &'a f64>, air: f64) -> Range<f64> {
    let known = values.filter(|value| value.is_finite());
    let (low, high) = known.fold((f64::MAX, f64::MIN), |(low, high), value| {
        (low.min(*value), high.max(*value))
    });
    if low > high {
        return 0.0..1.0;
    }
    let air = (air * (high - low)).max(1e-3 * high.abs()).max(1e-6);
    low - air..high + air
}
