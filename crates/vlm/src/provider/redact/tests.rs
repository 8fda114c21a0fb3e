use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;

const KEY: &str = "sk-test-0123456789abcdef";

/// Keys that people give because something must be given.
const PLACEHOLDERS: [&str; 30] = [
    "EMPTY",
    "empty",
    "none",
    "None",
    "null",
    "ollama",
    "lm-studio",
    "sk-1234",
    "sk-no-key-required",
    "sk-xxxxxxxxxxxxxxxxxxxxxxxx",
    "sk-00000000000000000000",
    "not-needed",
    "no-key",
    "dummy",
    "token",
    "test",
    "key",
    "guidance",
    "keypoints",
    "stage",
    "return",
    "trajectory",
    "unauthenticated",
    "1",
    "0.1",
    "1234",
    "123456",
    "x1",
    "a",
    "*",
];

fn everything_that_models_wrote() -> Vec<String> {
    let folder = |name: &str| format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    for folder in [folder("tests/answers"), folder("prompts")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            texts.push(std::fs::read_to_string(entry.unwrap().path()).unwrap());
        }
    }
    assert!(texts.len() > 100);
    texts
}

#[test]
fn no_key_eats_words_of_an_answer() {
    let texts = everything_that_models_wrote();
    let keys = [
        KEY,
        "lab-4711",
        "tiller-2026",
        "correct-horse-battery-staple",
        "AIzaSyA-guidance_1-keypoints-0",
        "aGVsbG8gd29ybGQgMTIzNDU2Nzg5MA==",
        "4711081547110815",
    ];
    for key in PLACEHOLDERS.iter().chain(&keys) {
        for text in &texts {
            assert_eq!(&redact(key, text), text, "{key}");
        }
    }
}

#[test]
fn words_are_left_even_where_they_are_the_key() {
    let text = "None of the keypoints: EMPTY, none, ollama, not-needed, dummy token 1234 test.";
    for key in PLACEHOLDERS {
        assert_eq!(redact(key, text), text, "{key}");
    }
}

#[test]
fn a_short_key_goes_where_it_stands_alone() {
    for (text, expected) in [
        ("key sk-1234.", "key [redacted]."),
        ("{\"key\":\"sk-1234\"}", "{\"key\":\"[redacted]\"}"),
        ("Bearer%20sk%2D1234&x", "Bearer%20[redacted]&x"),
        (
            "task-1234 sk-12345 SK-1234 sk-123",
            "task-1234 sk-12345 SK-1234 sk-123",
        ),
        ("sk- 1234 1234", "sk- 1234 1234"),
    ] {
        assert_eq!(redact("sk-1234", text), expected);
    }
}

#[test]
fn only_the_key_goes_and_what_is_around_it_stays() {
    for (text, expected) in [
        (
            format!("your key is {KEY}, ha"),
            "your key is [redacted], ha",
        ),
        (format!("`{KEY}`."), "`[redacted]`."),
        (
            format!("https://host/?key={KEY}&x=1"),
            "https://host/?key=[redacted]&x=1",
        ),
        (
            format!("{{\"key\":\"{KEY}\",\"n\":1}}"),
            "{\"key\":\"[redacted]\",\"n\":1}",
        ),
        (format!("é{KEY}é"), "é[redacted]é"),
        (format!("{KEY}{KEY} {KEY}"), "[redacted]"),
        (format!("a\n{KEY}\nb"), "a\n[redacted]\nb"),
    ] {
        assert_eq!(redact(KEY, &text), expected);
    }
}

/// The key as somebody else may write it.
fn disguises(key: &str) -> Vec<String> {
    let each = |spell: fn(u8) -> String| key.bytes().map(spell).collect::<String>();
    let half = key.len() / 2;
    let with_user = format!("user:{key}");
    vec![
        key.to_owned(),
        key.to_uppercase(),
        each(|byte| format!("%{byte:02X}")),
        each(|byte| match byte.is_ascii_alphanumeric() {
            true => (byte as char).to_string(),
            false => format!("%{byte:02x}"),
        }),
        each(|byte| format!("\\u{byte:04x}")),
        each(|byte| format!("\\x{byte:02x}")),
        each(|byte| format!("&#{byte};")),
        each(|byte| format!("&#x{byte:X};")),
        key.replace('/', "\\/"),
        format!("{}\n{}", &key[..half], &key[half..]),
        format!("{}\r\n    {}", &key[..half], &key[half..]),
        format!("{} {}", &key[..half], &key[half..]),
        format!("{}\\n{}", &key[..half], &key[half..]),
        format!("{}\u{200b}{}", &key[..half], &key[half..]),
        each(|byte| format!("{}\u{ad}", byte as char)),
        STANDARD.encode(key),
        URL_SAFE_NO_PAD.encode(key),
        STANDARD.encode(&with_user),
        STANDARD.encode(format!("Bearer {key}")),
        STANDARD.encode(format!("x{key}y")),
        hexadecimal(key.as_bytes()),
        hexadecimal(key.as_bytes()).to_uppercase(),
    ]
}

#[test]
fn common_disguises_are_seen_through() {
    let spare: String = KEY.bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(redact(KEY, &format!("a {spare} b")), "a [redacted] b");
    for disguise in disguises(KEY) {
        let text = redact(KEY, &format!("They said: {disguise} !"));
        assert!(text.starts_with("They said: "), "{text}");
        assert!(text.contains(REDACTED) && text.ends_with(" !"), "{text}");
        // Of base64 the ends may stay that other bytes have a share in.
        assert!(text.len() <= "They said: [redacted] !".len() + 14, "{text}");
    }
    for part in [
        "0123456789***",
        "sk-t***********6789abcdef",
        "sk-test-01234…cdef",
    ] {
        assert_eq!(
            redact(KEY, &format!("bad key {part}.")),
            "bad key [redacted]."
        );
    }
}

#[test]
fn a_key_without_digits_is_seen_whole() {
    let key = "correct-horse-battery-staple";
    assert_eq!(redact(key, &format!("key {key}!")), "key [redacted]!");
    let words = "correct horse battery staple, battery-staple";
    assert_eq!(redact(key, words), words);
    let letters = "QwErTyUiOpAsDfGh";
    assert_eq!(redact(letters, &format!("({letters})")), "([redacted])");
}

#[test]
fn the_words_of_a_header_are_looked_at_each_by_itself() {
    let value = format!("Bearer {KEY}");
    let text = format!("Authorization: Bearer {KEY}, Bearer of news");
    let expected = "Authorization: Bearer [redacted], Bearer of news";
    assert_eq!(redact(&value, &text), expected);
    assert_eq!(redact("My lab", "My lab is my lab"), "My lab is my lab");
    assert_eq!(redact("", "text"), "text");
}

/// Characters of the key in a row, with blanks and escapes undone.
fn longest_shared(key: &str, text: &str) -> usize {
    let meant: Vec<u8> = units(text).iter().map(|unit| unit.byte).collect();
    let (key, meant) = (key.to_ascii_lowercase(), meant.to_ascii_lowercase());
    let shares = |width: usize| {
        let parts: HashSet<_> = key.as_bytes().windows(width).collect();
        meant.windows(width).any(|part| parts.contains(part))
    };
    (1..=key.len())
        .take_while(|width| shares(*width))
        .last()
        .unwrap_or(0)
}

proptest! {
    #[test]
    fn a_random_key_never_stays(
        key in "[A-Za-z0-9_/+-]{20,60}", before in "[a-z ,.é\n]{0,20}", after in "[a-z ,.é\n]{0,20}",
        which in 0_usize..15,
    ) {
        prop_assume!(has_digit(key.as_bytes()) && distinct(key.as_bytes()) >= 10);
        let disguise = &disguises(&key)[which];
        let text = redact(&key, &format!("{before} {disguise} {after}"));
        prop_assert!(text.contains(REDACTED), "{}", text);
        // What is left is too little to be of use.
        prop_assert!(longest_shared(&key, &text.replace(REDACTED, "|")) < 16, "{}", text);
    }

    #[test]
    fn nothing_panics_and_other_texts_stay(key in "[!-~]{1,40}", text in any::<String>()) {
        prop_assume!(!key.contains(['"', '\'', '\\']));
        let redacted = redact(&key, &text);
        if !redacted.contains(REDACTED) {
            prop_assert_eq!(redacted, text);
        }
    }

    #[test]
    fn escapes_that_are_none_stay(text in "[%&#x;\\\\uné0-9a-f-]{0,40}") {
        prop_assert!(redact(KEY, &text) == text || longest_shared(KEY, &text) >= 8);
    }
}
