//! Keypoints as an author sees them: things of kinds that it knows by how their names end.

use crate::author::{AuthorError, SceneKeypoint};

/// A keypoint of a kind that is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Point<K> {
    /// Row among the program's keypoints.
    pub index: usize,
    /// The whole name, in lower case.
    pub name: String,
    /// What it is on.
    pub kind: K,
    /// Where it was seen, m.
    pub position_m: [f64; 3],
}

impl<K> Point<K> {
    /// Whether a word is part of the name.
    #[must_use]
    pub fn is_called(&self, word: &str) -> bool {
        self.name.split(' ').any(|known| known == word)
    }

    /// A comment for the head of a program: which keypoint this is, and where it was seen.
    #[must_use]
    pub fn note(&self) -> String {
        let [x, y, z] = self.position_m;
        format!(
            "Keypoint {} is the {}, seen at ({x:.3}, {y:.3}, {z:.3}).",
            self.index, self.name
        )
    }
}

/// Checks the positions and finds out what is what, by the first of the endings that is one of the name; whatever
/// stands before does not matter. Keypoints of unknown things are left out, and so are names that could carry text
/// into a program.
///
/// # Errors
/// [`AuthorError::BadKeypoint`].
pub fn points<K: Copy>(
    keypoints: &[SceneKeypoint],
    endings: &[(&str, K)],
) -> Result<Vec<Point<K>>, AuthorError> {
    let mut points = Vec::new();
    for keypoint in keypoints {
        keypoint.check()?;
        let name = keypoint.thing();
        let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ');
        let kind = endings.iter().find(|(ending, _)| {
            let before = name.strip_suffix(ending);
            before.is_some_and(|before| before.is_empty() || before.ends_with(' '))
        });
        if let (Some((_, kind)), true) = (kind, is_plain) {
            points.push(Point {
                index: keypoint.index,
                name,
                kind: *kind,
                position_m: keypoint.position_m,
            });
        }
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDINGS: [(&str, u8); 2] = [("drawer handle", 0), ("plate", 1)];

    fn keypoint(index: usize, name: &str, x: f64) -> SceneKeypoint {
        SceneKeypoint {
            index,
            name: name.to_owned(),
            position_m: [x, 0.0, 0.0],
        }
    }

    #[test]
    fn things_are_known_by_how_their_names_end() {
        let names = [
            "Drawer Handle",
            "yellow plate 2",
            "notaplate",
            "x\"; # plate",
        ];
        let keypoints = names.iter().enumerate();
        let keypoints: Vec<_> = keypoints.map(|(i, name)| keypoint(i, name, 0.5)).collect();
        let found = points(&keypoints, &ENDINGS).unwrap();
        let kinds: Vec<_> = found
            .iter()
            .map(|point| (point.index, point.kind))
            .collect();
        assert_eq!(kinds, [(0, 0), (1, 1)]);
        assert!(found[1].is_called("yellow") && !found[1].is_called("plates"));
        assert_eq!(
            found[1].note(),
            "Keypoint 1 is the yellow plate, seen at (0.500, 0.000, 0.000)."
        );
    }

    #[test]
    fn positions_must_be_usable() {
        for bad in [f64::NAN, f64::INFINITY, 3.1] {
            let error = points(&[keypoint(4, "plate", bad)], &ENDINGS).unwrap_err();
            assert!(
                matches!(error, AuthorError::BadKeypoint { index: 4, .. }),
                "{error}"
            );
        }
    }
}
