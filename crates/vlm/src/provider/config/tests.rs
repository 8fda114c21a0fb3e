use super::*;
use crate::provider::RemoteProvider;

fn config() -> RemoteConfig {
    RemoteConfig {
        key: Some(Secret::new("sk-0123456789", "a test").unwrap()),
        ..RemoteConfig::new(Api::OpenAi, "gpt-5-mini")
    }
}

#[test]
fn settings_are_checked_and_the_key_stays_hidden() {
    let provider = RemoteProvider::new(RemoteConfig {
        base_url: Some("http://127.0.0.1:9/v1".to_owned()),
        ..config()
    });
    let text = format!("{:?}", provider.unwrap());
    assert!(!text.contains("0123456789"), "{text}");
    let problem = |config| RemoteProvider::new(config).unwrap_err().to_string();
    let keyless = RemoteConfig {
        key: None,
        ..config()
    };
    assert_eq!(
        problem(keyless),
        "no key: set OPENAI_API_KEY, or KEY_FILE to a file that holds it (`vlm.key` by default)"
    );
    for model in ["", "a model", "../../v2", "m?x=1"] {
        let named = RemoteConfig {
            model: model.to_owned(),
            ..config()
        };
        assert!(problem(named).contains("the model's name"), "{model}");
    }
    let hot = RemoteConfig {
        temperature: Some(f64::NAN),
        ..config()
    };
    assert_eq!(problem(hot), "temperature is NaN, expected 0 to 2");
    let timeouts = Timeouts {
        total: Duration::ZERO,
        ..Timeouts::default()
    };
    let hasty = RemoteConfig {
        timeouts,
        ..config()
    };
    assert!(problem(hasty).starts_with("total timeout is 0 s"));
}

#[test]
fn every_mistake_is_reported_and_no_value_is() {
    let secret = "sk-secret-4711";
    let wrong = RemoteConfig {
        base_url: Some(format!("https://me:{secret}@h/v1")),
        model: format!("{secret} x"),
        key_header: Some(format!("{secret}: x")),
        api_version: Some(format!("?{secret}")),
        extra_headers: vec![(format!("{secret} "), Secret::header_value(secret).unwrap()); 2],
        extra_body: serde_json::from_value(serde_json::json!({"model": secret})).unwrap(),
        reasoning_effort: Some(format!("very {secret}")),
        temperature: Some(9.0),
        max_output_tokens: 0,
        picture_tokens: u64::MAX,
        max_answer_bytes: 7,
        ..config()
    };
    let errors = RemoteProvider::new(wrong).unwrap_err();
    let settings: Vec<_> = errors.found.iter().map(ConfigError::setting).collect();
    let expected = [
        "BASE_URL",
        "MODEL",
        "API_VERSION",
        "REASONING_EFFORT",
        "MAX_OUTPUT_TOKENS",
        "max_answer_bytes",
        "TEMPERATURE",
        "PICTURE_TOKENS",
        "KEY_HEADER",
        "HEADERS",
        "EXTRA_BODY",
    ];
    assert_eq!(settings, expected);
    let text = format!("{errors} {errors:?}");
    assert!(text.contains("11 settings are wrong:"), "{text}");
    assert!(!text.contains("4711"), "{text}");
}

#[test]
fn a_url_in_any_other_place_shows_nothing_either() {
    let secret = "https://h.example/?k=sk-secret-4711";
    for api in [Api::OpenAi, Api::Azure, Api::Anthropic, Api::Gemini] {
        for place in 0..5 {
            let mut config = RemoteConfig {
                base_url: Some("https://h/v1".to_owned()),
                ..RemoteConfig::new(api, "m")
            };
            let text = Some(secret.to_owned());
            match place {
                0 => config.model = secret.to_owned(),
                1 => config.base_url = Some(format!("x{secret} y")),
                2 => config.api_version = text,
                3 => config.key_header = text,
                _ => config.reasoning_effort = text,
            }
            let error = RemoteProvider::new(config).unwrap_err();
            assert_eq!(error.found.len(), 1, "{error}");
            let shown = format!("{error} {error:?}");
            assert!(
                !shown.contains("4711") && !shown.contains("h.example"),
                "{shown}"
            );
        }
    }
}

#[test]
fn azure_needs_its_endpoint_and_formats_refuse_what_they_do_not_know() {
    let problem = |config| RemoteProvider::new(config).unwrap_err().to_string();
    let azure = RemoteConfig {
        api: Api::Azure,
        ..config()
    };
    assert!(problem(azure).starts_with("BASE_URL: expected the endpoint of the resource"));
    let anthropic = RemoteConfig {
        api: Api::Anthropic,
        token_limit: TokenLimit::MaxCompletionTokens,
        picture_detail: Some(PictureDetail::Low),
        reasoning_effort: Some("maybe".to_owned()),
        ..config()
    };
    let text = problem(anthropic);
    for name in ["TOKEN_LIMIT_NAME", "PICTURE_DETAIL", "REASONING_EFFORT"] {
        assert!(text.contains(name), "{text}");
    }
    let headers_only = RemoteConfig {
        key: None,
        extra_headers: vec![(
            "Authorization".to_owned(),
            Secret::header_value("Basic YWJj").unwrap(),
        )],
        ..config()
    };
    // With a bare machine's certificates or without, no key is missed.
    assert!(check(&headers_only).is_ok());
}
