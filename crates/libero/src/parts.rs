//! Parts of things that have labels of their own: what moves by itself, and what glows.

use crate::pack::Thing;

/// How parts are called whose joints are named after something else, by their joint's last word.
const WORDS: [(&str, &str); 3] = [
    ("level", "drawer"),
    ("button", "knob"),
    ("microjoint", "door"),
];

/// Where a part is in the scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// The body that the joint moves, and all that hangs on it.
    Joint(&'a str),
    /// The geom of that name, if there is one.
    Geom(&'a str),
}

/// A part in plain words, such as `middle drawer`, and where it is. An object that moves as a whole has none.
pub(crate) fn parts<'a>(owner: &str, thing: &'a Thing) -> Vec<(String, Place<'a>)> {
    let Thing::Object {
        is_fixture: true,
        joints,
        lit_sites,
        ..
    } = thing
    else {
        return Vec::new();
    };
    let moving = joints.iter().map(|joint| {
        let rest = words(owner, joint);
        let (first, last) = rest.rsplit_once(' ').unwrap_or(("", &rest));
        let known = WORDS.iter().find(|(known, _)| *known == last);
        let last = known.map_or(last, |(_, word)| word);
        (
            format!("{first} {last}").trim().to_owned(),
            Place::Joint(joint),
        )
    });
    // The package names what is seen where it glows after the site that glows.
    let glowing = lit_sites
        .iter()
        .map(|site| (words(owner, site), Place::Geom(site)));
    moving.chain(glowing).collect()
}

/// What is left of a name in the scene without its owner's.
fn words(owner: &str, name: &str) -> String {
    let rest = name.strip_prefix(owner).unwrap_or(name);
    rest.trim_start_matches('_').replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::Articulation;

    fn thing(is_fixture: bool, joints: &[&str]) -> Thing {
        Thing::Object {
            is_fixture,
            category: String::new(),
            body: String::new(),
            contact_geoms: Vec::new(),
            joints: joints.iter().map(|joint| (*joint).to_owned()).collect(),
            articulation: Articulation::default(),
            lit_sites: vec!["stove_1_burner".to_owned()],
        }
    }

    #[test]
    fn moving_parts_are_called_in_plain_words() {
        let fixture = thing(true, &["stove_1_button", "stove_1_top_level", "odd"]);
        let found = parts("stove_1", &fixture);
        let names: Vec<_> = found.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["knob", "top drawer", "odd", "burner"]);
        assert_eq!(found[1].1, Place::Joint("stove_1_top_level"));
        assert_eq!(found[3].1, Place::Geom("stove_1_burner"));
    }

    #[test]
    fn an_object_is_one() {
        assert_eq!(parts("cup_1", &thing(false, &["cup_1_joint0"])), []);
    }
}
