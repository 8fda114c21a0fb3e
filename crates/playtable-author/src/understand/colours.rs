//! Shades of the colours that blocks have.

/// A colour and what its shades are called.
const SHADES: &[(&str, &[&str])] = &[
    (
        "red",
        &[
            "crimson",
            "scarlet",
            "ruby",
            "reddish",
            "cherry",
            "vermilion",
            "carmine",
            "burgundy",
            "maroon",
            "redish",
            "cardinal",
        ],
    ),
    (
        "blue",
        &[
            "navy",
            "azure",
            "cobalt",
            "bluish",
            "sapphire",
            "ultramarine",
            "cerulean",
            "blueish",
        ],
    ),
    (
        "pink",
        &[
            "rose",
            "rosy",
            "magenta",
            "fuchsia",
            "fuschia",
            "pinkish",
            "salmon",
            "rosa",
            "rosey",
            "bubblegum",
            "fuchia",
            "magneta",
        ],
    ),
    ("green", &["emerald", "greenish"]),
    ("yellow", &["yellowish"]),
];

/// The block's colour that a shade means: a block that is called by the shade itself comes first.
pub(super) fn shade(word: &str, blocks: &[String]) -> Option<String> {
    if blocks.iter().any(|block| block == word) {
        return Some(word.to_owned());
    }
    let row = SHADES.iter().find(|(_, shades)| shades.contains(&word));
    row.map(|(colour, _)| (*colour).to_owned())
}

/// Whether a word is a shade's name.
pub(super) fn is_shade(word: &str) -> bool {
    SHADES.iter().any(|(_, shades)| shades.contains(&word))
}
