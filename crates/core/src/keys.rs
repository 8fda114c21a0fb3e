//! Keys that stand where they should not: in place of a path, in a URL.

/// Stands where a key stood.
pub const REDACTED: &str = "[redacted]";

/// How the keys of services begin.
const PREFIXES: [&str; 18] = [
    "sk-",
    "sk_",
    "pk-",
    "rk_",
    "csk-",
    "gsk_",
    "xai-",
    "hf_",
    "r8_",
    "fw_",
    "pplx-",
    "nvapi-",
    "ghp_",
    "github_pat_",
    "AIza",
    "AKIA",
    "ya29.",
    "eyJ",
];
/// Letters and digits in a row, mixed, that no name has.
const RANDOM: usize = 12;
/// Characters of a text that are shown.
const MAX_SHOWN: usize = 300;

/// Whether a word looks like a key: by how it begins, or by a long run of mixed letters and digits.
///
/// ```
/// use tiller_core::looks_like_key;
/// assert!(looks_like_key("sk-proj-4711abcdef"));
/// assert!(looks_like_key("9f86d081884c7d659a2feaa0c55ad015"));
/// assert!(!looks_like_key("runs-of-2026-11-28"));
/// ```
#[must_use]
pub fn looks_like_key(word: &str) -> bool {
    has_prefix(word) || (!word.contains('.') && word.split(['-', '_']).any(is_random))
}

fn has_prefix(word: &str) -> bool {
    let rest = PREFIXES.iter().find_map(|start| word.strip_prefix(start));
    rest.is_some_and(|rest| rest.len() >= 16 || rest.bytes().any(|byte| byte.is_ascii_digit()))
}

fn is_random(part: &str) -> bool {
    let has = |is: fn(&u8) -> bool| part.as_bytes().iter().any(is);
    part.len() >= RANDOM
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
}

/// A path, or another setting's value, as a message may quote it: a person may have given a key or a
/// URL with one in its place, so what could be a key is left out, as is the end of a URL. Control
/// characters are escaped, and a long text is cut.
///
/// ```
/// use tiller_core::shown;
/// assert_eq!(shown("answers/run 1"), "answers/run 1");
/// assert_eq!(shown("sk-4711-0815"), "[redacted]");
/// assert_eq!(shown("https://u:p@host/?key=1"), "https://[redacted]");
/// ```
#[must_use]
pub fn shown(text: &str) -> String {
    if let Some((scheme, _)) = text.split_once("://") {
        return format!("{}://{REDACTED}", shown(scheme));
    }
    // A path of several folders has names with random parts, such as a hash; one word alone has none.
    let is_key = if text.contains('/') {
        has_prefix
    } else {
        looks_like_key
    };
    let words = text.split('/').map(|word| match is_key(word) {
        true => REDACTED.to_owned(),
        false => crate::visible(word).into_owned(),
    });
    let text = words.collect::<Vec<_>>().join("/");
    crate::clip(&text, MAX_SHOWN).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_names() {
        for key in [
            "sk-1234",
            "sk-abcdefghijklmnopqrst",
            "AIzaSyA0123456789",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIi",
            "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        ] {
            assert!(looks_like_key(key), "{key}");
            assert_eq!(shown(key), REDACTED);
        }
        for name in [
            "",
            "key",
            "runs",
            "sk-learn",
            "answers_2026-11-28",
            "stage1_guidance.txt",
            "0123456789abcdef0123.png",
            "20261128123000",
        ] {
            assert!(!looks_like_key(name), "{name}");
            assert_eq!(shown(name), name);
        }
    }

    #[test]
    fn a_path_is_shown_without_a_key_and_without_what_steers_a_terminal() {
        assert_eq!(shown("/run/sk-4711-0815"), "/run/[redacted]");
        let hash = "/cache/9f86d081884c7d659a2feaa0c55ad015/file";
        assert_eq!(shown(hash), hash);
        assert_eq!(shown("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(shown(&"x".repeat(1000)).chars().count(), MAX_SHOWN + 1);
    }
}
