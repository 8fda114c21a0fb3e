//! Where labels go so that none covers another or a marker.

/// An axis-aligned rectangle, pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Area {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Area {
    /// A square around a point.
    pub(crate) fn around([x, y]: [f64; 2], radius: f64) -> Self {
        Self {
            left: x - radius,
            top: y - radius,
            width: 2.0 * radius,
            height: 2.0 * radius,
        }
    }

    /// Whether two areas share more than an edge.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.left < other.left + other.width
            && other.left < self.left + self.width
            && self.top < other.top + other.height
            && other.top < self.top + self.height
    }

    /// Whether all of another area lies within this one.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        self.left <= other.left
            && self.top <= other.top
            && other.left + other.width <= self.left + self.width
            && other.top + other.height <= self.top + self.height
    }

    /// The point of the area next to a point outside it.
    pub(crate) fn nearest_to(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [
            x.clamp(self.left, self.left + self.width),
            y.clamp(self.top, self.top + self.height),
        ]
    }
}

/// Directions tried around a marker, right first.
const DIRECTIONS: usize = 16;
/// Distances tried, pixels.
const DISTANCES: [f64; 7] = [18.0, 30.0, 46.0, 66.0, 92.0, 124.0, 164.0];

/// Places a label of each size beside its marker, inside `bounds`, clear of all markers, of the
/// taken areas and of each other; `None` where there is no room.
pub(crate) fn place(
    markers: &[[f64; 2]],
    sizes: &[[f64; 2]],
    bounds: Area,
    taken: &[Area],
    marker_radius: f64,
) -> Vec<Option<Area>> {
    let mut obstacles: Vec<Area> = taken.to_vec();
    obstacles.extend(
        markers
            .iter()
            .map(|marker| Area::around(*marker, marker_radius)),
    );
    let place_one = |(marker, size): (&[f64; 2], &[f64; 2])| {
        let candidates = DISTANCES.iter().flat_map(|distance| {
            (0..DIRECTIONS).map(move |step| {
                let angle = step as f64 / DIRECTIONS as f64 * std::f64::consts::TAU;
                let (sin, cos) = angle.sin_cos();
                // The label's near edge, not its centre, keeps the distance.
                let x = marker[0] + cos * distance + (cos - 1.0) * size[0] / 2.0;
                let y = marker[1] - sin * distance - (sin + 1.0) * size[1] / 2.0;
                Area {
                    left: x,
                    top: y,
                    width: size[0],
                    height: size[1],
                }
            })
        });
        let free = |area: &Area| {
            bounds.contains(area) && !obstacles.iter().any(|obstacle| obstacle.overlaps(area))
        };
        let found = candidates.into_iter().find(free);
        obstacles.extend(found);
        found
    };
    markers.iter().zip(sizes).map(place_one).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUNDS: Area = Area {
        left: 0.0,
        top: 0.0,
        width: 768.0,
        height: 768.0,
    };

    proptest! {
        #[test]
        fn labels_cover_neither_each_other_nor_markers(
            drawn in prop::collection::vec(
                (prop::array::uniform2(0.0f64..768.0), 12.0f64..300.0),
                0..24,
            ),
        ) {
            let markers: Vec<[f64; 2]> = drawn.iter().map(|(marker, _)| *marker).collect();
            let sizes: Vec<[f64; 2]> = drawn.iter().map(|(_, width)| [*width, 22.0]).collect();
            let corner = Area { left: 0.0, top: 620.0, width: 150.0, height: 148.0 };
            let placed = place(&markers, &sizes, BOUNDS, &[corner], 12.0);
            let mut areas: Vec<Area> = placed.into_iter().flatten().collect();
            for area in &areas {
                prop_assert!(BOUNDS.contains(area));
                prop_assert!(!markers.iter().any(|m| Area::around(*m, 12.0).overlaps(area)));
            }
            areas.push(corner);
            for (index, area) in areas.iter().enumerate() {
                prop_assert!(!areas[..index].iter().any(|other| other.overlaps(area)));
            }
        }
    }

    #[test]
    fn a_table_full_of_markers_still_finds_room() {
        let markers: Vec<[f64; 2]> = (0..12)
            .map(|i| {
                [
                    300.0 + f64::from(i % 4) * 40.0,
                    300.0 + f64::from(i / 4) * 40.0,
                ]
            })
            .collect();
        let placed = place(&markers, &[[130.0, 22.0]; 12], BOUNDS, &[], 12.0);
        assert!(placed.iter().all(Option::is_some));
    }
}
