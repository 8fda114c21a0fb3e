use tiller_playtable_author::EmbeddedAuthor;
use tiller_vlm::repair::Fallback;

use super::*;

fn read(pairs: &[(&'static str, &str)]) -> Result<Setup, Problems> {
    Setup::read(
        Environment::from_pairs(pairs.iter().copied()),
        ("playtable", Arc::new(EmbeddedAuthor)),
        false,
    )
}

fn problems(pairs: &[(&'static str, &str)]) -> String {
    read(pairs).err().expect("wrong settings").to_string()
}

#[test]
fn every_problem_is_reported() {
    let env = Environment::from_pairs([
        ("VLM_PROVIDER", "openai"),
        ("BASE_URL", "http://10.0.0.7/v1"),
        ("KEY_FILE", "/nowhere/key"),
        ("MAX_REPAIRS", "many"),
        ("FALLBACK", "panic"),
        ("TOTAL_TIMEOUT_S", "0"),
        ("TEMPERATURE", "hot"),
        ("MAX_COST_USD", "1"),
        ("PROMPT_DIR", "/nowhere/prompts"),
        ("HORIZON", "16"),
        ("INSTRUCTION", "open the drawer"),
    ]);
    let error = Setup::read(env, ("playtable", Arc::new(EmbeddedAuthor)), false)
        .err()
        .unwrap();
    let names: Vec<_> = error.found.iter().map(|p| p.name.as_str()).collect();
    for name in [
        "INSTRUCTION",
        "MODEL",
        "BASE_URL",
        "KEY_FILE",
        "MAX_REPAIRS",
        "FALLBACK",
        "TOTAL_TIMEOUT_S",
        "TEMPERATURE",
        "MAX_COST_USD",
        "PROMPT_DIR",
        "HORIZON",
    ] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
}

#[test]
fn providers_say_what_they_need() {
    assert!(problems(&[("VLM_PROVIDER", "oracle")]).contains("`anthropic`"));
    assert!(problems(&[("VLM_PROVIDER", "files")]).contains("ANSWERS: expected the folder"));
    let missing = [("VLM_PROVIDER", "files"), ("ANSWERS", "/nowhere")];
    assert!(problems(&missing).contains("there is nothing of that name"));
    let keyless = [("VLM_PROVIDER", "anthropic"), ("MODEL", "m")];
    assert!(problems(&keyless).contains("ANTHROPIC_API_KEY: expected a key"));
    let strange = [
        ("VLM_PROVIDER", "openai"),
        ("MODEL", "a b"),
        ("OPENAI_API_KEY", "sk-0123456789"),
    ];
    assert!(problems(&strange).starts_with("MODEL"));
    // A server of one's own may want no key.
    let own = [
        ("VLM_PROVIDER", "openai"),
        ("MODEL", "llava"),
        ("BASE_URL", "http://localhost:11434/v1"),
    ];
    let setup = read(&own).unwrap_or_else(|error| panic!("{error}"));
    assert!(setup.client.is_remote() && setup.settings.advice);
}

#[test]
fn the_old_name_of_the_provider_is_refused_with_the_new_one() {
    let text = problems(&[("PROVIDER", "openai")]);
    assert!(
        text.contains("PROVIDER: expected nothing: it is called VLM_PROVIDER now, found a text of 6 characters"),
        "{text}"
    );
}

#[test]
fn without_a_word_the_robot_holds_still_when_no_model_helps() {
    let setup = read(&[
        ("VLM_PROVIDER", "openai"),
        ("MODEL", "m"),
        ("OPENAI_API_KEY", "sk-0123456789"),
    ]);
    let settings = setup.unwrap_or_else(|error| panic!("{error}")).settings;
    assert_eq!(settings.policy.fallback, Fallback::Hold);
}

#[test]
fn no_message_shows_a_key() {
    let pairs = [
        ("VLM_PROVIDER", "gemini"),
        ("MODEL", "a b"),
        ("GEMINI_API_KEY", "key with blanks 4711"),
        ("BASE_URL", "https://user:hunter22@host/v1"),
    ];
    let text = problems(&pairs);
    assert!(text.contains("GEMINI_API_KEY") && text.contains("BASE_URL"));
    assert!(
        !text.contains("4711") && !text.contains("hunter22"),
        "{text}"
    );
}

#[test]
fn the_embedded_author_is_the_default_and_has_nothing_to_fall_back_on() {
    let setup = read(&[]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(setup.settings.policy.fallback, Fallback::Hold);
    assert!(!setup.client.is_remote() && !setup.settings.advice);
}
